// The statement that asks which of some keys a table has: by equality of the server's own, with literals of the values that we hold.
import type { Row, Value } from '../../core/data-type.js';
import { decimalText } from '../../core/decimal.js';
import { dateText, timestampText, timeText } from '../../core/time-text.js';
import { isComparable, type ColumnForm, type TableColumn } from './column-form.js';
import type { TableSchema } from './table-schema.js';
import { quoteName, selectExpression } from './text-reader.js';

export interface KeyLookup {
  /** Of the key, in key order: what the statement gives. */
  readonly columns: readonly TableColumn[];
  /** `keys`: values in key order. */
  sql(keys: readonly Row[]): string;
}

/** Undefined: values of a key column cannot be compared exactly here, such as those of a FLOAT. */
export function keyLookup({ database, table, columns, keyColumns }: TableSchema): KeyLookup | undefined {
  const own = keyColumns.map((i) => columns[i]!);
  if (!own.every(({ form }) => isComparable(form))) return undefined;
  const names = own.map(({ name }) => quoteName(name));
  const select = `SELECT ${own.map(selectExpression).join(', ')} FROM ${quoteName(database)}.${quoteName(table)} FORCE INDEX (PRIMARY)`;
  return {
    columns: own,
    sql(keys) {
      const literals = keys.map((key) => key.map((value, k) => literal(own[k]!.form, value)));
      if (names.length === 1) return `${select} WHERE ${names[0]!} IN (${literals.map(([one]) => one!).join(', ')})`;
      const equal = literals.map((key) => `(${key.map((text, k) => `${names[k]!} = ${text}`).join(' AND ')})`);
      return `${select} WHERE ${equal.join(' OR ')}`;
    },
  };
}

function literal(form: ColumnForm, value: Value): string {
  switch (form.kind) {
    case 'integer':
    case 'year':
      return String(value as number | bigint);
    case 'decimal':
      return decimalText(value as number | bigint, form.scale);
    case 'bit':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return `0x${bytesOf(value).toString('hex')}`;
    case 'bytes':
      return `X'${bytesOf(value).toString('hex')}'`;
    case 'date':
      return `'${temporal(value, () => dateText(value as number))}'`;
    case 'time':
      return `'${temporal(value, () => timeText(value as number))}'`;
    case 'datetime':
    case 'timestamp':
      return `'${temporal(value, () => timestampText(value as number | bigint).replace('T', ' '))}'`;
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return `'${(value as string).replaceAll(/[^0-9a-f:.-]/gi, '')}'`;
    default:
      return `_utf8mb4 X'${Buffer.from(value as string).toString('hex')}'`;
  }
}

/** What no calendar has is held as the text that the source gave. */
function temporal(value: Value, print: () => string): string {
  return typeof value === 'string' ? value.replaceAll(/[^-0-9:. ]/g, '') : print();
}

/** From another thread a Buffer comes as the array that it is. */
function bytesOf(value: Value): Buffer {
  const bytes = value as unknown as Uint8Array;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
