// Values of a row image (binlog) to the writer, one function per column, made once per table map: the hottest code of capture.
// Nothing is made on the way but for values beyond 2^53 and the errors.
import { epochDays, isDay } from '../../core/calendar.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import { textWriter } from './charset.js';
import { unsupportedType, type ColumnForm, type TableColumn } from './column-form.js';
import { packedDecimal } from './decimal.js';
import { shortestFloat } from './float.js';
import { writeBinaryJson } from './json-binary.js';
import { reserve, scratch, writeDigits } from './scratch.js';
import { writeTimestamp } from './temporal.js';
import { unconvertible } from './unconvertible.js';
import type { BinaryReader, WireSize } from './wire-type.js';

export interface WireColumn extends TableColumn {
  readonly size: WireSize;
  /** Labels of ENUM and SET as UTF-8. */
  readonly labels: readonly Buffer[];
}

/** `where`: database.table.column, for errors. */
export function binaryReader(column: WireColumn, where: string): BinaryReader {
  const { form } = column;
  switch (form.kind) {
    case 'integer':
      return integerReader(form.bytes, form.unsigned);
    case 'decimal':
      return packedDecimal(form.precision, form.scale);
    case 'float':
      return (event, at, to) => {
        to.double(shortestFloat(event.readFloatLE(at)));
        return at + 4;
      };
    case 'double':
      return (event, at, to) => {
        to.double(event.readDoubleLE(at));
        return at + 8;
      };
    case 'text':
      return textReader(form, -column.size);
    case 'bytes':
      return form.padTo > 0 ? paddedReader(form.padTo, -column.size) : bytesReader(-column.size);
    case 'enum':
      return enumReader(column, where);
    case 'set':
      return setReader(column, where);
    case 'bit':
      return bitReader(form.bits, column.size);
    case 'date':
      return dateReader(where);
    case 'time':
      return timeReader(form.digits, where);
    case 'datetime':
      return datetimeReader(form.digits, where);
    case 'timestamp':
      return timestampReader(form.digits, where);
    case 'year':
      return (event, at, to) => {
        const byte = event[at]!;
        to.integer(byte === 0 ? 0 : 1900 + byte);
        return at + 1;
      };
    case 'json':
      return (event, at, to) => {
        const length = event.readUInt32LE(at);
        writeBinaryJson(event, at + 4, at + 4 + length, to, where);
        return at + 4 + length;
      };
    case 'unsupported':
      throw unsupportedType(column, where);
  }
}

function integerReader(bytes: 1 | 2 | 3 | 4 | 8, unsigned: boolean): BinaryReader {
  switch (bytes) {
    case 1:
      return unsigned
        ? (event, at, to) => (to.integer(event[at]!), at + 1)
        : (event, at, to) => (to.integer((event[at]! << 24) >> 24), at + 1);
    case 2:
      return unsigned
        ? (event, at, to) => (to.integer(event[at]! | (event[at + 1]! << 8)), at + 2)
        : (event, at, to) => (to.integer(((event[at]! << 16) | (event[at + 1]! << 24)) >> 16), at + 2);
    case 3:
      return unsigned
        ? (event, at, to) => (to.integer(event[at]! | (event[at + 1]! << 8) | (event[at + 2]! << 16)), at + 3)
        : (event, at, to) => {
            to.integer(((event[at]! << 8) | (event[at + 1]! << 16) | (event[at + 2]! << 24)) >> 8);
            return at + 3;
          };
    case 4:
      return unsigned
        ? (event, at, to) => (to.integer(low32(event, at)), at + 4)
        : (event, at, to) => (to.integer(low32(event, at) | 0), at + 4);
    case 8:
      return unsigned
        ? (event, at, to) => {
            unsignedDecimal(low32(event, at + 4), low32(event, at), to);
            return at + 8;
          }
        : (event, at, to) => (to.int64(low32(event, at + 4) | 0, low32(event, at)), at + 8);
  }
}

function low32(event: Buffer, at: number): number {
  return (event[at]! | (event[at + 1]! << 8) | (event[at + 2]! << 16) | (event[at + 3]! << 24)) >>> 0;
}

function unsignedDecimal(high: number, low: number, to: ValueWriter): void {
  if (high < 0x200000) {
    const end = writeDigits(reserve(32), 0, high * 4_294_967_296 + low);
    to.decimal(scratch.buffer, 0, end);
  } else {
    const text = ((BigInt(high) << 32n) | BigInt(low)).toString();
    to.decimal(scratch.buffer, 0, reserve(32).write(text, 0, 'latin1'));
  }
}

/** The length before a value, little-endian in 1 to 4 bytes. */
export function lengthBefore(event: Buffer, at: number, prefix: number): number {
  switch (prefix) {
    case 1:
      return event[at]!;
    case 2:
      return event[at]! | (event[at + 1]! << 8);
    case 3:
      return event[at]! | (event[at + 1]! << 8) | (event[at + 2]! << 16);
    default:
      return low32(event, at);
  }
}

function textReader(form: ColumnForm & { kind: 'text' }, prefix: number): BinaryReader {
  const write = textWriter(form.charset);
  return (event, at, to) => {
    const start = at + prefix;
    const end = start + lengthBefore(event, at, prefix);
    write(event, start, end, to);
    return end;
  };
}

function bytesReader(prefix: number): BinaryReader {
  return (event, at, to) => {
    const start = at + prefix;
    const end = start + lengthBefore(event, at, prefix);
    to.bytes(event, start, end);
    return end;
  };
}

