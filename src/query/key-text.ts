// A key as it stands in a URL or in a read request: the parts of a composite key separated by commas, each percent-encoded, typed by
// their columns. Values that do not fit give bad-key naming the column.
import {
  printType,
  type Column,
  type DataType,
  type Row,
  type RowSchema,
  type Value,
  integerValue,
} from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { decimalText } from '../core/decimal.js';
import { dateText, timestampText, timeText } from '../core/time-text.js';

export function parseKeyText(text: string, schema: RowSchema, table: string): Row {
  const columns = schema.keyColumns.map((i) => schema.columns[i]!);
  const parts = columns.length === 1 ? [text] : text.split(',');
  if (parts.length !== columns.length) {
    throw new AppError('bad-key', `table ${table} has a key of ${columns.length} columns, got ${parts.length}`, {
      hint: `give ${columns.map((c) => c.name).join(',')}, a comma inside a part as %2C`,
    });
  }
  return parts.map((part, i) => parsePart(decode(part, table), columns[i]!, table));
}

export function printKeyText(key: Row, schema: RowSchema): string {
  return key
    .map((value, i) => encodeURIComponent(printPart(value, schema.columns[schema.keyColumns[i]!]!.type)))
    .join(',');
}

function decode(part: string, table: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new AppError('bad-key', `the key for table ${table} is not percent-encoded UTF-8`, { cause });
  }
}

function parsePart(text: string, column: Column, table: string): Value {
  const value = valueOf(text, column.type);
  if (value === undefined) {
    throw new AppError(
      'bad-key',
      `"${text.slice(0, 80)}" is no ${printType(column.type)}: key column ${column.name} of table ${table}`,
      {
        hint: `GET /v1/tables lists the key columns and their types`,
      },
    );
  }
  return value;
}

function valueOf(text: string, type: DataType): Value | undefined {
  switch (type.kind) {
    case 'STRING':
      return text;
    case 'INTEGER': {
      const value = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      return (value | 0) === value ? value + 0 : undefined;
    }
    case 'BIGINT': {
      if (!/^-?\d{1,19}$/.test(text)) return undefined;
      const short = text.length <= 15;
      if (short) return Number(text) + 0;
      const value = BigInt(text);
      return BigInt.asIntN(64, value) === value ? integerValue(value) : undefined;
    }
    case 'BOOLEAN':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'DOUBLE':
      if (text === 'NaN' || /^-?Infinity$/.test(text)) return Number(text);
      return /^-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : undefined;
    case 'DECIMAL': {
      const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
      const fraction = match?.[3] ?? '';
      if (!match || fraction.replace(/0+$/, '').length > type.scale) return undefined;
      return integerValue(BigInt(match[1]! + match[2]! + fraction.slice(0, type.scale).padEnd(type.scale, '0')));
    }
    case 'BYTES':
      return /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
    case 'DATE':
      return daysOf(text);
    case 'TIMESTAMP':
      return timestampOf(text);
    case 'TIME': {
      const match = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?$/.exec(text);
      if (!match) return undefined;
      return (
        (Number(match[1]) * 3600 + Number(match[2]) * 60 + Number(match[3])) * 1_000_000 +
        Number((match[4] ?? '').padEnd(6, '0'))
      );
    }
    default:
      return undefined;
  }
}

/** Days since 1970; a day that the month does not have is none (Date would take it for one of the next month). */
function daysOf(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  const days = ms / 86_400_000;
  return Number.isNaN(ms) || dateText(days) !== text ? undefined : days;
}

/** `yyyy-mm-ddThh:mm:ss[.ffffff][Z]` in UTC. */
function timestampOf(text: string): Value | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z?$/.exec(text);
  if (!match || daysOf(match[1]!) === undefined) return undefined;
  const seconds = Date.parse(`${match[1]}T${match[2]}Z`) / 1000;
  if (Number.isNaN(seconds)) return undefined;
  return integerValue(BigInt(seconds) * 1_000_000n + BigInt((match[3] ?? '').padEnd(6, '0') || '0'));
}

function printPart(value: Value, type: DataType): string {
  if (value === null) return '';
  switch (type.kind) {
    case 'BYTES':
      return (value as Buffer).toString('base64');
    case 'DATE':
      return dateText(value as number);
    case 'TIMESTAMP':
      return timestampText(value as number | bigint, 'exact');
    case 'TIME':
      return timeText(value as number, 'exact');
    case 'DECIMAL':
      return decimalText(value as number | bigint, type.scale);
    default:
      return `${value as string | number | bigint | boolean}`;
  }
}
