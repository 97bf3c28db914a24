// Scalars read in place from JSON bytes, by a code per type. `undefined` means: not in the form that our encoder writes, let the
// full parser decide; it is never an error here.
import { integerValue, type DataType, type Value } from '../../core/data-type.js';
import { fitsPrecision } from '../../core/decimal.js';
import { JsonTextReader } from './json-text-reader.js';
import { fromWire } from './micros.js';
import { zonedMicros } from './zoned-text.js';

const code = {
  nested: 0,
  boolean: 1,
  integer: 2,
  bigint: 3,
  date: 4,
  millis: 5,
  micros: 6,
  double: 7,
  decimal: 8,
  string: 9,
  bytes: 10,
  zoned: 11,
} as const;

/** 0: the type has no fast reader. */
export function scalarCode(type: DataType): number {
  switch (type.kind) {
    case 'BOOLEAN':
      return code.boolean;
    case 'INTEGER':
      return code.integer;
    case 'BIGINT':
      return code.bigint;
    case 'DATE':
      return code.date;
    case 'TIMESTAMP':
      if (type.zoned !== undefined) return code.zoned;
      return type.digits === 3 ? code.millis : code.micros;
    case 'TIME':
      return type.digits === 3 ? code.millis : code.micros;
    case 'DOUBLE':
      return code.double;
    case 'DECIMAL':
      return code.decimal;
    case 'STRING':
      return code.string;
    case 'BYTES':
      return code.bytes;
    case 'ARRAY':
    case 'MAP':
    case 'STRUCT':
      return code.nested;
  }
}

/** The record that is being read, and the place behind the last value. */
export class ScalarInput {
  readonly text = new JsonTextReader();
  bytes: Buffer = Buffer.alloc(0);
  end = 0;
  next = 0;

  open(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes;
    this.end = end;
    this.text.open(bytes, start, end);
  }
}

export function readScalar(
  cursor: ScalarInput,
  typeCode: number,
  type: DataType,
  at: number,
): Exclude<Value, null> | undefined {
  switch (typeCode) {
    case code.integer: {
      const value = readWhole(cursor, at);
      return typeof value === 'number' && value >= -2147483648 && value <= 2147483647 ? value : undefined;
    }
    case code.bigint: {
      const value = readWhole(cursor, at);
      return typeof value === 'bigint' && BigInt.asIntN(64, value) !== value ? undefined : value;
    }
    case code.date: {
      const value = readWhole(cursor, at);
      return typeof value === 'number' ? value : undefined;
    }
    case code.millis: {
      const value = readWhole(cursor, at);
      return value === undefined || typeof value === 'bigint' ? undefined : fromWire(value, 3);
    }
    case code.micros: {
      const value = readWhole(cursor, at);
      return typeof value === 'bigint' && BigInt.asIntN(64, value) !== value ? undefined : value;
    }
    case code.decimal:
      return type.kind === 'DECIMAL' ? readDecimal(cursor, at, type.precision, type.scale) : undefined;
    case code.string:
      return readString(cursor, at);
    case code.zoned: {
      const text = readString(cursor, at);
      return text === undefined ? undefined : zonedMicros(text);
    }
    case code.double:
      return readDouble(cursor, at);
    case code.boolean:
      return readBoolean(cursor, at);
    case code.bytes:
      return readBytes(cursor, at);
    default:
      return undefined;
  }
}

function readString(cursor: ScalarInput, at: number): string | undefined {
  if (cursor.bytes[at] !== 34) return undefined;
  const text = cursor.text.read(at + 1);
  cursor.next = cursor.text.next;
  return text;
}

function readWhole(cursor: ScalarInput, at: number): number | bigint | undefined {
  const { bytes, end } = cursor;
  let p = at;
  const negative = bytes[p] === 45;
  if (negative) p++;
  const first = p;
  let value = 0;
  // Keys lie one behind the other: what comes behind the end are other numbers.
  for (;;) {
    const digit = p < end ? bytes[p]! - 48 : -1;
    if (!(digit >= 0 && digit <= 9)) {
      // A number goes on with a point or an exponent: the full parser knows whether it is whole.
      if (digit === -2 || digit === 21 || digit === 53) return undefined;
      break;
    }
    value = value * 10 + digit;
    p++;
  }
  if (p === first || (bytes[first] === 48 && p - first > 1)) return undefined;
  cursor.next = p;
  if (p - first > 15) return integerValue(BigInt(bytes.toString('latin1', at, p)));
  return negative && value !== 0 ? -value : value;
}

