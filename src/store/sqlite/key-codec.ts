// Keys of operator state as bytes whose order is the order of the values (core/compare.ts): column by column, null first, a key that
// is a prefix of another before it. So "all entries of a group" is one range of one b-tree.
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { compareText } from '../../core/compare.js';
import { integerValue, type Column, type DataType, type Row, type Value } from '../../core/data-type.js';
import { fromSortableText, toSortableText } from './sortable-decimal.js';

/** What stands before a value. Behind the last column of a prefix comes one of the first two, so `beyond` ends its range. */
const mark = { null: 0, value: 1, beyond: 2 } as const;
/** Ends texts, bytes, arrays and maps: below anything that can follow instead. */
const end = 0;
const signBit = 0x8000_0000;
const int64Offset = 2n ** 63n;

export class KeyCodec {
  readonly #types: readonly DataType[];
  readonly #writer = new ByteWriter(256);

  constructor(columns: readonly Column[]) {
    this.#types = columns.map(({ type }) => type);
  }

  /** A whole key or its first columns. A view, valid until the next call. */
  encode(key: Row): Buffer {
    const to = this.#writer;
    to.length = 0;
    for (let i = 0; i < key.length; i++) writeValue(to, this.#types[i]!, key[i]!);
    return to.written();
  }

  /** The end, exclusive, of the range of keys that start with these columns. */
  encodeEnd(prefix: Row): Buffer {
    this.encode(prefix);
    this.#writer.u8(mark.beyond);
    return this.#writer.written();
  }

  decode(encoded: Buffer): Row {
    const from = new ByteReader(encoded);
    return this.#types.map((type) => readValue(from, type));
  }
}

function writeValue(to: ByteWriter, type: DataType, value: Value): void {
  to.u8(value === null ? mark.null : mark.value);
  if (value === null) return;
  switch (type.kind) {
    case 'BOOLEAN':
      return to.u8(value === true ? 1 : 0);
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return writeInteger(to, value as number | bigint);
    case 'DECIMAL':
      if (type.precision <= 18) return writeInteger(to, value as number | bigint);
      return to.bytes(Buffer.from(toSortableText(value as number | bigint, type.precision), 'latin1'));
    case 'DOUBLE':
      return writeDouble(to, value as number);
    case 'STRING':
      return writeEscaped(to, Buffer.from(value as string, 'utf8'));
    case 'BYTES':
      return writeEscaped(to, value as Buffer);
    case 'ARRAY':
      for (const element of value as readonly Value[]) {
        to.u8(mark.value);
        writeValue(to, type.element, element);
      }
      return to.u8(end);
    case 'MAP':
      for (const [key, entry] of [...(value as ReadonlyMap<string, Value>)].toSorted(([a], [b]) => compareText(a, b))) {
        to.u8(mark.value);
        writeEscaped(to, Buffer.from(key, 'utf8'));
        writeValue(to, type.value, entry);
      }
      return to.u8(end);
    case 'STRUCT':
      type.fields.forEach((field, i) => writeValue(to, field.type, (value as readonly Value[])[i]!));
  }
}

/** Eight bytes, highest first, the sign turned round so that negative ones come first. */
function writeInteger(to: ByteWriter, value: number | bigint): void {
  to.reserve(8);
  if (typeof value === 'bigint') to.buffer.writeBigUInt64BE(value + int64Offset, to.length);
  else {
    const high = Math.floor(value / 4294967296);
    to.buffer.writeUInt32BE(high + signBit, to.length);
    to.buffer.writeUInt32BE(value - high * 4294967296, to.length + 4);
  }
  to.length += 8;
}

function readInteger(from: ByteReader): number | bigint {
  const high = from.buffer.readUInt32BE(from.at) - signBit;
  const low = from.buffer.readUInt32BE(from.at + 4);
  from.at += 8;
  const value = high * 4294967296 + low;
  return Number.isSafeInteger(value) ? value : integerValue((BigInt(high) << 32n) | BigInt(low));
}

/** IEEE order is byte order once the sign is turned round, and all of a negative number's bits. */
function writeDouble(to: ByteWriter, value: number): void {
  to.reserve(8);
  const at = to.length;
  // Minus zero and zero are one key; any NaN is the one that sorts last.
  to.buffer.writeDoubleBE(value === 0 ? 0 : Number.isNaN(value) ? Number.NaN : value, at);
  turnDouble(to.buffer, at, to.buffer[at]! >= 0x80);
  to.length += 8;
}

function readDouble(from: ByteReader): number {
  const bytes = Buffer.from(from.view(8));
  turnDouble(bytes, 0, bytes[0]! < 0x80);
  return bytes.readDoubleBE(0);
}

function turnDouble(buffer: Buffer, at: number, negative: boolean): void {
  if (!negative) buffer[at]! ^= 0x80;
  else for (let i = at; i < at + 8; i++) buffer[i]! ^= 0xff;
}

/** The bytes, a zero as 00 ff, then 00 00: so a text sorts before every longer one that begins with it. */
function writeEscaped(to: ByteWriter, bytes: Buffer): void {
  to.reserve(bytes.length * 2 + 2);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    to.buffer[to.length++] = byte;
    if (byte === 0) to.buffer[to.length++] = 0xff;
  }
  to.buffer[to.length++] = end;
  to.buffer[to.length++] = end;
}

function readEscaped(from: ByteReader): Buffer {
  const bytes: number[] = [];
  for (;;) {
    const byte = from.u8();
    if (byte === 0 && from.u8() === end) return Buffer.from(bytes);
    bytes.push(byte);
  }
}

function readValue(from: ByteReader, type: DataType): Value {
  if (from.u8() === mark.null) return null;
  switch (type.kind) {
    case 'BOOLEAN':
      return from.u8() === 1;
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return readInteger(from);
    case 'DECIMAL':
      if (type.precision <= 18) return readInteger(from);
      return integerValue(fromSortableText(from.view(type.precision + 1).toString('latin1')));
    case 'DOUBLE':
      return readDouble(from);
    case 'STRING':
      return readEscaped(from).toString('utf8');
    case 'BYTES':
      return readEscaped(from);
    case 'ARRAY': {
      const elements: Value[] = [];
      while (from.u8() !== end) elements.push(readValue(from, type.element));
      return elements;
    }
    case 'MAP': {
      const map = new Map<string, Value>();
      while (from.u8() !== end) {
        const key = readEscaped(from).toString('utf8');
        map.set(key, readValue(from, type.value));
      }
      return map;
    }
    case 'STRUCT':
      return type.fields.map((field) => readValue(from, field.type));
  }
}
