// The error of a value that does not fit its column: what the value looks like, as far as that is the reason, and what can be
// done about it.
import { printType, type DataType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import type { SourceColumn } from '../../core/row-encoder.js';
import type { SqlValue } from '../../sqlite/database.js';
import { fractionDigits } from './time-text.js';

interface Misfit {
  readonly table: string;
  readonly column: SourceColumn;
  readonly value: SqlValue;
  /** The row's key columns with their values. */
  readonly key: string;
}

export function misfit({ table, column, value, key }: Misfit): AppError {
  const place = `table ${table}, column ${column.name}`;
  if (value === null) {
    return new AppError('unconvertible-value', `${place}: NULL in the primary key`, {
      detail: `the row with ${key}`,
      hint: 'SQLite lets NULL into a primary key that is not NOT NULL; such a row has no key in the topic',
    });
  }
  const reason = reasonOf(column, value);
  const declared = column.sourceType || 'without a type';
  return new AppError('unconvertible-value', `${place}: ${reason.text} (declared ${declared})`, {
    detail: `the row with ${key} holds ${show(value)}`,
    hint: `${reason.repair}, or read the column as text: sqlite.text.columns=${table}\\.${column.name}`,
  });
}

function reasonOf({ type, sourceType }: SourceColumn, value: NonNullable<SqlValue>): { text: string; repair: string } {
  const name = printType(type);
  const given = storageClass(value);
  const form = textForm(type);
  if (form === null || given === 'BLOB')
    return { text: `a value of storage class ${given} does not fit ${name}`, repair: 'correct the row' };
  if (typeof value === 'bigint' && type.kind === 'TIMESTAMP') {
    return {
      text: `an INTEGER that is no time between the years 1 and 9999 does not fit ${name}`,
      repair: 'say what integers count (sqlite.timestamp.unit=milliseconds), correct the row',
    };
  }
  if (typeof value !== 'string') {
    return { text: `a value of storage class ${given} does not fit ${name}`, repair: `write ${form}` };
  }
  const digits = fractionDigits(value);
  if ((type.kind !== 'TIME' && type.kind !== 'TIMESTAMP') || digits === null || digits <= type.digits) {
    return {
      text: `a TEXT that is not ${form}, or no such day or time, does not fit ${name}`,
      repair: 'correct the row',
    };
  }
  return {
    text: `a TEXT with ${digits} digits behind the second does not fit ${name} with ${type.digits}`,
    repair: moreDigits(sourceType, type.digits),
  };
}

/** A declared precision is the application's word; one that is not declared is ours. */
function moreDigits(declared: string, digits: 3 | 6): string {
  const write = `write at most ${digits} digits`;
  if (digits === 6) return write;
  if (declared.includes('(')) return `${write}, declare the column with 6`;
  return `${write}, set sqlite.timestamp.digits=6`;
}

function textForm(type: DataType): string | null {
  if (type.kind === 'DATE') return 'YYYY-MM-DD';
  if (type.kind === 'TIME') return 'HH:MM[:SS[.digits]]';
  return type.kind === 'TIMESTAMP' ? 'YYYY-MM-DD[ HH:MM[:SS[.digits]][Z|+HH:MM]]' : null;
}

function storageClass(value: NonNullable<SqlValue>): string {
  if (typeof value === 'bigint') return 'INTEGER';
  if (typeof value === 'number') return 'REAL';
  return typeof value === 'string' ? 'TEXT' : 'BLOB';
}

export function show(value: SqlValue): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `X'${value.subarray(0, 40).toString('hex')}'${value.length > 40 ? '...' : ''}`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
