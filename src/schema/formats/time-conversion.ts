// Days and times of the calendar as text or as numbers, as the transform TimestampConverter of Kafka Connect makes them: text in the letters
// of Java's SimpleDateFormat, in UTC and in English; numbers since 1970 in the unit that is asked for. What is finer than the unit, or
// than a thousandth of a second in text, is cut off towards the past.
import { BIGINT, STRING, type DataType } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import { integerHalves } from './write-value.js';

export type TimeUnit = 'seconds' | 'milliseconds' | 'microseconds' | 'nanoseconds';

/** Plain values: they go to another thread. */
export type TimeConversion =
  { readonly to: 'string'; readonly format: string } | { readonly to: 'unix'; readonly unit: TimeUnit };

export const timeUnits: readonly TimeUnit[] = ['seconds', 'milliseconds', 'microseconds', 'nanoseconds'];

/** Undefined: the column is no time of the calendar. */
export function convertedTime(from: DataType, { to }: TimeConversion): DataType | undefined {
  if (from.kind !== 'DATE' && from.kind !== 'TIMESTAMP') return undefined;
  return to === 'string' ? STRING : BIGINT;
}

/** `micros` since 1970. */
export function writeConvertedTime(writer: ValueWriter, conversion: TimeConversion, micros: bigint): void {
  if (conversion.to === 'string') return writer.string(formattedTime(conversion.format, micros));
  writer.int64(...integerHalves(inUnit(conversion.unit, micros)));
}

function inUnit(unit: TimeUnit, micros: bigint): bigint {
  switch (unit) {
    case 'seconds':
      return floored(micros, 1_000_000n);
    case 'milliseconds':
      return floored(micros, 1000n);
    case 'microseconds':
      return micros;
    case 'nanoseconds':
      return BigInt.asIntN(64, micros * 1000n);
  }
}

function floored(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

const months = 'January,February,March,April,May,June,July,August,September,October,November,December'.split(',');
const days = 'Sunday,Monday,Tuesday,Wednesday,Thursday,Friday,Saturday'.split(',');
const padded = (value: number, size: number) => String(value).padStart(size, '0');
const named = (name: string, size: number) => (size > 3 ? name : name.slice(0, 3));

/** By letter and how often it stands there. */
const letters: Readonly<Record<string, (at: Date, size: number) => string>> = {
  y: (at, size) => (size === 2 ? padded(at.getUTCFullYear() % 100, 2) : padded(at.getUTCFullYear(), size)),
  M: (at, size) => (size > 2 ? named(months[at.getUTCMonth()]!, size) : padded(at.getUTCMonth() + 1, size)),
  d: (at, size) => padded(at.getUTCDate(), size),
  E: (at, size) => named(days[at.getUTCDay()]!, size),
  H: (at, size) => padded(at.getUTCHours(), size),
  h: (at, size) => padded(at.getUTCHours() % 12 || 12, size),
  a: (at) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  m: (at, size) => padded(at.getUTCMinutes(), size),
  s: (at, size) => padded(at.getUTCSeconds(), size),
  S: (at, size) => padded(at.getUTCMilliseconds(), size),
  X: () => 'Z',
  Z: () => '+0000',
  z: () => 'UTC',
};
/** A quoted text, two quotes, the same letter again and again, or anything else. */
const pieces = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+/g;

/** Undefined: it can be formatted by. */
export function timeFormatProblem(format: string): string | undefined {
  if (format.replaceAll(pieces, '') !== '') return 'a quote is not closed';
  const unknown = [...format.matchAll(pieces)].find(
    ([, , letter]) => letter !== undefined && !Object.hasOwn(letters, letter),
  );
  return unknown && `the letter ${unknown[2]!} is not known`;
}

export function formattedTime(format: string, micros: bigint): string {
  const at = new Date(Number(floored(micros, 1000n)));
  return format.replaceAll(pieces, (piece: string, quoted: string | undefined, letter: string | undefined) => {
    if (quoted !== undefined) return quoted === '' ? "'" : quoted.replaceAll("''", "'");
    return letter === undefined ? piece : letters[letter]!(at, piece.length);
  });
}
