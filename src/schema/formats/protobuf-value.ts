// A value in memory as a field of a Protobuf message, under the schema that protobuf-schema.ts makes from its type. A list is its items, each
// with the field's tag, or packed where they are plain numbers; it holds no NULL, and one that is empty is not there at all.
import type { DataType, Value } from '../../core/data-type.js';
import type { ByteWriter } from '../../core/bytes.js';
import { AppError, assert } from '../../core/errors.js';
import { toWire } from './micros.js';
import type { MessageShape } from './protobuf-shape.js';
import {
  closeMessage,
  openMessage,
  tagOf,
  wire,
  writeDate,
  writeDecimal,
  writeDelimited,
  writeTimeOfDay,
  writeTimestamp,
  writeVarint,
  writeWide,
} from './protobuf-write.js';
import { zonedText } from './zoned-text.js';

/** What a scalar or a message of this type is on the wire. */
function wireTypeOf(type: DataType): number {
  switch (type.kind) {
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
      return wire.varint;
    case 'DOUBLE':
      return wire.fixed64;
    default:
      return wire.bytes;
  }
}

/** The wire type of what follows the tag, which of packed numbers is that of bytes. */
export function fieldTag(number: number, type: DataType): number {
  return tagOf(number, wireTypeOf(type));
}

/** Tag and value. `column` is for messages. */
export function writeField(
  out: ByteWriter,
  number: number,
  type: DataType,
  shape: MessageShape | undefined,
  value: Exclude<Value, null>,
  column: string,
): void {
  switch (type.kind) {
    case 'ARRAY':
      return writeList(out, number, type.element, shape, value as readonly Value[], column);
    case 'MAP':
      for (const [key, element] of value as ReadonlyMap<string, Value>) {
        writeVarint(out, tagOf(number, wire.bytes));
        const start = openMessage(out);
        out.u8(tagOf(1, wire.bytes));
        out.string(key);
        writeField(out, 2, type.value, shape, element ?? refuseNullItem(column, 'MAP'), column);
        closeMessage(out, start);
      }
      return;
    default:
      writeVarint(out, fieldTag(number, type));
      writePlain(out, type, shape, value, column);
  }
}

function writeList(
  out: ByteWriter,
  number: number,
  element: DataType,
  shape: MessageShape | undefined,
  items: readonly Value[],
  column: string,
): void {
  if (items.length === 0) return;
  const packed = wireTypeOf(element) !== wire.bytes;
  if (!packed) {
    for (const item of items) writeField(out, number, element, shape, item ?? refuseNullItem(column, 'ARRAY'), column);
    return;
  }
  writeVarint(out, tagOf(number, wire.bytes));
  const start = openMessage(out);
  for (const item of items) writePlain(out, element, shape, item ?? refuseNullItem(column, 'ARRAY'), column);
  closeMessage(out, start);
}

/** The value alone. */
function writePlain(
  out: ByteWriter,
  type: DataType,
  shape: MessageShape | undefined,
  value: Exclude<Value, null>,
  column: string,
): void {
  switch (type.kind) {
    case 'BOOLEAN':
      out.u8(value === true ? 1 : 0);
      return;
    case 'INTEGER':
      return writeVarint(out, value as number);
    case 'BIGINT':
      return writeWide(out, value as number | bigint);
    case 'DOUBLE':
      return out.double(value as number);
    case 'DATE':
      return writeDate(out, value as number);
    case 'TIME':
      return writeTimeOfDay(out, type.digits === 6 ? (value as number) : Math.floor((value as number) / 1000) * 1000);
    case 'TIMESTAMP':
      if (type.zoned !== undefined) return out.string(zonedText(value as number | bigint, type.zoned));
      return writeTimestamp(out, floored(value as number | bigint, type.digits));
    case 'DECIMAL':
      return writeDecimal(out, value as number | bigint, type.scale);
    case 'STRING':
      return out.string(value as string);
    case 'BYTES':
      return writeDelimited(out, value as Buffer, 0, (value as Buffer).length);
    case 'STRUCT': {
      assert(shape, 'a STRUCT has a shape');
      const start = openMessage(out);
      type.fields.forEach((field, i) => {
        const member = (value as readonly Value[])[i] ?? null;
        if (member !== null)
          writeField(out, shape.numbers[i]!, field.type, shape.nested[i], member, `${column}.${field.name}`);
      });
      closeMessage(out, start);
      return;
    }
    case 'ARRAY':
    case 'MAP':
      throw new AppError(
        'unconvertible-value',
        `column ${column} has a list in a list, for which PROTOBUF has no form`,
        {
          hint: 'put a STRUCT between them, or choose AVRO or JSON',
        },
      );
  }
}

/** In µs, of a column with three digits at a whole millisecond. */
export function floored(micros: number | bigint, digits: 3 | 6): number | bigint {
  if (digits === 6) return micros;
  const millis = toWire(micros, 3);
  const back = typeof millis === 'number' ? millis * 1000 : Number.NaN;
  return Number.isSafeInteger(back) ? back : BigInt(millis) * 1000n;
}

/** A value that is left out of a field that knows nothing of NULL: the default. */
export function isDefault(type: DataType, value: Exclude<Value, null>): boolean {
  switch (type.kind) {
    case 'BOOLEAN':
      return value === false;
    case 'INTEGER':
    case 'BIGINT':
    case 'DOUBLE':
      return Object.is(value, 0);
    case 'STRING':
      return value === '';
    case 'BYTES':
      return (value as Buffer).length === 0;
    default:
      return false;
  }
}

function refuseNullItem(column: string, what: string): never {
  throw new AppError(
    'unconvertible-value',
    `column ${column} has a NULL in its ${what}, for which PROTOBUF has no form`,
    {
      hint: 'leave it out, or choose AVRO or JSON',
    },
  );
}
