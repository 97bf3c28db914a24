// Dates and times of a row image (binlog), one function per column. As numbers where they are days and times of day; what is not
// goes the way of the column's mode (odd-times.ts). Columns that are text by their mode are printed as the server prints them.
import { epochDays, isDay } from '../../core/calendar.js';
import type { ColumnForm } from './column-form.js';
import { clockText, dateText, oddDate, oddTime, type OddPlace } from './odd-times.js';
import { toMicros, writeTimestamp } from './temporal.js';
import type { BinaryReader } from './wire-type.js';

export type TemporalForm = ColumnForm & { kind: 'date' | 'time' | 'datetime' | 'timestamp' };

export function temporalReader(form: TemporalForm, place: Omit<OddPlace, 'odd'>): BinaryReader {
  const at = { ...place, odd: form.odd };
  const asText = form.odd === 'text';
  if (form.kind === 'date') return asText ? dateAsText : dateReader(at);
  if (form.old) return oldReader(form, at);
  switch (form.kind) {
    case 'time':
      return asText ? timeAsText(form.digits) : timeReader(form.digits, at);
    case 'datetime':
      return asText ? datetimeAsText(form.digits) : datetimeReader(form.digits, at);
    case 'timestamp':
      return asText ? timestampAsText(form.digits) : timestampReader(form.digits, at);
  }
}

function dateReader(place: OddPlace): BinaryReader {
  const odd = oddDate(place);
  return (event, at, to) => {
    const packed = event[at]! | (event[at + 1]! << 8) | (event[at + 2]! << 16);
    const year = packed >> 9;
    const month = (packed >> 5) & 15;
    const day = packed & 31;
    if (isDay(year, month, day)) to.integer(epochDays(year, month, day));
    else odd(event, at, at + 3, to);
    return at + 3;
  };
}

const dateAsText: BinaryReader = (event, at, to) => {
  const packed = event.readUIntLE(at, 3);
  to.string(dateText(packed >> 9, (packed >> 5) & 15, packed & 31));
  return at + 3;
};

const fractionBytes = (digits: number) => (digits + 1) >> 1;

/** A fraction in 0 to 3 bytes, big-endian, as µs: an odd number of digits is stored with one zero more. */
function fraction(event: Buffer, at: number, bytes: number): number {
  switch (bytes) {
    case 0:
      return 0;
    case 1:
      return event[at]! * 10_000;
    case 2:
      return ((event[at]! << 8) | event[at + 1]!) * 100;
    default:
      return (event[at]! << 16) | (event[at + 1]! << 8) | event[at + 2]!;
  }
}

function timeReader(digits: number, place: OddPlace): BinaryReader {
  const bytes = fractionBytes(digits);
  const odd = oddTime(place, (event, at) => {
    const { seconds, micros, sign } = unpackTime(event, at, bytes);
    return sign * (seconds * 1_000_000 + micros);
  });
  return (event, at, to) => {
    const packed = ((event[at]! << 16) | (event[at + 1]! << 8) | event[at + 2]!) - 0x800000;
    const hours = packed >> 12;
    if (packed < 0 || hours > 23) {
      odd(event, at, at + 3 + bytes, to);
    } else {
      const seconds = hours * 3600 + ((packed >> 6) & 63) * 60 + (packed & 63);
      to.micros(seconds * 1_000_000 + fraction(event, at + 3, bytes));
    }
    return at + 3 + bytes;
  };
}

function timeAsText(digits: number): BinaryReader {
  const bytes = fractionBytes(digits);
  return (event, at, to) => {
    const { seconds, micros, sign } = unpackTime(event, at, bytes);
    to.string((sign < 0 ? '-' : '') + clockText(seconds, micros, digits));
    return at + 3 + bytes;
  };
}

/** Any TIME, whose fraction has so many bytes. */
function unpackTime(event: Buffer, at: number, bytes: number): { seconds: number; micros: number; sign: 1 | -1 } {
  const unit = 256 ** bytes;
  // Whole and fraction are one number in two's complement.
  const signed = event.readUIntBE(at, 3 + bytes) - 0x800000 * unit;
  const packed = Math.floor(Math.abs(signed) / unit);
  const micros = bytes === 0 ? 0 : (Math.abs(signed) % unit) * toMicros[bytes * 2]!;
  const seconds = (packed >> 12) * 3600 + ((packed >> 6) & 63) * 60 + (packed & 63);
  return { seconds, micros, sign: signed < 0 ? -1 : 1 };
}

