// Dates and times of SQLite, which are text (or an integer counting from 1970) by convention only. Everything is checked: a
// day that does not exist is no day, where SQLite's own functions would move it into the next month.
import { epochDays, isDay } from '../../core/calendar.js';
import type { TimestampUnit } from './config.js';

/** Last second of the year 9999, as far as the text form reaches: a bigger count is in another unit than was said. */
const lastSecond = 253_402_300_799n;

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function daysOf(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  return match ? days(Number(match[1]), Number(match[2]), Number(match[3])) : null;
}

function days(year: number, month: number, day: number): number | null {
  return isDay(year, month, day) ? epochDays(year, month, day) : null;
}

/** µs of the day of `HH:MM[:SS[.ffffff]]`. */
export function microsOfTime(text: string): number | null {
  const match = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?$/.exec(text);
  return match ? micros(match[1]!, match[2]!, match[3] ?? '0', match[4] ?? '') : null;
}

function micros(hours: string, minutes: string, seconds: string, fraction: string): number | null {
  const padded = fraction.padEnd(9, '0');
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59 || !padded.endsWith('000')) return null;
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000 + Number(padded.slice(0, 6));
}

/** Digits behind the second of a text that looks like a time, without zeros at the end; null when it has no fraction. */
export function fractionDigits(text: string): number | null {
  const match = /\d\d:\d\d:\d\d\.(\d+?)0*\s?(?:Z|[+-]\d\d:?\d\d)?$/.exec(text);
  return match ? match[1]!.length : null;
}

const timestamp =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?(?:(Z)|([+-])(\d\d):?(\d\d))?)?$/;

/** µs since 1970 of `YYYY-MM-DD[ HH:MM[:SS[.ffffff]][Z|+HH:MM]]`; UTC when no zone is given. */
export function microsOfText(text: string): number | bigint | null {
  const match = timestamp.exec(text);
  if (!match) return null;
  const day = days(Number(match[1]), Number(match[2]), Number(match[3]));
  const time = micros(match[4] ?? '0', match[5] ?? '0', match[6] ?? '0', match[7] ?? '');
  if (day === null || time === null) return null;
  const offsetMinutes =
    match[9] === undefined ? 0 : (Number(match[10]) * 60 + Number(match[11])) * (match[9] === '-' ? -1 : 1);
  const seconds = day * 86_400 - offsetMinutes * 60;
  const whole = seconds * 1_000_000 + time;
  return Number.isSafeInteger(whole) ? whole : BigInt(seconds) * 1_000_000n + BigInt(time);
}

export function microsOfUnits(value: bigint, unit: TimestampUnit): number | bigint | null {
  const factor = unit === 'seconds' ? 1_000_000n : unit === 'milliseconds' ? 1_000n : 1n;
  const whole = value * factor;
  if (whole > lastSecond * 1_000_000n + 999_999n || whole < -lastSecond * 1_000_000n) return null;
  return whole >= -9007199254740991n && whole <= 9007199254740991n ? Number(whole) : whole;
}
