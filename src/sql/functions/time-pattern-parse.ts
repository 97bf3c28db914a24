// Reads a text by a compiled pattern: -> ms since the epoch, as ksqlDB takes a timestamp from a text. What the text does not say is
// that of 1970-01-01T00:00 in UTC; the day of a month that is too short for it is the month's last (Java's SMART resolving), anything
// else that is no time is refused. No case is told apart, in names and in literals.
import { unreachable } from '../../core/errors.js';
import { compileTimePattern, type OffsetForm, type TimeField, type TimePart } from './time-pattern.js';
import { zoneOffsetMs } from './time-zone.js';

/** What the text has said so far. */
interface Found {
  readonly fields: Map<TimeField, number>;
  zone: { readonly offsetSeconds: number } | { readonly region: string } | undefined;
}

const dayMs = 86_400_000;
const ranges: Readonly<Record<TimeField, readonly [number, number]>> = {
  year: [-999_999, 999_999],
  month: [1, 12],
  day: [1, 31],
  dayOfYear: [1, 366],
  hour: [0, 24],
  clockHour: [1, 24],
  hourOfHalf: [0, 11],
  clockHourOfHalf: [1, 12],
  minute: [0, 59],
  second: [0, 59],
  nano: [0, 999_999_999],
  milliOfDay: [0, dayMs - 1],
  nanoOfDay: [0, dayMs * 1_000_000 - 1],
  half: [0, 1],
  weekday: [1, 7],
  era: [0, 1],
};

/** Throws TimePatternError where the pattern is none. The function gives null for a text that does not fit. */
export function createTimeParser(pattern: string): (text: string) => number | null {
  const parts = compileTimePattern(pattern);
  return (text) => {
    const found: Found = { fields: new Map(), zone: undefined };
    return parseAll(parts, text, 0, found) === text.length ? resolve(found) : null;
  };
}

/** The place behind what was read; -1: it does not fit. */
function parseAll(parts: readonly TimePart[], text: string, start: number, found: Found): number {
  let at = start;
  for (const part of parts) {
    at = parsePart(part, text, at, found);
    if (at < 0) return -1;
  }
  return at;
}

function parsePart(part: TimePart, text: string, at: number, found: Found): number {
  switch (part.kind) {
    case 'literal': {
      const end = at + part.text.length;
      return text.slice(at, end).toLowerCase() === part.text.toLowerCase() ? end : -1;
    }
    case 'number':
      return parseNumber(part, text, at, found);
    case 'short-year': {
      const end = at + 2;
      if (!/^\d\d$/.test(text.slice(at, end))) return -1;
      return note(found, 'year', 2000 + Number(text.slice(at, end))) ? end : -1;
    }
    case 'fraction': {
      const end = at + part.digits;
      const digits = text.slice(at, end);
      if (digits.length < part.digits || !/^\d+$/.test(digits)) return -1;
      return note(found, 'nano', Number(digits.padEnd(9, '0'))) ? end : -1;
    }
    case 'name': {
      const i = part.names.findIndex((name) => text.slice(at, at + name.length).toLowerCase() === name.toLowerCase());
      return i >= 0 && note(found, part.field, i + part.first) ? at + part.names[i]!.length : -1;
    }
    case 'offset':
      return parseOffset(text, at, part.form, part.zero, found);
    case 'gmt':
      return parseGmt(text, at, part.short, found);
    case 'zone':
      return parseZone(text, at, found);
    case 'optional': {
      const inside: Found = { fields: new Map(found.fields), zone: found.zone };
      const end = parseAll(part.parts, text, at, inside);
      if (end < 0) return at;
      for (const [field, value] of inside.fields) found.fields.set(field, value);
      found.zone = inside.zone;
      return end;
    }
    default:
      return unreachable(part);
  }
}

/** One field that is told twice has to say the same. */
function note(found: Found, field: TimeField, value: number): boolean {
  const before = found.fields.get(field);
  if (before !== undefined && before !== value) return false;
  found.fields.set(field, value);
  return true;
}

