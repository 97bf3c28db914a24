// How far a time zone is from UTC at a moment. Regions are those that this Node's ICU knows; the abbreviations are those that Java
// reads without a locale of its own, each with the region that it takes for it.
import { own } from '../../core/own.js';

const abbreviations: Readonly<Record<string, string>> = {
  Z: 'UTC',
  UT: 'UTC',
  EST: 'America/New_York',
  EDT: 'America/New_York',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  MST: 'America/Denver',
  MDT: 'America/Denver',
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  CET: 'Europe/Paris',
  CEST: 'Europe/Paris',
  EET: 'Europe/Bucharest',
  EEST: 'Europe/Bucharest',
  WET: 'Europe/Lisbon',
  WEST: 'Europe/Lisbon',
};

/** By name as it was written; null: no such zone. Texts come from records, so there is an end to how many are kept. */
const formats = new Map<string, Intl.DateTimeFormat | null>();
const formatsMax = 1000;

/** ms to add to UTC; undefined: there is no such zone. */
export function zoneOffsetMs(name: string, utcMs: number): number | undefined {
  const format = formatOf(name);
  if (format === null) return undefined;
  const at = Object.fromEntries(format.formatToParts(utcMs).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(at.year!, at.month! - 1, at.day, at.hour, at.minute, at.second);
  return local - Math.floor(utcMs / 1000) * 1000;
}

function formatOf(name: string): Intl.DateTimeFormat | null {
  const known = formats.get(name);
  if (known !== undefined) return known;
  // No name of a zone is that long; what is kept is kept by its name.
  if (name.length > 64) return null;
  if (formats.size >= formatsMax) formats.clear();
  let format: Intl.DateTimeFormat | null;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: own(abbreviations, name.toUpperCase()) ?? name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    // It throws a RangeError for what is no zone, and there is no other way to ask.
    format = null;
  }
  formats.set(name, format);
  return format;
}
