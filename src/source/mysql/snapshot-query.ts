// The statement that reads the next chunk of a table in key order, and the literals of a key for the statement after it. Order
// and comparison are the server's own, so composite, unsigned, binary and case-insensitive keys need no knowledge here.
import { AppError, assert } from '../../core/errors.js';
import type { ColumnForm, TableColumn } from './column-form.js';
import { quoteName, selectExpression } from './text-reader.js';
import type { TableSchema } from './table-schema.js';
import type { TableFilter } from './filters.js';

/** Of ENUM; beyond that the index is read from its beginning, as it is for SET. */
const listedMax = 1000;

export class ChunkQuery {
  readonly columns: readonly TableColumn[];
  /** Places of the key columns in the result, in key order; behind the columns for ENUM and SET, as numbers. */
  readonly keyPlaces: readonly number[];
  readonly #keyForms: readonly ColumnForm[];
  /** What key columns are compared as: ENUM and SET are ordered by number, and compared with numbers of ENUM by them. */
  readonly #keyExpressions: readonly string[];
  /** Largest number of a value of ENUM; undefined for other columns. */
  readonly #keyMax: readonly (number | undefined)[];
  readonly #select: string;
  readonly #order: string;

  readonly #where: string | undefined;

  /** `where`: what rows have to meet, as it was written. */
  constructor(schema: TableSchema, filter: TableFilter, where?: string) {
    this.#where = where;
    const { database, table } = schema;
    this.columns = schema.columns.filter((column) => filter.capturesColumn(database, table, column.name));
    const keys = (schema.primaryKey ?? schema.keyColumns).map((i) => schema.columns[i]!);
    this.#keyForms = keys.map((key) => key.form);
    this.#keyExpressions = keys.map((key) => quoteName(key.name) + (key.form.kind === 'set' ? '+0' : ''));
    this.#keyMax = keys.map((key) =>
      key.form.kind === 'enum' ? (schema.labels.get(key.name)?.length ?? Number.POSITIVE_INFINITY) : undefined,
    );
    const extra: string[] = [];
    this.keyPlaces = keys.map((key) =>
      isLabelled(key.form)
        ? this.columns.length + extra.push(`${quoteName(key.name)}+0`) - 1
        : this.columns.indexOf(key),
    );
    const expressions = [...this.columns.map(selectExpression), ...extra];
    // Of some rows another index may know where they are.
    const index = where === undefined ? ' FORCE INDEX (PRIMARY)' : '';
    this.#select = `SELECT ${expressions.join(', ')} FROM ${quoteName(database)}.${quoteName(table)}${index}`;
    this.#order = ` ORDER BY ${keys.map((key) => quoteName(key.name)).join(', ')}`;
  }

  /** At most `limit` rows behind `after` (null: from the first). */
  sql(after: readonly string[] | null, limit: number): string {
    const conditions = [this.#where, after ? this.#behind(after) : undefined].filter((each) => each !== undefined);
    const where = conditions.length > 1 ? conditions.map((each) => `(${each})`) : conditions;
    return `${this.#select}${where.length > 0 ? ` WHERE ${where.join(' AND ')}` : ''}${this.#order} LIMIT ${limit}`;
  }

  /** The rows of these keys that there are. */
  sqlOf(keys: readonly (readonly string[])[]): string {
    const equal = keys.map(
      (key) => `(${key.map((value, k) => `${this.#keyExpressions[k]!} = ${value}`).join(' AND ')})`,
    );
    return `${this.#select} WHERE ${equal.join(' OR ')}`;
  }

  /** `a > x OR (a = x AND b > y)`: in this form both servers make ranges of the index of it. */
  #behind(after: readonly string[]): string {
    assert(after.length === this.#keyExpressions.length, 'the cursor has one value per key column');
    const alternatives = after.flatMap((value, k) => {
      const larger = this.#larger(k, value);
      const equal = this.#keyExpressions.slice(0, k).map((expression, i) => `${expression} = ${after[i]!}`);
      return larger === undefined ? [] : [`(${[...equal, larger].join(' AND ')})`];
    });
    return alternatives.length === 0 ? '1 = 0' : alternatives.join(' OR ');
  }

  /** Labels compare as text, and their numbers by no index but one by one. Undefined: nothing is larger. */
  #larger(k: number, value: string): string | undefined {
    const name = this.#keyExpressions[k]!;
    const max = this.#keyMax[k];
    if (max === undefined) return `${name} > ${value}`;
    const from = Number(value) + 1;
    if (max - from >= listedMax) return `${name}+0 > ${value}`;
    if (from > max) return undefined;
    return `${name} IN (${Array.from({ length: max - from + 1 }, (_, i) => from + i).join(', ')})`;
  }

  /** The literal of key column k from its text in the result. */
  literal(k: number, bytes: Buffer): string {
    return literalOf(this.#keyForms[k]!, bytes);
  }
}

function isLabelled(form: ColumnForm): boolean {
  return form.kind === 'enum' || form.kind === 'set';
}

/** From the text of a value in a result; of ENUM and SET from that of its number. */
export function literalOf(form: ColumnForm, bytes: Buffer): string {
  switch (form.kind) {
    case 'integer':
    case 'decimal':
    case 'float':
    case 'double':
    case 'year':
    case 'enum':
    case 'set':
      return bytes.toString('latin1');
    case 'bit':
      return BigInt(`0x${bytes.toString('hex')}`).toString();
    case 'text':
      return `_${form.charset} X'${bytes.toString('hex').toUpperCase()}'`;
    case 'bytes':
      return `X'${bytes.toString('hex').toUpperCase()}'`;
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return `'${bytes.toString('latin1')}'`;
    case 'json':
    case 'geometry':
    case 'vector':
    case 'unsupported':
      throw new AppError('unsupported-type', `a key column of type ${form.kind} cannot be read in order`);
  }
}
