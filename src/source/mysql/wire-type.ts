// How the binlog lays out a column: the type codes of table maps, the bytes of metadata that each has there, and how far a
// value reaches in a row image. Every type that a server can write is known here, also those that capture does not convert,
// because a column that is left out has to be stepped over.
import type { ValueWriter } from '../../core/row-encoder.js';

/** Reads one value that is not null; returns the offset behind it. */
export type BinaryReader = (event: Buffer, at: number, to: ValueWriter) => number;

export const wire = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newdate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  newdecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** Bytes of metadata that the table map holds for a type. */
export function metadataSize(type: number): 0 | 1 | 2 {
  switch (type) {
    case wire.float:
    case wire.double:
    case wire.blob:
    case wire.tinyBlob:
    case wire.mediumBlob:
    case wire.longBlob:
    case wire.geometry:
    case wire.json:
    case wire.vector:
    case wire.time2:
    case wire.datetime2:
    case wire.timestamp2:
    case wire.blobCompressed:
      return 1;
    case wire.newdecimal:
    case wire.bit:
    case wire.varchar:
    case wire.varString:
    case wire.string:
    case wire.enum:
    case wire.set:
    case wire.varcharCompressed:
      return 2;
    default:
      return 0;
  }
}

/** A value takes `size` bytes when it is positive; when negative, a length of -size bytes, little-endian, comes before it. */
export type WireSize = number;

const decimalRest = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4] as const;

/** Bytes of `digits` decimal digits in packed form. */
export function packedDigits(digits: number): number {
  return Math.trunc(digits / 9) * 4 + decimalRest[digits % 9]!;
}

const fractionBytes = (digits: number) => (digits + 1) >> 1;

/** `low` and `high`: the first and second byte of metadata. Undefined: no server writes such a type in a table map. */
export function wireSize(type: number, low: number, high: number): WireSize | undefined {
  switch (type) {
    case wire.tiny:
    case wire.year:
      return 1;
    case wire.short:
      return 2;
    case wire.int24:
    case wire.date:
    case wire.newdate:
    case wire.time:
      return 3;
    case wire.long:
    case wire.float:
    case wire.timestamp:
      return 4;
    case wire.longlong:
    case wire.double:
    case wire.datetime:
      return 8;
    case wire.newdecimal:
      return packedDigits(low - high) + packedDigits(high);
    case wire.timestamp2:
      return 4 + fractionBytes(low);
    case wire.datetime2:
      return 5 + fractionBytes(low);
    case wire.time2:
      return 3 + fractionBytes(low);
    case wire.bit:
      return high + (low > 0 ? 1 : 0);
    case wire.varchar:
    case wire.varString:
    case wire.varcharCompressed:
      return low + high * 256 > 255 ? -2 : -1;
    case wire.enum:
    case wire.set:
      return high;
    case wire.string:
      return stringLength(low, high) > 255 ? -2 : -1;
    case wire.blob:
    case wire.tinyBlob:
    case wire.mediumBlob:
    case wire.longBlob:
    case wire.json:
    case wire.geometry:
    case wire.vector:
    case wire.blobCompressed:
      return -low;
    default:
      return undefined;
  }
}

/** CHAR hides two bits of its length in the type byte, inverted, because lengths over 255 came later than the format. */
export function stringLength(low: number, high: number): number {
  return (((low << 4) & 0x300) ^ 0x300) + high;
}
