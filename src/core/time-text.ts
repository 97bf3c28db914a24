// Dates and times as ISO text, from days and µs, in the proleptic Gregorian calendar and without a time zone: a column is what
// the source wrote, and no zone is known for most. Three digits behind the second, six where µs are not whole milliseconds.
import { civilDate } from './calendar.js';

/** `yyyy-mm-dd`; years beyond four digits with their sign, as ISO 8601 writes them. */
export function dateText(days: number): string {
  const { year, month, day } = civilDate(days);
  return `${yearText(year)}-${two(month)}-${two(day)}`;
}

/** `hh:mm:ss.sss` or `hh:mm:ss.ssssss`. Beyond a day the hours go on; negative times have a sign. `digits` 3 cuts the rest. */
export function timeText(micros: number, digits: 'exact' | 3 = 'exact'): string {
  if (micros < 0) return `-${timeText(-micros, digits)}`;
  const seconds = Math.floor(micros / 1e6);
  const fraction = micros - seconds * 1e6;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const millis = Math.floor(fraction / 1000);
  const text = `${two(hours)}:${two(minutes - hours * 60)}:${two(seconds - minutes * 60)}.`;
  if (digits === 3 || fraction === millis * 1000) return text + String(millis).padStart(3, '0');
  return text + String(fraction).padStart(6, '0');
}

/** As Java's LocalTime prints it: without a fraction that is 0, and without seconds that are 0 too. */
export function shortTimeText(micros: number): string {
  if (micros % 1e6 !== 0) return timeText(micros);
  return timeText(micros).slice(0, micros % 60e6 === 0 ? -7 : -4);
}

const microsPerDay = 86_400_000_000;

/** `yyyy-mm-ddThh:mm:ss.sss`, µs as in timeText. */
export function timestampText(micros: number | bigint, digits: 'exact' | 3 = 'exact'): string {
  if (typeof micros === 'bigint') {
    const perDay = BigInt(microsPerDay);
    const rest = ((micros % perDay) + perDay) % perDay;
    return `${dateText(Number((micros - rest) / perDay))}T${timeText(Number(rest), digits)}`;
  }
  const days = Math.floor(micros / microsPerDay);
  return `${dateText(days)}T${timeText(micros - days * microsPerDay, digits)}`;
}

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}
