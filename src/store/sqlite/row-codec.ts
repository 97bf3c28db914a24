// Rows as compact bytes: for the change feed and for operator state. A bitmap of nulls, then the values that are there, each in the
// form of its type. A row can also be written as a difference from another one: most columns of an update stay as they were.
import type { ByteReader, ByteWriter } from '../../core/bytes.js';
import type { Column, DataType, Row, Value } from '../../core/data-type.js';

export class RowCodec {
  readonly #types: readonly DataType[];
  readonly #bitmapBytes: number;

  constructor(columns: readonly Column[]) {
    this.#types = columns.map(({ type }) => type);
    this.#bitmapBytes = (columns.length + 7) >> 3;
  }

  /** Values of a row. */
  get width(): number {
    return this.#types.length;
  }

  write(to: ByteWriter, row: Row): void {
    const types = this.#types;
    this.#writeBitmap(to, row, null);
    for (let i = 0; i < types.length; i++) {
      const value = row[i]!;
      if (value !== null) writeValue(to, types[i]!, value);
    }
  }

  read(from: ByteReader): Row {
    const types = this.#types;
    const { buffer, at } = from;
    from.at += this.#bitmapBytes;
    const row = Array.from<Value>({ length: types.length });
    for (let i = 0; i < types.length; i++) row[i] = hasBit(buffer, at, i) ? null : readValue(from, types[i]!);
    return row;
  }

  /** `row`, where the reader will have `base` at hand. */
  writeDifference(to: ByteWriter, row: Row, base: Row): void {
    const types = this.#types;
    const same = to.length;
    this.#writeBitmap(to, row, base);
    this.#writeBitmap(to, row, null);
    for (let i = 0; i < types.length; i++) {
      const value = row[i]!;
      if (value !== null && !hasBit(to.buffer, same, i)) writeValue(to, types[i]!, value);
    }
  }

  readDifference(from: ByteReader, base: Row): Row {
    const types = this.#types;
    const same = from.at;
    const nulls = same + this.#bitmapBytes;
    from.at = nulls + this.#bitmapBytes;
    const row = Array.from<Value>({ length: types.length });
    for (let i = 0; i < types.length; i++) {
      row[i] = hasBit(from.buffer, same, i)
        ? base[i]!
        : hasBit(from.buffer, nulls, i)
          ? null
          : readValue(from, types[i]!);
    }
    return row;
  }

  /** A bit per column: equal to `base`'s, or null where there is no base. */
  #writeBitmap(to: ByteWriter, row: Row, base: Row | null): void {
    const n = this.#types.length;
    for (let start = 0; start < n; start += 8) {
      let byte = 0;
      for (let i = start, bit = 1; i < n && i < start + 8; i++, bit <<= 1) {
        if (row[i] === (base === null ? null : base[i])) byte |= bit;
      }
      to.u8(byte);
    }
  }
}

function hasBit(buffer: Buffer, at: number, i: number): boolean {
  return (buffer[at + (i >> 3)]! & (1 << (i & 7))) !== 0;
}

function writeValue(to: ByteWriter, type: DataType, value: Value): void {
  switch (type.kind) {
    case 'BOOLEAN':
      return to.u8(value === true ? 1 : 0);
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'DECIMAL':
      return to.signed(value as number | bigint);
    case 'DOUBLE':
      return to.double(value as number);
    case 'STRING':
      return to.string(value as string);
    case 'BYTES':
      to.varint((value as Buffer).length);
      return to.bytes(value as Buffer);
    case 'ARRAY': {
      const elements = value as readonly Value[];
      to.varint(elements.length);
      for (const element of elements) writeNullable(to, type.element, element);
      return;
    }
    case 'MAP': {
      const map = value as ReadonlyMap<string, Value>;
      to.varint(map.size);
      for (const [key, entry] of map) {
        to.string(key);
        writeNullable(to, type.value, entry);
      }
      return;
    }
    case 'STRUCT':
      type.fields.forEach((field, i) => writeNullable(to, field.type, (value as readonly Value[])[i]!));
  }
}

function writeNullable(to: ByteWriter, type: DataType, value: Value): void {
  to.u8(value === null ? 0 : 1);
  if (value !== null) writeValue(to, type, value);
}

function readValue(from: ByteReader, type: DataType): Value {
  switch (type.kind) {
    case 'BOOLEAN':
      return from.u8() === 1;
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'DECIMAL':
      return from.signed();
    case 'DOUBLE':
      return from.double();
    case 'STRING':
      return from.string();
    case 'BYTES':
      // A copy: a view would keep the whole blob that it came in.
      return Buffer.from(from.view(from.varint()));
    case 'ARRAY':
      return Array.from({ length: from.varint() }, () => readNullable(from, type.element));
    case 'MAP': {
      const map = new Map<string, Value>();
      for (let n = from.varint(); n > 0; n--) {
        const key = from.string();
        map.set(key, readNullable(from, type.value));
      }
      return map;
    }
    case 'STRUCT':
      return type.fields.map((field) => readNullable(from, field.type));
  }
}

function readNullable(from: ByteReader, type: DataType): Value {
  return from.u8() === 0 ? null : readValue(from, type);
}