function parseNumber(
  { field, min, max, sign, reserved }: Extract<TimePart, { kind: 'number' }>,
  text: string,
  start: number,
  found: Found,
): number {
  const first = text[start];
  const signed = (sign !== 'none' && first === '-') || (sign === 'padded' && first === '+');
  const digitsAt = signed ? start + 1 : start;
  let count = 0;
  while (count < max + reserved && isDigit(text, digitsAt + count)) count++;
  if (reserved > 0) count = Math.max(min, count - reserved);
  if (count > max) count = max;
  for (let i = 0; i < Math.max(count, min); i++) if (!isDigit(text, digitsAt + i)) return -1;
  if (sign === 'padded' && !signed && count > min) return -1;
  if (sign === 'padded' && first === '+' && count <= min) return -1;
  const end = digitsAt + count;
  const value = Number(text.slice(digitsAt, end)) * (signed && first === '-' ? -1 : 1);
  return note(found, field, value) ? end : -1;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

const offsetTexts: Readonly<Record<OffsetForm, RegExp>> = {
  'HH[mm]': /^([+-])(\d\d)(?:(\d\d))?/,
  HHMM: /^([+-])(\d\d)(\d\d)/,
  'HH:MM': /^([+-])(\d\d):(\d\d)/,
  'HHMM[ss]': /^([+-])(\d\d)(\d\d)(\d\d)?/,
  'HH:MM[:ss]': /^([+-])(\d\d):(\d\d)(?::(\d\d))?/,
};

function parseOffset(text: string, at: number, form: OffsetForm, zero: string, found: Found): number {
  if (zero !== '' && text.slice(at, at + zero.length).toUpperCase() === zero) {
    found.zone = { offsetSeconds: 0 };
    return at + zero.length;
  }
  return takeOffset(offsetTexts[form].exec(text.slice(at)), at, found);
}

function parseGmt(text: string, at: number, short: boolean, found: Found): number {
  if (text.slice(at, at + 3).toUpperCase() !== 'GMT') return -1;
  const form = short ? /^([+-])(\d{1,2})(?::(\d\d)(?::(\d\d))?)?/ : offsetTexts['HH:MM[:ss]'];
  const match = form.exec(text.slice(at + 3));
  if (match) return takeOffset(match, at + 3, found);
  found.zone = { offsetSeconds: 0 };
  return at + 3;
}

function takeOffset(match: RegExpExecArray | null, at: number, found: Found): number {
  if (match === null) return -1;
  const [all, sign, hours, minutes = '0', seconds = '0'] = match;
  if (Number(hours) > 18 || Number(minutes) > 59 || Number(seconds) > 59) return -1;
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  found.zone = { offsetSeconds: sign === '-' ? -total : total };
  return at + all.length;
}

function parseZone(text: string, at: number, found: Found): number {
  const match = /^[A-Za-z][A-Za-z0-9_/~.-]*(?:[+-]\d{1,2}(?::?\d\d)?)?|^[+-]\d\d:?\d\d/.exec(text.slice(at));
  if (match === null) return -1;
  const [name] = match;
  const offset = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d\d))?$/i.exec(name);
  if (offset) return takeOffset(offset, at, found) < 0 ? -1 : at + name.length;
  if (zoneOffsetMs(name, 0) === undefined) return -1;
  found.zone = { region: name };
  return at + name.length;
}

function resolve({ fields, zone }: Found): number | null {
  for (const [field, value] of fields) {
    const [low, high] = ranges[field];
    if (value < low || value > high) return null;
  }
  const date = dateOf(fields);
  const time = timeOf(fields);
  if (date === null || time === null) return null;
  const weekday = fields.get('weekday');
  if (weekday !== undefined && hasDate(fields) && weekdayOf(date) !== weekday) return null;
  const local = date * dayMs + time;
  if (zone === undefined) return local;
  if ('offsetSeconds' in zone) return local - zone.offsetSeconds * 1000;
  return atRegion(local, zone.region);
}

/** A clock time that comes twice is the first; one that is left out is as far behind the gap as it is in it. */
function atRegion(local: number, region: string): number {
  const offsetAt = (utcMs: number) => zoneOffsetMs(region, utcMs)!;
  const before = offsetAt(local - dayMs);
  if (offsetAt(local - before) === before) return local - before;
  const after = offsetAt(local + dayMs);
  return offsetAt(local - after) === after ? local - after : local - before;
}

function hasDate(fields: ReadonlyMap<TimeField, number>): boolean {
  return fields.has('dayOfYear') || (fields.has('year') && fields.has('month') && fields.has('day'));
}

/** Days since 1970-01-01. */
function dateOf(fields: ReadonlyMap<TimeField, number>): number | null {
  const told = fields.get('year');
  const year = told === undefined ? 1970 : fields.get('era') === 0 ? 1 - told : told;
  const dayOfYear = fields.get('dayOfYear');
  if (dayOfYear !== undefined) {
    const first = daysOf(year, 1, 1);
    return dayOfYear > daysOf(year + 1, 1, 1) - first ? null : first + dayOfYear - 1;
  }
  const month = fields.get('month') ?? 1;
  const day = fields.get('day') ?? 1;
  const last = daysOf(year, month + 1, 1) - daysOf(year, month, 1);
  return daysOf(year, month, Math.min(day, last));
}

/** ms of the day, 24:00 as the next one's first. */
function timeOf(fields: ReadonlyMap<TimeField, number>): number | null {
  const nanoOfDay = fields.get('nanoOfDay');
  if (nanoOfDay !== undefined) return Math.floor(nanoOfDay / 1_000_000);
  const milliOfDay = fields.get('milliOfDay');
  if (milliOfDay !== undefined) return milliOfDay;
  const minute = fields.get('minute') ?? 0;
  const second = fields.get('second') ?? 0;
  const nano = fields.get('nano') ?? 0;
  const hour = hourOf(fields);
  if (hour === 24 && (minute > 0 || second > 0 || nano > 0)) return null;
  // Without a date there is no next day.
  const ofDay = hour === 24 && !hasDate(fields) ? 0 : hour;
  return ((ofDay * 60 + minute) * 60 + second) * 1000 + Math.floor(nano / 1_000_000);
}

function hourOf(fields: ReadonlyMap<TimeField, number>): number {
  const hour = fields.get('hour');
  if (hour !== undefined) return hour;
  const clockHour = fields.get('clockHour');
  if (clockHour !== undefined) return clockHour % 24;
  const ofHalf = fields.get('hourOfHalf') ?? (fields.get('clockHourOfHalf') ?? 0) % 12;
  return ofHalf + 12 * (fields.get('half') ?? 0);
}

function daysOf(year: number, month: number, day: number): number {
  // Date.UTC takes 0..99 for 1900..1999; a month 13 is the next year's first.
  return new Date(0).setUTCFullYear(year, month - 1, day) / dayMs;
}

/** Monday is 1. */
function weekdayOf(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}
