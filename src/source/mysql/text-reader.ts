// Values of a result row in the text protocol (snapshot) to the writer, straight from the packet, one function per column. The
// session gives text in the column's own character set and times in UTC (snapshot-session.ts), so that each value arrives here
// in the same form as from the binlog and leaves in the identical one.
import { epochDays, isDay } from '../../core/calendar.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import type { ReadingPlace } from './binary-reader.js';
import { computed, textWriter } from './charset.js';
import { unsupportedType, type TableColumn } from './column-form.js';
import { shortestFloat } from './float.js';
import { geometryWriter, vectorOf } from './geometry.js';
import { oddDate, oddTime, type OddPlace } from './odd-times.js';
import { toMicros, writeTimestamp } from './temporal.js';

/** Reads the value between start and end, which is not null. */
export type TextReader = (packet: Buffer, start: number, end: number, to: ValueWriter) => void;

/** How a column is asked for: floats are widened first, because their text would be rounded to six digits. */
export function selectExpression(column: TableColumn): string {
  const name = quoteName(column.name);
  if (column.form.kind === 'float' || column.form.kind === 'double') return `${name}*1e0`;
  // In some character sets the driver cannot even read the name of a result's column.
  if ('charset' in column.form && !computed.has(column.form.charset)) return `CAST(${name} AS BINARY)`;
  // Names that the driver refuses in a result.
  return column.name.startsWith('__') ? `${name} AS ${quoteName(`_${column.name}`)}` : name;
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function textReader(column: TableColumn, place: ReadingPlace): TextReader {
  const { form } = column;
  const { where } = place;
  switch (form.kind) {
    case 'integer':
      return form.bytes === 8 ? (form.unsigned ? decimalText : bigintText) : integerText;
    case 'decimal':
      return decimalText;
    case 'float':
      return (packet, start, end, to) => to.double(shortestFloat(Number(packet.toString('latin1', start, end))));
    case 'double':
      return (packet, start, end, to) => to.double(Number(packet.toString('latin1', start, end)));
    case 'text':
    case 'enum':
    case 'set':
      return textWriter(form.charset, place.charsets.get(form.charset), place);
    case 'bytes':
      return (packet, start, end, to) => to.bytes(packet, start, end);
    case 'bit':
      return form.bits === 1
        ? (packet, start, _end, to) => to.boolean((packet[start]! & 1) === 1)
        : (packet, start, end, to) => to.bytes(packet, start, end);
    case 'date':
      return form.odd === 'text' ? asItIs : dateText({ ...place, odd: form.odd });
    case 'time':
      return form.odd === 'text' ? asItIs : timeText({ ...place, odd: form.odd });
    case 'datetime':
    case 'timestamp':
      return form.odd === 'text' ? asItIs : datetimeText({ ...place, odd: form.odd });
    case 'year':
      return integerText;
    case 'json':
    case 'uuid':
    case 'inet4':
    case 'inet6':
      return asItIs;
    case 'geometry':
      return geometryWriter(form.as, where);
    case 'vector':
      return (packet, start, end, to) => to.value(vectorOf(packet, start, end, shortestFloat));
    case 'unsupported':
      throw unsupportedType(column, where);
  }
}

const asItIs: TextReader = (packet, start, end, to) => to.utf8(packet, start, end);

/** Up to 15 digits and a sign. */
function integerText(packet: Buffer, start: number, end: number, to: ValueWriter): void {
  to.integer(integerAt(packet, start, end));
}

function integerAt(packet: Buffer, start: number, end: number): number {
  const negative = packet[start] === 0x2d;
  let value = 0;
  for (let at = negative ? start + 1 : start; at < end; at++) value = value * 10 + (packet[at]! - 48);
  return negative && value !== 0 ? -value : value;
}

function bigintText(packet: Buffer, start: number, end: number, to: ValueWriter): void {
  if (end - start <= 15) return to.integer(integerAt(packet, start, end));
  const value = BigInt(packet.toString('latin1', start, end));
  to.int64(Number(value >> 32n), Number(value & 0xffffffffn));
}

/** ZEROFILL puts zeros in front, which are not part of the value. */
function decimalText(packet: Buffer, start: number, end: number, to: ValueWriter): void {
  let at = start;
  while (packet[at] === 48 && at + 1 < end && packet[at + 1] !== 0x2e) at++;
  to.decimal(packet, at, end);
}

function digits(packet: Buffer, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 10 + (packet[i]! - 48);
  return value;
}

/** `2024-05-06` */
function dateText(place: OddPlace): TextReader {
  const odd = oddDate(place);
  return (packet, start, end, to) => {
    const year = digits(packet, start, 4);
    const month = digits(packet, start + 5, 2);
    const day = digits(packet, start + 8, 2);
    if (isDay(year, month, day)) to.integer(epochDays(year, month, day));
    else odd(packet, start, end, to);
  };
}

/** µs of what stands behind the seconds: nothing, or a point and 1 to 6 digits. */
function fractionText(packet: Buffer, at: number, end: number): number {
  const count = end - at - 1;
  return count > 0 ? digits(packet, at + 1, count) * toMicros[count]! : 0;
}

/** `2024-05-06 07:08:09.123456` */
function datetimeText(place: OddPlace): TextReader {
  const odd = oddDate(place);
  return (packet, start, end, to) => {
    const year = digits(packet, start, 4);
    const month = digits(packet, start + 5, 2);
    const day = digits(packet, start + 8, 2);
    if (!isDay(year, month, day)) return odd(packet, start, end, to);
    const seconds =
      epochDays(year, month, day) * 86_400 +
      digits(packet, start + 11, 2) * 3600 +
      digits(packet, start + 14, 2) * 60 +
      digits(packet, start + 17, 2);
    writeTimestamp(seconds, fractionText(packet, start + 19, end), to);
  };
}

/** `-838:59:59.000000` in µs. */
function anyTime(packet: Buffer, start: number, end: number): number {
  const [, sign, hours, minutes, seconds, fraction = ''] = /^(-?)(\d+):(\d+):(\d+)(?:\.(\d*))?$/.exec(
    packet.toString('latin1', start, end),
  )!;
  const whole = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const micros = whole * 1_000_000 + Number(fraction.padEnd(6, '0'));
  return sign === '-' ? -micros : micros;
}

/** `12:34:56.123456`; a sign or a third digit of the hours is out of range. */
function timeText(place: OddPlace): TextReader {
  const odd = oddTime(place, anyTime);
  return (packet, start, end, to) => {
    const hours = digits(packet, start, 2);
    if (packet[start] === 0x2d || packet[start + 2] !== 0x3a || hours > 23) {
      return odd(packet, start, end, to);
    }
    const seconds = hours * 3600 + digits(packet, start + 3, 2) * 60 + digits(packet, start + 6, 2);
    to.micros(seconds * 1_000_000 + fractionText(packet, start + 8, end));
  };
}
