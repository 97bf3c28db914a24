// Dates and times as numbers, the same for both readers. Zero dates, partial dates and days that no month has cannot be
// converted: the check is here, the error is the reader's, which knows the column and the bytes.
import type { ValueSink } from '../../core/row-encoder.js';

const daysInMonth = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** True for a day that the proleptic Gregorian calendar has. */
export function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth[month]!) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** Days since 1970-01-01. The year is taken to begin in March, so that the leap day is its last. */
export function epochDays(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.trunc((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.trunc(yearOfEra / 4) - Math.trunc(yearOfEra / 100) + dayOfYear - 719468;
}

/** A timestamp to the sink; µs of the years after 2255 do not fit a double. */
export function writeTimestamp(seconds: number, micros: number, sink: ValueSink): void {
  if (seconds < 9_007_199_254 && seconds > -9_007_199_254) return sink.micros(seconds * 1_000_000 + micros);
  const wide = BigInt(seconds) * 1_000_000n + BigInt(micros);
  sink.microsWide(Number(wide >> 32n), Number(wide & 0xffffffffn));
}

/** Powers of ten that lift a fraction of n digits to µs. */
export const toMicros = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1] as const;
