// What table maps do not tell of columns, by table, as the server describes them: types that MariaDB logs as BINARY(n), storage
// formats, columns that the server keeps for itself, and until when a row of a system-versioned table is in force. With it go the
// tables of character sets and the configuration's modes, so that both readers decode by the same facts. Lives as long as the task.
import type { AppError } from '../../core/errors.js';
import type { WireColumn } from './binary-reader.js';
import { CharsetTables } from './charset-tables.js';
import { dataTypeOf, unsupportedType, withModes, type ColumnForm, type TableColumn } from './column-form.js';
import type { TableFilter } from './filters.js';
import { keyOf, messageKeyProblem, type TableModes } from './message-keys.js';
import type { TableMap } from './table-map.js';
import { capturedColumns, tableName, type TableSchema } from './table-schema.js';

/** Kinds that a table map shows as something else. */
const hiddenInMaps: ReadonlySet<ColumnForm['kind']> = new Set(['uuid', 'inet4', 'inet6', 'vector']);

export class ColumnKnowledge {
  readonly charsets = new CharsetTables();
  readonly #modes: TableModes;
  readonly #filter: TableFilter;
  /** As the server compares table names. */
  readonly #fold: (name: string) => string;
  readonly #schemas = new Map<string, TableSchema>();

  constructor(modes: TableModes, filter: TableFilter, fold: (name: string) => string) {
    this.#modes = modes;
    this.#filter = filter;
    this.#fold = fold;
  }

  learn(schema: TableSchema): void {
    this.#schemas.set(this.#fold(tableName(schema)), schema);
  }

  /** The map with what the server has told of its table. */
  complete(map: TableMap): TableMap {
    const schema = this.#schemas.get(this.#fold(tableName(map)));
    if (!schema) return this.#keyed({ ...map, columns: withModes(map.columns, this.#modes) });
    const told = new Map(schema.columns.map((column) => [column.name, column]));
    const columns = map.columns.map((column) => completed(column, told.get(column.name)?.form));
    const rowEnd = schema.rowEnd === undefined ? -1 : map.columns.findIndex(({ name }) => name === schema.rowEnd);
    const hidden = map.columns.flatMap(({ name, form }, i) =>
      !told.has(name) && isServersOwn(name, form, schema) ? [i] : [],
    );
    return this.#keyed({
      ...map,
      columns: withModes(columns, this.#modes),
      // The server adds it to the key, so that rows of the past have keys of their own.
      keyColumns: map.keyColumns.filter((i) => i !== rowEnd),
      hidden: new Set(hidden),
      labels: schema.labels,
      rowEnd: rowEnd < 0 ? undefined : rowEnd,
    });
  }

  #keyed(map: TableMap): TableMap {
    return { ...map, keyColumns: keyOf(map, this.#modes.messageKeys) };
  }

  /** Why its rows cannot have the key that the configuration makes. */
  keyProblem(description: TableMap | TableSchema): AppError | undefined {
    return messageKeyProblem(description, this.#modes.messageKeys);
  }

  /** The first captured column that cannot be read, as the error that says so. */
  unreadable(description: TableMap | TableSchema): AppError | undefined {
    const captured = capturedColumns(description, this.#filter);
    const columns: readonly TableColumn[] = description.columns;
    const column = columns.find(({ form }, i) => captured[i] && !dataTypeOf(form));
    return column && unsupportedType(column, `${tableName(description)}.${column.name}`);
  }

  /** Those that are captured. */
  captured(description: TableMap | TableSchema): TableColumn[] {
    const captured = capturedColumns(description, this.#filter);
    return (description.columns as readonly TableColumn[]).filter((_, i) => captured[i]);
  }
}

function completed(column: WireColumn, told: ColumnForm | undefined): WireColumn {
  if (told === undefined) return column;
  const { form } = column;
  const bytesOfTheirs = form.kind === 'bytes' && hiddenInMaps.has(told.kind);
  const oldTimes = form.kind === 'unsupported' && 'old' in told;
  const shortYear = form.kind === 'year' && told.kind === 'year';
  return bytesOfTheirs || oldTimes || shortYear ? { ...column, form: told } : column;
}

/** MariaDB's hash of a unique TEXT or BLOB, and the period of WITH SYSTEM VERSIONING where no column was declared for it. */
function isServersOwn(name: string, form: ColumnForm, schema: TableSchema): boolean {
  if (/^DB_ROW_HASH_\d+$/.test(name)) return form.kind === 'integer' && form.bytes === 8;
  return schema.rowEnd === 'row_end' && (name === 'row_start' || name === 'row_end');
}