/** BINARY(n) is stored without its trailing zeros; SELECT gives them back, and so do we. */
function paddedReader(width: number, prefix: number): BinaryReader {
  return (event, at, to) => {
    const start = at + prefix;
    const length = lengthBefore(event, at, prefix);
    if (length === width) {
      to.bytes(event, start, start + length);
    } else {
      const target = reserve(width);
      event.copy(target, 0, start, start + length);
      target.fill(0, length, width);
      to.bytes(target, 0, width);
    }
    return start + length;
  };
}

function enumReader(column: WireColumn, where: string): BinaryReader {
  const { size, labels } = column;
  return (event, at, to) => {
    const index = lengthBefore(event, at, size);
    // Index 0 is the empty string that a failed conversion leaves behind.
    if (index === 0) {
      to.utf8(event, at, at);
    } else {
      const label = labels[index - 1];
      if (!label) throw unconvertible(where, `the table map has no label ${index}`, event, at, at + size);
      to.utf8(label, 0, label.length);
    }
    return at + size;
  };
}

function setReader(column: WireColumn, where: string): BinaryReader {
  const { size, labels } = column;
  const room = labels.reduce((sum, label) => sum + label.length + 1, 1);
  return (event, at, to) => {
    const target = reserve(room);
    let out = 0;
    for (let bit = 0; bit < size * 8; bit++) {
      if ((event[at + (bit >> 3)]! & (1 << (bit & 7))) === 0) continue;
      const label = labels[bit];
      if (!label) throw unconvertible(where, `the table map has no label ${bit + 1}`, event, at, at + size);
      if (out > 0) target[out++] = 0x2c;
      out += label.copy(target, out);
    }
    to.utf8(target, 0, out);
    return at + size;
  };
}

function bitReader(bits: number, size: number): BinaryReader {
  if (bits === 1) return (event, at, to) => (to.boolean((event[at]! & 1) === 1), at + 1);
  return (event, at, to) => (to.bytes(event, at, at + size), at + size);
}

function dateReader(where: string): BinaryReader {
  return (event, at, to) => {
    const packed = lengthBefore(event, at, 3);
    const year = packed >> 9;
    const month = (packed >> 5) & 15;
    const day = packed & 31;
    if (!isDay(year, month, day)) throw unconvertible(where, 'it is not a day of the calendar', event, at, at + 3);
    to.integer(epochDays(year, month, day));
    return at + 3;
  };
}

/** A fraction in 0 to 3 bytes, big-endian, as µs: an odd number of digits is stored with one zero more. */
function fraction(event: Buffer, at: number, bytes: number): number {
  switch (bytes) {
    case 0:
      return 0;
    case 1:
      return event[at]! * 10_000;
    case 2:
      return ((event[at]! << 8) | event[at + 1]!) * 100;
    default:
      return (event[at]! << 16) | (event[at + 1]! << 8) | event[at + 2]!;
  }
}

function timeReader(digits: number, where: string): BinaryReader {
  const bytes = (digits + 1) >> 1;
  return (event, at, to) => {
    const packed = ((event[at]! << 16) | (event[at + 1]! << 8) | event[at + 2]!) - 0x800000;
    const hours = packed >> 12;
    if (packed < 0 || hours > 23) {
      throw unconvertible(
        where,
        'TIME is a time of day here, and this lies outside of 0 to 24 hours',
        event,
        at,
        at + 3 + bytes,
      );
    }
    const seconds = hours * 3600 + ((packed >> 6) & 63) * 60 + (packed & 63);
    to.micros(seconds * 1_000_000 + fraction(event, at + 3, bytes));
    return at + 3 + bytes;
  };
}

function datetimeReader(digits: number, where: string): BinaryReader {
  const bytes = (digits + 1) >> 1;
  return (event, at, to) => {
    // 1 bit sign (always set), 17 bits year * 13 + month, then 5 day, 5 hour, 6 minute, 6 second.
    const upper = ((event[at]! & 0x7f) << 16) | (event[at + 1]! << 8) | event[at + 2]!;
    const lower = (event[at + 3]! << 8) | event[at + 4]!;
    const yearMonth = upper >> 6;
    const year = Math.trunc(yearMonth / 13);
    const month = yearMonth - year * 13;
    const day = (upper >> 1) & 31;
    if (!isDay(year, month, day))
      throw unconvertible(where, 'it is not a day of the calendar', event, at, at + 5 + bytes);
    const hour = ((upper & 1) << 4) | (lower >> 12);
    const seconds = epochDays(year, month, day) * 86_400 + hour * 3600 + ((lower >> 6) & 63) * 60 + (lower & 63);
    writeTimestamp(seconds, fraction(event, at + 5, bytes), to);
    return at + 5 + bytes;
  };
}

function timestampReader(digits: number, where: string): BinaryReader {
  const bytes = (digits + 1) >> 1;
  return (event, at, to) => {
    // Unsigned: MariaDB 11.5 and later reach the year 2106.
    const seconds = event.readUInt32BE(at);
    const micros = fraction(event, at + 4, bytes);
    if (seconds === 0 && micros === 0) {
      throw unconvertible(where, 'it is not a day of the calendar', event, at, at + 4 + bytes);
    }
    writeTimestamp(seconds, micros, to);
    return at + 4 + bytes;
  };
}

/** Steps over one value that is not null. */
export function skipValue(event: Buffer, at: number, size: WireSize): number {
  return size >= 0 ? at + size : at - size + lengthBefore(event, at, -size);
}
