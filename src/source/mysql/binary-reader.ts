// Values of a row image (binlog) to the writer, one function per column, made once per table map: the hottest code of capture.
// Nothing is made on the way but for values beyond 2^53 and the errors.
import type { ValueWriter } from '../../core/row-encoder.js';
import { toUtf8, textWriter } from './charset.js';
import type { CharsetTables } from './charset-tables.js';
import { unsupportedType, type ColumnForm, type TableColumn } from './column-form.js';
import { packedDecimal } from './decimal.js';
import { shortestFloat } from './float.js';
import { geometryWriter, vectorOf } from './geometry.js';
import { writeBinaryJson } from './json-binary.js';
import { decompress, inet4Text, inet6Text, uuidText, wholeBytes } from './mariadb-values.js';
import { reserve, scratch, writeDigits } from './scratch.js';
import { temporalReader } from './temporal-reader.js';
import { unconvertible } from './unconvertible.js';
import type { BinaryReader, WireSize } from './wire-type.js';

export interface WireColumn extends TableColumn {
  readonly size: WireSize;
  /** Labels of ENUM and SET in the column's character set. */
  readonly labels: readonly Buffer[];
}

/** What a reader has to know beside its column. */
export interface ReadingPlace {
  /** database.table.column, for errors. */
  readonly where: string;
  readonly isKey: boolean;
  readonly charsets: CharsetTables;
}

export function binaryReader(column: WireColumn, place: ReadingPlace): BinaryReader {
  const { form } = column;
  const { where } = place;
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
      return textReader(form, -column.size, place);
    case 'bytes':
      if (form.compressed) return compressedBytes(-column.size, where);
      return form.padTo > 0 ? paddedReader(form.padTo, -column.size) : bytesReader(-column.size);
    case 'enum':
      return enumReader(column, labelsOf(column, place), where);
    case 'set':
      return setReader(column, labelsOf(column, place), where);
    case 'bit':
      return bitReader(form.bits, column.size);
    case 'date':
    case 'time':
    case 'datetime':
    case 'timestamp':
      return temporalReader(form, place);
    case 'year': {
      const { short } = form;
      return (event, at, to) => {
        const byte = event[at]!;
        to.integer(short ? byte % 100 : byte === 0 ? 0 : 1900 + byte);
        return at + 1;
      };
    }
    case 'uuid':
      return fixedText(-column.size, 16, uuidText);
    case 'inet6':
      return fixedText(-column.size, 16, inet6Text);
    case 'inet4':
      return fixedText(-column.size, 4, inet4Text);
    case 'geometry':
      return blob(-column.size, geometryWriter(form.as, where));
    case 'vector':
      return blob(-column.size, (event, start, end, to) => to.value(vectorOf(event, start, end, shortestFloat)));
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

/** A value behind its length. */
function blob(
  prefix: number,
  write: (source: Buffer, start: number, end: number, to: ValueWriter) => void,
): BinaryReader {
  return (event, at, to) => {
    const start = at + prefix;
    const end = start + lengthBefore(event, at, prefix);
    write(event, start, end, to);
    return end;
  };
}

function fixedText(prefix: number, width: number, print: (bytes: Buffer) => string): BinaryReader {
  return blob(prefix, (event, start, end, to) => to.string(print(wholeBytes(event, start, end, width))));
}

function compressedBytes(prefix: number, where: string): BinaryReader {
  return blob(prefix, (event, start, end, to) => {
    const content = decompress(event, start, end, where);
    to.bytes(content, 0, content.length);
  });
}

function textReader(form: ColumnForm & { kind: 'text' }, prefix: number, place: ReadingPlace): BinaryReader {
  const write = textWriter(form.charset, place.charsets.get(form.charset), place);
  if (form.compressed) {
    return blob(prefix, (event, start, end, to) => {
      const content = decompress(event, start, end, place.where);
      write(content, 0, content.length, to);
    });
  }
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

function labelsOf({ form, labels }: WireColumn, { where, charsets }: ReadingPlace): Buffer[] {
  const charset = 'charset' in form ? form.charset : 'utf8mb4';
  return labels.map((label) => toUtf8(label, charset, charsets.get(charset), where));
}

function enumReader({ size }: WireColumn, labels: readonly Buffer[], where: string): BinaryReader {
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

function setReader({ size }: WireColumn, labels: readonly Buffer[], where: string): BinaryReader {
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

/** Steps over one value that is not null. */
export function skipValue(event: Buffer, at: number, size: WireSize): number {
  return size >= 0 ? at + size : at - size + lengthBefore(event, at, -size);
}
