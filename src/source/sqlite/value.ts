// One value of SQLite onto the writer, by the SQL type of its column. SQLite lets any storage class into any column; a value
// that does not fit is never bent: the writer answers false and the caller stops aloud (or the column is read as text).
// Integers arrive as bigint, so that integer and real stay apart and nothing beyond 2^53 is rounded.
//
// Rules: BOOLEAN 0 and 1. DATE text `YYYY-MM-DD`. TIME text `HH:MM[:SS[.f]]`. TIMESTAMP text `YYYY-MM-DD[ HH:MM[:SS[.f]]]` (T
// for the blank, Z or an offset behind it; UTC without), an integer counts `sqlite.timestamp.unit` since 1970. DECIMAL: an
// integer, a real in its shortest form, or text, with no more digits behind the point than the scale. STRING: integer and
// real as SQLite prints them.
import type { DataType } from '../../core/data-type.js';
import { unreachable } from '../../core/errors.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { SqlValue } from '../../sqlite/database.js';
import type { TimestampUnit } from './config.js';
import { decimalText, realText } from './number-text.js';
import { daysOf, microsOfText, microsOfTime, microsOfUnits } from './time-text.js';

/** Writes a value that is not null; false when it does not fit. */
export type WriteValue = (to: ValueWriter, value: NonNullable<SqlValue>) => boolean;

export function createWriter(type: DataType, unit: TimestampUnit): WriteValue {
  switch (type.kind) {
    case 'INTEGER':
    case 'BIGINT':
      return writeBigint;
    case 'BOOLEAN':
      return writeBoolean;
    case 'DOUBLE':
      return writeDouble;
    case 'DECIMAL':
      return decimalWriter(type.precision, type.scale);
    case 'STRING':
      return writeString;
    case 'BYTES':
      return writeBytes;
    case 'DATE':
      return writeDate;
    case 'TIME':
      return timeWriter(type.digits);
    case 'TIMESTAMP':
      return timestampWriter(type.digits, unit);
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return () => false;
    default:
      return unreachable(type);
  }
}

/** Columns that are read as text whatever they hold: a BLOB as `X'..'`, SQLite's own literal. */
export function writeAsText(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (Buffer.isBuffer(value)) to.string(`X'${value.toString('hex').toUpperCase()}'`);
  else return writeString(to, value);
  return true;
}

function writeBigint(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (typeof value === 'bigint') {
    if (value >= -9007199254740991n && value <= 9007199254740991n) to.integer(Number(value));
    else to.int64(Number(value >> 32n), Number(value & 0xffffffffn));
    return true;
  }
  // A whole real can stand where the column's affinity did not turn it into an integer.
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
  to.integer(value + 0);
  return true;
}

function writeBoolean(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (value !== 0n && value !== 1n) return false;
  to.boolean(value === 1n);
  return true;
}

function writeDouble(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (typeof value === 'number') to.double(value);
  else if (typeof value === 'bigint' && value >= -9007199254740991n && value <= 9007199254740991n)
    to.double(Number(value));
  else return false;
  return true;
}

function writeString(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (typeof value === 'string') to.string(value);
  else if (typeof value === 'bigint') to.string(value.toString());
  else if (typeof value === 'number') to.string(realText(value));
  else return false;
  return true;
}

function writeBytes(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  if (!Buffer.isBuffer(value)) return false;
  to.bytes(value, 0, value.length);
  return true;
}

function writeDate(to: ValueWriter, value: NonNullable<SqlValue>): boolean {
  const days = typeof value === 'string' ? daysOf(value) : null;
  if (days === null) return false;
  to.integer(days);
  return true;
}

function decimalWriter(precision: number, scale: number): WriteValue {
  // Sign, digits and point of the longest canonical text.
  const scratch = Buffer.alloc(precision + 3);
  return (to, value) => {
    const text = Buffer.isBuffer(value) ? null : decimalText(value, precision, scale);
    if (text === null) return false;
    to.decimal(scratch, 0, scratch.write(text, 'latin1'));
    return true;
  };
}

function timeWriter(digits: 3 | 6): WriteValue {
  return (to, value) => {
    const micros = typeof value === 'string' ? microsOfTime(value) : null;
    if (micros === null || (digits === 3 && micros % 1000 !== 0)) return false;
    to.micros(micros);
    return true;
  };
}

function timestampWriter(digits: 3 | 6, unit: TimestampUnit): WriteValue {
  return (to, value) => {
    let micros: bigint | number | null = null;
    if (typeof value === 'string') micros = microsOfText(value);
    else if (typeof value === 'bigint') micros = microsOfUnits(value, unit);
    if (micros === null) return false;
    if (typeof micros === 'number') {
      if (digits === 3 && micros % 1000 !== 0) return false;
      to.micros(micros);
    } else {
      if (digits === 3 && micros % 1000n !== 0n) return false;
      to.microsWide(Number(micros >> 32n), Number(micros & 0xffffffffn));
    }
    return true;
  };
}
