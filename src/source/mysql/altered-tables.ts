// Tables whose columns a statement has changed, and whose rows are the same but for that, if it is as the statement says: they are not read
// again once the columns behind the statement prove it, by the table map of their next row or by what the server says. Until then they are
// part of the position, so that the claim and the place of the stream at which it was made become durable as one.
import { carriesOver } from '../../core/schema-change.js';
import type { DataType, RowSchema } from '../../core/data-type.js';
import type { ColumnChanges } from './column-clauses.js';
import type { ColumnForm, TableColumn } from './column-form.js';
import type { RecordSchema } from '../source-connector.js';

export interface AlteredTable extends ColumnChanges {
  /** Folded. */
  readonly table: string;
  /** For people. */
  readonly cause: string;
  /** The modified columns as the stream had them before. */
  readonly before: readonly TableColumn[];
  /** It was proved, and the table has its columns: what is left is to tell the topic of it. */
  readonly carried?: string | undefined;
}

/** A table behind the statement: what is captured of it. */
export interface ColumnsNow {
  /** Of its records. */
  readonly records: RecordSchema;
  /** The same, were the modified columns as they were before; undefined where none is, or there are no such records. */
  readonly recordsBefore?: RecordSchema | undefined;
  readonly columns: readonly TableColumn[];
  /** Undefined: not known. */
  readonly generated: boolean | undefined;
}

export class AlteredTables {
  readonly #tables: Map<string, AlteredTable>;
  /** Called when there is another text of them. */
  changed: () => void = () => {};

  constructor(stored: readonly AlteredTable[]) {
    this.#tables = new Map(stored.map((each) => [each.table, each]));
  }