function datetimeReader(digits: number, place: OddPlace): BinaryReader {
  const bytes = fractionBytes(digits);
  const odd = oddDate(place);
  return (event, at, to) => {
    // 1 bit sign (always set), 17 bits year * 13 + month, then 5 day, 5 hour, 6 minute, 6 second.
    const upper = ((event[at]! & 0x7f) << 16) | (event[at + 1]! << 8) | event[at + 2]!;
    const lower = (event[at + 3]! << 8) | event[at + 4]!;
    const yearMonth = upper >> 6;
    const year = Math.trunc(yearMonth / 13);
    const month = yearMonth - year * 13;
    const day = (upper >> 1) & 31;
    if (isDay(year, month, day)) {
      const hour = ((upper & 1) << 4) | (lower >> 12);
      const seconds = epochDays(year, month, day) * 86_400 + hour * 3600 + ((lower >> 6) & 63) * 60 + (lower & 63);
      writeTimestamp(seconds, fraction(event, at + 5, bytes), to);
    } else {
      odd(event, at, at + 5 + bytes, to);
    }
    return at + 5 + bytes;
  };
}

function datetimeAsText(digits: number): BinaryReader {
  const bytes = fractionBytes(digits);
  return (event, at, to) => {
    const upper = event.readUIntBE(at, 3) & 0x7f_ffff;
    const lower = event.readUInt16BE(at + 3);
    const yearMonth = upper >> 6;
    const year = Math.trunc(yearMonth / 13);
    const seconds = (((upper & 1) << 4) | (lower >> 12)) * 3600 + ((lower >> 6) & 63) * 60 + (lower & 63);
    const day = dateText(year, yearMonth - year * 13, (upper >> 1) & 31);
    to.string(`${day} ${clockText(seconds, fraction(event, at + 5, bytes), digits)}`);
    return at + 5 + bytes;
  };
}

function timestampReader(digits: number, place: OddPlace): BinaryReader {
  const bytes = fractionBytes(digits);
  const odd = oddDate(place);
  return (event, at, to) => {
    // Unsigned: MariaDB 11.5 and later reach the year 2106.
    const seconds = event.readUInt32BE(at);
    const micros = fraction(event, at + 4, bytes);
    if (seconds === 0 && micros === 0) odd(event, at, at + 4 + bytes, to);
    else writeTimestamp(seconds, micros, to);
    return at + 4 + bytes;
  };
}

function timestampAsText(digits: number): BinaryReader {
  const bytes = fractionBytes(digits);
  return (event, at, to) => {
    to.string(instantText(event.readUInt32BE(at), fraction(event, at + 4, bytes), digits));
    return at + 4 + bytes;
  };
}

/** Nothing is the zero date, which is how the server stores it. */
function instantText(seconds: number, micros: number, digits: number): string {
  if (seconds === 0 && micros === 0) return `0000-00-00 ${clockText(0, 0, digits)}`;
  return `${new Date(seconds * 1000).toISOString().slice(0, 10)} ${clockText(seconds % 86_400, micros, digits)}`;
}

/** Before MySQL 5.6, and with MariaDB's mysql56_temporal_format=OFF: whole seconds, as decimal digits but for TIMESTAMP. */
function oldReader(form: TemporalForm & { kind: 'time' | 'datetime' | 'timestamp' }, place: OddPlace): BinaryReader {
  const asText = form.odd === 'text';
  const oddDay = oddDate(place);
  const oddClock = oddTime(place, (event, at) => {
    const digits = event.readIntLE(at, 3);
    return Math.sign(digits) * clock(Math.abs(digits)) * 1_000_000;
  });
  const clock = (digits: number) =>
    Math.trunc(digits / 10_000) * 3600 + (Math.trunc(digits / 100) % 100) * 60 + (digits % 100);
  switch (form.kind) {
    case 'time':
      return (event, at, to) => {
        const digits = event.readIntLE(at, 3);
        const seconds = clock(Math.abs(digits));
        if (asText) to.string((digits < 0 ? '-' : '') + clockText(seconds, 0, 0));
        else if (digits < 0 || seconds >= 86_400) oddClock(event, at, at + 3, to);
        else to.micros(seconds * 1_000_000);
        return at + 3;
      };
    case 'datetime':
      return (event, at, to) => {
        const digits = Number(event.readBigUInt64LE(at));
        const date = Math.trunc(digits / 1_000_000);
        const seconds = clock(digits % 1_000_000);
        const [year, month, day] = [Math.trunc(date / 10_000), Math.trunc(date / 100) % 100, date % 100];
        if (asText) to.string(`${dateText(year, month, day)} ${clockText(seconds, 0, 0)}`);
        else if (isDay(year, month, day)) writeTimestamp(epochDays(year, month, day) * 86_400 + seconds, 0, to);
        else oddDay(event, at, at + 8, to);
        return at + 8;
      };
    case 'timestamp':
      return (event, at, to) => {
        const seconds = event.readUInt32LE(at);
        if (asText) to.string(instantText(seconds, 0, 0));
        else if (seconds === 0) oddDay(event, at, at + 4, to);
        else writeTimestamp(seconds, 0, to);
        return at + 4;
      };
  }
}
