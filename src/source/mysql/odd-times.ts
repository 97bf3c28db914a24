// Dates that are no day of the calendar (0000-00-00, 2000-00-15), which no type of ours holds, and times outside of a day: told as text
// as the server prints them, made NULL, or the end of the task, as the properties say; a time also as the number that it is. Which of it
// is decided once per column.
import type { AppError } from '../../core/errors.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { OddTimes } from './column-form.js';
import { unconvertible } from './unconvertible.js';

export interface OddPlace {
  /** database.table.column */
  readonly where: string;
  readonly odd: OddTimes | undefined;
  /** A key column cannot be NULL. */
  readonly isKey: boolean;
}

export const zeroDatesProperty = 'zero.date.handling.mode';
export const timeRangeProperty = 'time.range.handling.mode';

type OddValue = (source: Buffer, start: number, end: number, to: ValueWriter) => void;

export function oddDate(place: OddPlace): OddValue {
  return odd(place, (...bytes) => refused(place, 'it is not a day of the calendar', zeroDatesProperty, bytes));
}

/** `micros`: of the value at this place, negative or beyond a day. */
export function oddTime(place: OddPlace, micros: (source: Buffer, start: number, end: number) => number): OddValue {
  if (place.odd === 'exact') return (source, start, end, to) => to.micros(micros(source, start, end));
  const why = 'TIME is a time of day here, and this lies outside of 0 to 24 hours';
  return odd(place, (...bytes) => refused(place, why, timeRangeProperty, bytes));
}

function odd({ odd: mode, isKey }: OddPlace, error: (...bytes: Bytes) => AppError): OddValue {
  if (mode === 'null' && !isKey) return (_source, _start, _end, to) => to.null();
  return (source, start, end) => {
    throw error(source, start, end);
  };
}

type Bytes = [source: Buffer, start: number, end: number];

function refused({ where, isKey }: OddPlace, why: string, property: string, bytes: Bytes): AppError {
  const asNull = isKey
    ? ''
    : `${property}=null (such values become NULL) in the configuration of its connector has the table read again; `;
  return unconvertible(where, why, ...bytes, {
    hint: `${asNull}${property}=text makes text of all columns of these types, which are read again then`,
  });
}

const two = (value: number) => String(value).padStart(2, '0');

export function dateText(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

/** `seconds` of the day or beyond it, `micros` behind them, with as many digits as the column has. */
export function clockText(seconds: number, micros: number, digits: number): string {
  const fraction = digits === 0 ? '' : `.${String(micros).padStart(6, '0').slice(0, digits)}`;
  return `${two(Math.trunc(seconds / 3600))}:${two(Math.trunc(seconds / 60) % 60)}:${two(seconds % 60)}${fraction}`;
}