/** A number with exactly `scale` digits behind the point, as the unscaled integer. */
function readDecimal(cursor: ScalarInput, at: number, precision: number, scale: number): number | bigint | undefined {
  const { bytes, end } = cursor;
  let p = at;
  const negative = bytes[p] === 45;
  if (negative) p++;
  const first = p;
  let point = -1;
  let value = 0;
  for (; p < end; p++) {
    const c = bytes[p]!;
    const digit = c - 48;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (c === 46 && point < 0) point = p;
    else break;
  }
  const c = p < end ? bytes[p] : undefined;
  if (c === 101 || c === 69) return undefined;
  const fraction = point < 0 ? 0 : p - point - 1;
  const digits = p - first - (point < 0 ? 0 : 1);
  if (fraction !== scale || digits - fraction < 1 || (point >= 0 && fraction === 0)) return undefined;
  if (bytes[first] === 48 && digits - fraction > 1) return undefined;
  cursor.next = p;
  let unscaled: number | bigint = negative && value !== 0 ? -value : value;
  if (digits > 15) unscaled = integerValue(BigInt(bytes.toString('latin1', at, p).replace('.', '')));
  return digits <= precision || fitsPrecision(unscaled, precision) ? unscaled : undefined;
}

const powersOf10 = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

function readDouble(cursor: ScalarInput, at: number): number | undefined {
  const { bytes, end } = cursor;
  let p = at;
  const negative = bytes[p] === 45;
  if (negative) p++;
  const first = p;
  let point = -1;
  let value = 0;
  for (; p < end; p++) {
    const c = bytes[p]!;
    const digit = c - 48;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (c === 46 && point < 0) point = p;
    else break;
  }
  const c = p < end ? bytes[p] : undefined;
  const fraction = point < 0 ? 0 : p - point - 1;
  const digits = p - first - (point < 0 ? 0 : 1);
  // Up to 15 digits and a power of ten are exact doubles, so one division rounds correctly. Longer ones and exponents: the full parser.
  if (c === 101 || c === 69 || digits > 15 || digits - fraction < 1 || (point >= 0 && fraction === 0)) return undefined;
  if (bytes[first] === 48 && digits - fraction > 1) return undefined;
  cursor.next = p;
  const magnitude = fraction === 0 ? value : value / powersOf10[fraction]!;
  return negative ? -magnitude : magnitude;
}

function readBoolean(cursor: ScalarInput, at: number): boolean | undefined {
  const bytes = cursor.bytes;
  if (bytes[at] === 116 && bytes[at + 1] === 114 && bytes[at + 2] === 117 && bytes[at + 3] === 101) {
    cursor.next = at + 4;
    return true;
  }
  if (
    bytes[at] === 102 &&
    bytes[at + 1] === 97 &&
    bytes[at + 2] === 108 &&
    bytes[at + 3] === 115 &&
    bytes[at + 4] === 101
  ) {
    cursor.next = at + 5;
    return false;
  }
  return undefined;
}

function readBytes(cursor: ScalarInput, at: number): Buffer | undefined {
  const bytes = cursor.bytes;
  if (bytes[at] !== 34) return undefined;
  let p = at + 1;
  while (p < cursor.end && isBase64[bytes[p]!] === 1) p++;
  const digitsEnd = p;
  while (p < cursor.end && p - digitsEnd < 2 && bytes[p] === 61) p++;
  if (p >= cursor.end || bytes[p] !== 34 || (p - at - 1) % 4 !== 0) return undefined;
  cursor.next = p + 1;
  return Buffer.from(bytes.toString('latin1', at + 1, p), 'base64');
}

const isBase64 = new Uint8Array(256);
for (const c of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')) isBase64[c] = 1;
