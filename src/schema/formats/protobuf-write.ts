// Protobuf's binary primitives into a ByteWriter, and the messages that stand for decimals, dates and times. A field whose value is its
// default is left out inside of these messages, as Protobuf has it; a length is one byte, since none of them is longer than that says.
import type { ByteWriter } from '../../core/bytes.js';
import { packedDate } from '../../core/calendar.js';
import { toTwosComplement } from './decimal.js';

export const wire = { varint: 0, fixed64: 1, bytes: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;

/** What stands in front of a field. */
export function tagOf(number: number, wireType: number): number {
  return number * 8 + wireType;
}

/** An int32, int64, tag or length: any safe integer; a negative one has ten bytes. */
export function writeVarint(out: ByteWriter, value: number): void {
  if (value >= 0 && value < 0x80000000) {
    out.reserve(5);
    const bytes = out.buffer;
    let p = out.length;
    let n = value;
    while (n > 0x7f) {
      bytes[p++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    bytes[p++] = n;
    out.length = p;
    return;
  }
  const high = Math.floor(value / 0x100000000);
  out.varint64(high, value - high * 0x100000000);
}

export function writeWide(out: ByteWriter, value: number | bigint): void {
  if (typeof value === 'number') writeVarint(out, value);
  else out.varint64(Number(BigInt.asIntN(64, value) >> 32n), Number(BigInt.asUintN(32, value)));
}

export function writeDelimited(out: ByteWriter, source: Uint8Array, start: number, end: number): void {
  writeVarint(out, end - start);
  out.copy(source, start, end);
}

/** Room for the length of a message that follows; where it begins. */
export function openMessage(out: ByteWriter): number {
  out.reserve(1);
  return ++out.length;
}

/** Sets the length of a message that began at `start`; by how many bytes the message had to move. */
export function closeMessage(out: ByteWriter, start: number): number {
  const length = out.length - start;
  if (length < 0x80) {
    out.buffer[start - 1] = length;
    return 0;
  }
  const more = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4;
  out.reserve(more);
  out.buffer.copyWithin(start + more, start, out.length);
  const end = out.length + more;
  out.length = start - 1;
  writeVarint(out, length);
  out.length = end;
  return more;
}

/** Room for the largest of the messages below, with its length. */
const messageRoom = 40;

/** An integer inside of one of the messages below, where it is not 0; what room it needs is there. Where the next byte goes. */
function putField(bytes: Uint8Array, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  let p = at;
  bytes[p++] = tag;
  if (value > 0 && value < 0x80000000) {
    let n = value;
    while (n > 0x7f) {
      bytes[p++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    bytes[p++] = n;
    return p;
  }
  const high = Math.floor(value / 0x100000000);
  let low = (value - high * 0x100000000) >>> 0;
  let highBits = high >>> 0;
  while (highBits !== 0 || low > 0x7f) {
    bytes[p++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (highBits << 25)) >>> 0;
    highBits >>>= 7;
  }
  bytes[p++] = low;
  return p;
}

/** google.protobuf.Timestamp */
export function writeTimestamp(out: ByteWriter, micros: number | bigint): void {
  let seconds: number;
  let rest: number;
  if (typeof micros === 'number') {
    seconds = Math.floor(micros / 1_000_000);
    rest = micros - seconds * 1_000_000;
  } else {
    const wide = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    rest = Number(wide);
    seconds = Number((micros - wide) / 1_000_000n);
  }
  out.reserve(messageRoom);
  const bytes = out.buffer;
  const start = out.length + 1;
  let p = putField(bytes, start, 0x08, seconds);
  p = putField(bytes, p, 0x10, rest * 1000);
  bytes[start - 1] = p - start;
  out.length = p;
}

/** google.type.TimeOfDay. Of a time before 0:00 the hours are negative and the others count from there. */
export function writeTimeOfDay(out: ByteWriter, micros: number): void {
  const seconds = Math.floor(micros / 1_000_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  out.reserve(messageRoom);
  const bytes = out.buffer;
  const start = out.length + 1;
  let p = putField(bytes, start, 0x08, hours);
  p = putField(bytes, p, 0x10, minutes - hours * 60);
  p = putField(bytes, p, 0x18, seconds - minutes * 60);
  p = putField(bytes, p, 0x20, (micros - seconds * 1_000_000) * 1000);
  bytes[start - 1] = p - start;
  out.length = p;
}

// The dates of a table repeat and lie close together, and a division of days into a date costs more than everything else of it.
const cachedDays = new Int32Array(8192).fill(-0x80000000);
const cachedDates = new Int32Array(8192);

function dateOf(epochDay: number): number {
  const slot = epochDay & 8191;
  if (cachedDays[slot] !== epochDay) {
    cachedDates[slot] = packedDate(epochDay);
    cachedDays[slot] = epochDay;
  }
  return cachedDates[slot]!;
}

/** google.type.Date */
export function writeDate(out: ByteWriter, epochDay: number): void {
  const packed = dateOf(epochDay);
  out.reserve(messageRoom);
  const bytes = out.buffer;
  const start = out.length + 1;
  let p = putField(bytes, start, 0x08, packed >> 9);
  p = putField(bytes, p, 0x10, (packed >> 5) & 15);
  p = putField(bytes, p, 0x18, packed & 31);
  bytes[start - 1] = p - start;
  out.length = p;
}

/** confluent.type.Decimal. Its precision is the number of the value's digits, to which a reader in Java rounds. */
export function writeDecimal(out: ByteWriter, unscaled: number | bigint, scale: number): void {
  out.reserve(messageRoom);
  const start = out.length + 1;
  let digits: number;
  out.buffer[start] = 0x0a;
  if (typeof unscaled === 'number' && unscaled >= -0x80000000 && unscaled < 0x80000000) {
    digits = digitsOf(unscaled < 0 ? -unscaled : unscaled);
    out.length = putInt32(out.buffer, start + 1, unscaled);
  } else {
    digits = unscaled.toString().length - (unscaled < 0 ? 1 : 0);
    out.length = start + 1;
    const bytes = toTwosComplement(BigInt(unscaled));
    writeDelimited(out, bytes, 0, bytes.length);
    out.reserve(messageRoom);
  }
  const bytes = out.buffer;
  let p = putField(bytes, out.length, 0x10, digits);
  p = putField(bytes, p, 0x18, scale);
  bytes[start - 1] = p - start;
  out.length = p;
}

/** Length and the fewest big-endian bytes. Where the next byte goes. */
function putInt32(bytes: Uint8Array, at: number, value: number): number {
  const size =
    value >= -0x80 && value < 0x80
      ? 1
      : value >= -0x8000 && value < 0x8000
        ? 2
        : value >= -0x800000 && value < 0x800000
          ? 3
          : 4;
  bytes[at] = size;
  let p = at + 1;
  for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes[p++] = (value >> shift) & 0xff;
  return p;
}

/** Of a number up to 2^31; of zero 1. */
function digitsOf(value: number): number {
  if (value < 100_000) return value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : 5;
  if (value < 1_000_000) return 6;
  return value < 10_000_000 ? 7 : value < 100_000_000 ? 8 : value < 1_000_000_000 ? 9 : 10;
}