  get all(): readonly AlteredTable[] {
    return [...this.#tables.values()];
  }

  get(table: string): AlteredTable | undefined {
    return this.#tables.get(table);
  }

  set(altered: AlteredTable): void {
    this.#tables.set(altered.table, altered);
    this.changed();
  }

  clear(): void {
    this.#tables.clear();
  }

  delete(table: string): void {
    if (this.#tables.delete(table)) this.changed();
  }
}

/** What two statements come to behind each other; undefined: not what either of them says. */
export function together(first: AlteredTable | undefined, then: AlteredTable): AlteredTable | undefined {
  if (first === undefined || first.carried !== undefined) return then;
  // What a column was in between is not known.
  if (then.modified.length > 0) return undefined;
  return { ...then, ...first, added: [...first.added, ...then.added], dropped: [...first.dropped, ...then.dropped] };
}

/**
 * The records from before, each column carried over to that of its name and the others NULL, are the records of now: nothing has changed that
 * was not claimed, what came is new and was empty, and what was modified holds every value as it was. The configuration may make others of the
 * columns: it makes of each by itself, so what it has made of one that is not claimed is what it makes of it now.
 */
export function rowsAreCarried(altered: AlteredTable, before: RowSchema, now: ColumnsNow): boolean {
  const { records, columns, generated } = now;
  if (!sameKeys(before, records)) return false;
  // What is computed of a column may be another value by its type alone.
  if (altered.modified.length > 0 && generated !== false) return false;
  const claims = { added: folded(altered.added), dropped: folded(altered.dropped), modified: folded(altered.modified) };
  const typesBefore = new Map(before.columns.map(({ name, type }) => [name, type]));
  for (const [i, { name, type }] of records.columns.entries()) {
    const from = typesBefore.get(name);
    typesBefore.delete(name);
    const origin = records.origins[i];
    const column = origin && columns[origin.column]!;
    const claim = column?.name.toLowerCase();
    if (claim !== undefined && claims.dropped.has(claim)) return false;
    if (from === undefined) {
      // What a mask puts in the place of NULL is in no row that is there.
      if (!claim || !claims.added.has(claim) || !column!.nullable || !origin!.keepsNull) return false;
    } else if (claim !== undefined && claims.added.has(claim)) return false;
    else if (claim === undefined || !claims.modified.has(claim)) {
      if (typeText(from) !== typeText(type)) return false;
    } else {
      const was = altered.before.find((each) => each.name.toLowerCase() === claim);
      const making = now.recordsBefore?.origins.find((each) => each?.column === origin!.column)?.making;
      if (making !== origin!.making || !was || !carriesOver(from, type) || !holdsAll(was, column!)) return false;
    }
  }
  const [was, is] = [folded(before.columns.map(({ name }) => name)), folded(columns.map(({ name }) => name))];
  const gone = folded(altered.dropped.flatMap((name) => records.nameOf(name) ?? []));
  const wasThere = (name: string): boolean => {
    const recorded = records.nameOf(name);
    // Of what is in no record nothing can be told, and nothing has to be.
    return recorded === undefined || was.has(recorded.toLowerCase());
  };
  // What came and went in between is neither here nor there.
  return (
    [...typesBefore.keys()].every((name) => gone.has(name.toLowerCase())) &&
    [...claims.added].every((name) => is.has(name) || claims.dropped.has(name)) &&
    altered.dropped.every((name) => wasThere(name) || claims.added.has(name.toLowerCase()))
  );
}

function folded(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function typeText(type: DataType): string {
  return JSON.stringify(type);
}

function sameKeys(a: RowSchema, b: RowSchema): boolean {
  const text = ({ columns, keyColumns }: RowSchema) => JSON.stringify(keyColumns.map((at) => columns[at]));
  return text(a) === text(b);
}

/** Every value of one column is the same value in the other, whatever the mode in which the server converts. */
export function holdsAll(from: TableColumn, to: TableColumn): boolean {
  return (!from.nullable || to.nullable) && holdsForm(from.form, to.form);
}

const longBytes: ReadonlyMap<string, number> = new Map(
  ['tiny', '', 'medium', 'long'].flatMap((size, i) => [
    [`${size}text`, i],
    [`${size}blob`, i],
  ]),
);

function holdsForm(from: ColumnForm, to: ColumnForm): boolean {
  if (from.kind === 'integer' && to.kind === 'integer')
    return from.unsigned === to.unsigned ? from.bytes <= to.bytes : from.unsigned && from.bytes < to.bytes;
  if (from.kind === 'decimal' && to.kind === 'decimal')
    return from.scale === to.scale && from.precision <= to.precision;
  if (from.kind === 'text' && to.kind === 'text') {
    const wider = from.charset === to.charset || (from.charset === 'utf8mb3' && to.charset === 'utf8mb4');
    return wider && from.compressed === to.compressed && holdsLength(from.name, to.name);
  }
  if (from.kind === 'bytes' && to.kind === 'bytes' && from.padTo === 0 && to.padTo === 0)
    return from.compressed === to.compressed && holdsLength(from.name, to.name);
  // Labels and their order are in neither form.
  if (from.kind === 'enum' || from.kind === 'set') return false;
  return JSON.stringify(from) === JSON.stringify(to);
}

function holdsLength(from: string, to: string): boolean {
  if (from === to) return true;
  const [a, b] = [/^(varchar|varbinary)\((\d+)\)$/.exec(from), /^(varchar|varbinary)\((\d+)\)$/.exec(to)];
  if (a && b) return a[1] === b[1] && Number(a[2]) <= Number(b[2]);
  const [x, y] = [longBytes.get(from), longBytes.get(to)];
  return x !== undefined && y !== undefined && x <= y;
}

/** As a part of the text of a position; nothing where there are none. */
export function printAltered(altered: readonly AlteredTable[]): string {
  return altered.length === 0 ? '' : `,"altered":${JSON.stringify(altered)}`;
}

/** Undefined: it is not what `printAltered` prints. */
export function parseAltered(json: unknown): readonly AlteredTable[] | undefined {
  if (json === undefined) return [];
  return Array.isArray(json) && json.every(isAltered) ? json : undefined;
}

function isAltered(json: unknown): json is AlteredTable {
  const { table, cause, added, dropped, modified, before, carried } = fieldsOf(json);
  const areNames = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');
  return (
    typeof table === 'string' &&
    typeof cause === 'string' &&
    areNames(added) &&
    areNames(dropped) &&
    areNames(modified) &&
    Array.isArray(before) &&
    before.every(isColumn) &&
    (carried === undefined || typeof carried === 'string')
  );
}

function isColumn(json: unknown): boolean {
  const { name, nullable, form } = fieldsOf(json);
  return typeof name === 'string' && typeof nullable === 'boolean' && typeof fieldsOf(form)['kind'] === 'string';
}

function fieldsOf(json: unknown): Record<string, unknown> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}
