// Dates and times from text, in UTC: what casts and comparisons with string literals need. In memory a DATE is days, a TIME µs of the
// day, a TIMESTAMP µs since the epoch. core/time-text.ts prints them.
import { epochDays, isDay } from '../../core/calendar.js';
import { integerValue } from '../../core/data-type.js';

const dayUs = 86_400_000_000;

/** `2020-02-29` -> days since 1970; null when it is no such date. */
export function parseDate(text: string): number | null {
  const match = /^([+-]?\d{4,6})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return isDay(year, month, day) ? epochDays(year, month, day) : null;
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
    /^([+-]?\d{4,6})(?:-(\d{2})(?:-(\d{2})(?:[T ](?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?)?)?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?$/.exec(
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
