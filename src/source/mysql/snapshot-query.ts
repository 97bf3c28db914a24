// The statement that reads the next chunk of a table in key order, and the literals of a key for the statement after it. Order
// and comparison are the server's own, so composite, unsigned, binary and case-insensitive keys need no knowledge here.
import { AppError, assert } from '../../core/errors.js';
import type { ColumnForm, TableColumn } from './column-form.js';
import { quoteName, selectExpression } from './text-reader.js';
import type { TableSchema } from './table-schema.js';
import type { TableFilter } from './filters.js';

export class ChunkQuery {
  readonly columns: readonly TableColumn[];
  /** Places of the key columns in the result, in key order; behind the columns for ENUM and SET, as numbers. */
  readonly keyPlaces: readonly number[];
  readonly #keyForms: readonly ColumnForm[];
  /** What key columns are compared as: labels compare as text, but are ordered by number. */
  readonly #keyExpressions: readonly string[];
  readonly #select: string;
  readonly #order: string;

  constructor(schema: TableSchema, filter: TableFilter) {
    const { database, table } = schema;
    this.columns = schema.columns.filter((column) => filter.capturesColumn(database, table, column.name));
    const keys = schema.keyColumns.map((i) => schema.columns[i]!);
    this.#keyForms = keys.map((key) => key.form);
    this.#keyExpressions = keys.map((key) => quoteName(key.name) + (isLabelled(key.form) ? '+0' : ''));
    const extra: string[] = [];
    this.keyPlaces = keys.map((key, k) =>
      isLabelled(key.form) ? this.columns.length + extra.push(this.#keyExpressions[k]!) - 1 : this.columns.indexOf(key),
    );
    const expressions = [...this.columns.map(selectExpression), ...extra];
    this.#select = `SELECT ${expressions.join(', ')} FROM ${quoteName(database)}.${quoteName(table)} FORCE INDEX (PRIMARY)`;
    this.#order = ` ORDER BY ${keys.map((key) => quoteName(key.name)).join(', ')}`;
  }

  /** At most `limit` rows behind `after` (null: from the first). */
  sql(after: readonly string[] | null, limit: number): string {
    return `${this.#select}${after ? ` WHERE ${this.#behind(after)}` : ''}${this.#order} LIMIT ${limit}`;
  }

  /** `a > x OR (a = x AND b > y)`: in this form both servers make ranges of the index of it. */
  #behind(after: readonly string[]): string {
    assert(after.length === this.#keyExpressions.length, 'the cursor has one value per key column');
    const alternatives = after.map((value, k) => {
      const equal = this.#keyExpressions.slice(0, k).map((expression, i) => `${expression} = ${after[i]!}`);
      return `(${[...equal, `${this.#keyExpressions[k]!} > ${value}`].join(' AND ')})`;
    });
    return alternatives.join(' OR ');
  }

  /** The literal of key column k from its text in the result. */
  literal(k: number, bytes: Buffer): string {
    const form = this.#keyForms[k]!;
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
        return `'${bytes.toString('latin1')}'`;
      case 'json':
      case 'unsupported':
        throw new AppError('unsupported-type', `a key column of type ${form.kind} cannot be read in order`);
    }
  }
}

function isLabelled(form: ColumnForm): boolean {
  return form.kind === 'enum' || form.kind === 'set';
}
