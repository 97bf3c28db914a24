// TIMESTAMP as Debezium writes it, whatever its mode of times: ISO text in UTC, with just as many digits behind the second as the column
// has, and no point where it has none (`io.debezium.time.ZonedTimestamp`).
import { epochDays, isDay } from '../../core/calendar.js';
import { integerValue, type DataType } from '../../core/data-type.js';
import { assert } from '../../core/errors.js';
import { timestampText } from '../../core/time-text.js';

export const zonedTimestamp = 'io.debezium.time.ZonedTimestamp';

/** Of a type that is such text. */
export function zonedDigits(type: DataType): number {
  assert(type.kind === 'TIMESTAMP' && type.zoned !== undefined, 'only TIMESTAMP is text in UTC');
  return type.zoned;
}

export function zonedText(micros: number | bigint, digits: number): string {
  const text = timestampText(micros);
  const point = text.lastIndexOf('.');
  if (digits === 0) return `${text.slice(0, point)}Z`;
  return `${text.slice(0, point + 1)}${text.slice(point + 1, point + 1 + digits).padEnd(digits, '0')}Z`;
}

const form = /^([+-]?\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** µs since the epoch; undefined: the text is no such time, or one that is finer. */
export function zonedMicros(text: string): number | bigint | undefined {
  const found = form.exec(text);
  if (found === null) return undefined;
  const part = (i: number) => Number(found[i] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const fraction = (found[7] ?? '').padEnd(9, '0');
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || second > 59 || !fraction.endsWith('000'))
    return undefined;
  const offset = (part(9) * 60 + part(10)) * (found[8] === '-' ? -60 : 60);
  const seconds = epochDays(year, month, day) * 86_400 + (hour * 60 + minute) * 60 + second - offset;
  const micros = seconds * 1_000_000 + Number(fraction.slice(0, 6));
  return Number.isSafeInteger(micros)
    ? micros
    : integerValue(BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6)));
}
