// Dates and times as text and back, in UTC: what casts and comparisons with string literals need. In memory a DATE is days, a
// TIME µs of the day, a TIMESTAMP µs since the epoch.
import { integerValue, type Value } from '../../core/data-type.js';
import { big } from './decimal.js';

const dayMs = 86_400_000;
const dayUs = 86_400_000_000;

/** `2020-02-29` -> days since 1970; null when it is no such date. */
export function parseDate(text: string): number | null {
  const match = /^(-?\d{4,6})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const ms = utc(year, month - 1, day);
  const back = new Date(ms);
  // Date.UTC rolls 31 February over into March; a date that comes back different does not exist.
  if (Number.isNaN(ms) || back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return null;
  return ms / dayMs;
}

/** `10:30`, `10:30:15`, `10:30:15.123456` -> µs of the day. */
export function parseTime(text: string): number | null {
  const match = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text);
  if (match === null) return null;
  const [hour, minute, second] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fraction = Number((match[4] ?? '').padEnd(6, '0').slice(0, 6));
  return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
}

/**
 * ISO date and time with T or a blank between, any tail left out (`2020`, `2020-05`, `2020-05-12T10`), and an optional zone
 * (`Z`, `+0200`, `+02:00`) -> µs since the epoch.
 */
export function parseTimestamp(text: string): number | bigint | null {
  const match =
    /^(-?\d{4,6})(?:-(\d{2})(?:-(\d{2})(?:[T ](?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(
      text.trim(),
    );
  if (match === null) return null;
  const [, year, month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = '', zone] = match;
  const days = parseDate(`${year}-${month}-${day}`);
  const time = parseTime(`${hour}:${minute}:${second}${fraction === '' ? '' : `.${fraction}`}`);
  if (days === null || time === null) return null;
  const us = BigInt(days) * BigInt(dayUs) + BigInt(time - zoneUs(zone));
  return integerValue(us);
}

function zoneUs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2)) * (zone.length > 3 ? 1 : 0);
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000_000;
}

function utc(year: number, month: number, day: number): number {
  // Date.UTC takes 0..99 for 1900..1999.
  return new Date(0).setUTCFullYear(year, month, day);
}

export function formatDate(days: number): string {
  const date = new Date(days * dayMs);
  return `${pad(date.getUTCFullYear(), 4)}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
}

/** `10:30:15`, with a fraction of 3 or 6 digits where there is one (seconds are left out when all below the minute is 0). */
export function formatTime(us: number): string {
  const seconds = Math.floor(us / 1_000_000);
  const text = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}`;
  const fraction = us % 1_000_000;
  if (fraction === 0) return seconds % 60 === 0 ? text : `${text}:${pad(seconds % 60, 2)}`;
  return `${text}:${pad(seconds % 60, 2)}.${fractionText(fraction)}`;
}

/** `2020-05-12T10:30:15.123`; 6 digits where the µs are not whole ms. */
export function formatTimestamp(value: Value): string {
  const us = big(value);
  let days = us / BigInt(dayUs);
  let rest = us % BigInt(dayUs);
  if (rest < 0n) {
    rest += BigInt(dayUs);
    days -= 1n;
  }
  const ofDay = Number(rest);
  const seconds = Math.floor(ofDay / 1_000_000);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${formatDate(Number(days))}T${clock.map((n) => pad(n, 2)).join(':')}.${fractionText(ofDay % 1_000_000)}`;
}

function fractionText(us: number): string {
  return us % 1000 === 0 ? pad(us / 1000, 3) : pad(us, 6);
}

function pad(n: number, width: number): string {
  return n < 0 ? `-${String(-n).padStart(width, '0')}` : String(n).padStart(width, '0');
}
