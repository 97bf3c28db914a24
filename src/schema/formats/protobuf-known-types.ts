// Messages that stand for one value: Google's timestamps, dates, times of day and wrappers, and Confluent's decimals.
import { integerValue, printType, type DataType, type Value } from '../../core/data-type.js';
import { epochDays, isDay } from '../../core/calendar.js';
import { fitsPrecision, rescaleExactly } from '../../core/decimal.js';
import type { MessageType } from '../protobuf/descriptors.js';
import { fromTwosComplement } from './decimal.js';
import type { ProtobufInput } from './protobuf-input.js';
import { scalarReader, wireTypeOfScalar, zeroOf, type ProtobufRead } from './protobuf-scalars.js';
import { tagOf, wire } from './protobuf-write.js';

const date = 'google.type.Date';
const timeOfDay = 'google.type.TimeOfDay';
const timestamp = 'google.protobuf.Timestamp';
const decimal = 'confluent.type.Decimal';
const wrapper = /^google\.protobuf\.\w+Value$/;

/** Only where it comes from the file that every schema may import. */
export function isWellKnown({ fullName, file, fields }: MessageType): boolean {
  if (file === undefined) return false;
  if ([date, timeOfDay, timestamp, decimal].includes(fullName)) return true;
  return file === 'google/protobuf/wrappers.proto' && wrapper.test(fullName) && fields.length === 1;
}

/** The message with its length; undefined: the type cannot hold it. */
export function readWellKnown(message: MessageType, type: DataType, column: string): ProtobufRead | undefined {
  const read = contentsOf(message, type, column);
  if (read === undefined) return undefined;
  return (input) => {
    const outer = input.enter();
    const value = read(input);
    input.leave(outer);
    return value;
  };
}

function contentsOf(message: MessageType, type: DataType, column: string): ProtobufRead | undefined {
  switch (message.fullName) {
    case date:
      return type.kind === 'DATE' ? (input) => readDate(input, column) : undefined;
    case timeOfDay:
      return type.kind === 'TIME' ? (input) => readTime(input, column) : undefined;
    case timestamp:
      return type.kind === 'TIMESTAMP' ? (input) => readTimestamp(input, column) : undefined;
    case decimal:
      return type.kind === 'DECIMAL' ? (input) => readDecimal(input, type, column) : undefined;
    default:
      return wrapped(message, type, column);
  }
}

/** A scalar that may be NULL. */
function wrapped(message: MessageType, type: DataType, column: string): ProtobufRead | undefined {
  const { type: written } = message.fields[0]!;
  const read = written.kind === 'scalar' ? scalarReader(written, type, column) : undefined;
  if (written.kind !== 'scalar' || read === undefined) return undefined;
  const tag = tagOf(1, wireTypeOfScalar(written.scalar));
  const zero = zeroOf(written, type);
  return (input) => {
    let value: Value = zero;
    while (input.at < input.end) {
      const found = input.tag();
      if (found === tag) value = read(input);
      else input.skip(found);
    }
    return value;
  };
}

/** The int32 and int64 fields of a message, by their numbers; others are passed over. */
const parts: (number | bigint)[] = [0, 0, 0, 0, 0];
function readParts(input: ProtobufInput): void {
  parts.fill(0);
  while (input.at < input.end) {
    const tag = input.tag();
    if ((tag & 7) === wire.varint && tag >>> 3 < parts.length) parts[tag >>> 3] = input.int64();
    else input.skip(tag);
  }
}

function part(input: ProtobufInput, number: number, column: string): number {
  const value = parts[number]!;
  return typeof value === 'number' ? value : input.fail(`column ${column} is out of bounds`);
}

function readDate(input: ProtobufInput, column: string): Value {
  readParts(input);
  const [year, month, day] = [part(input, 1, column), part(input, 2, column), part(input, 3, column)];
  if (Math.abs(year) > 1_000_000 || !isDay(year, month, day)) input.fail(`column ${column} is no day of the calendar`);
  return epochDays(year, month, day);
}

function readTime(input: ProtobufInput, column: string): Value {
  readParts(input);
  const [hours, minutes, seconds] = [part(input, 1, column), part(input, 2, column), part(input, 3, column)];
  const micros = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + microsOf(input, part(input, 4, column), column);
  return Number.isSafeInteger(micros) ? micros : input.fail(`column ${column} is out of bounds`);
}

function readTimestamp(input: ProtobufInput, column: string): Value {
  readParts(input);
  const seconds = parts[1]!;
  const rest = microsOf(input, part(input, 2, column), column);
  const micros = typeof seconds === 'number' ? seconds * 1_000_000 + rest : Number.NaN;
  if (Number.isSafeInteger(micros)) return micros;
  const wide = BigInt(seconds) * 1_000_000n + BigInt(rest);
  return BigInt.asIntN(64, wide) === wide ? integerValue(wide) : input.fail(`column ${column} is out of bounds`);
}

function microsOf(input: ProtobufInput, nanos: number, column: string): number {
  if (nanos < 0 || nanos > 999_999_999) input.fail(`column ${column} has a fraction beyond a second`);
  return nanos % 1000 === 0 ? nanos / 1000 : input.fail(`column ${column} has nanoseconds`);
}

/** Beyond these no decimal fits, and it would take long to find out. */
const bytesMax = 1024;
const scaleMax = 1024;

function readDecimal(input: ProtobufInput, type: Extract<DataType, { kind: 'DECIMAL' }>, column: string): Value {
  let [from, to, scale] = [0, 0, 0];
  while (input.at < input.end) {
    const tag = input.tag();
    if (tag === tagOf(1, wire.bytes)) {
      from = input.block();
      to = input.at;
    } else if (tag === tagOf(3, wire.varint)) scale = input.int32();
    else input.skip(tag);
  }
  const size = to - from;
  if (scale === type.scale && size <= 6) {
    const value = size === 0 ? 0 : input.bytes.readIntBE(from, size);
    if (fitsPrecision(value, type.precision)) return value;
  }
  const value =
    size > bytesMax || Math.abs(scale) > scaleMax
      ? undefined
      : rescaleExactly(fromTwosComplement(input.bytes, from, to), scale, type.precision, type.scale);
  return value ?? input.fail(`a decimal of column ${column} does not fit ${printType(type)}`);
}
