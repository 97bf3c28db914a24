// Values of columns in another type, as the transform Cast of Kafka Connect makes them, with one difference: what does not fit the type
// that is asked for is an error that shows the value, where Java cuts bits off.
import { AppError } from '../../core/errors.js';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, type DataType } from '../../core/data-type.js';
import type { ValueWriter } from '../../core/row-encoder.js';
import { integerHalves } from './write-value.js';

export type CastTarget = 'int8' | 'int16' | 'int32' | 'int64' | 'float64' | 'boolean' | 'string';

export interface Cast {
  readonly to: CastTarget;
  /** `database.table.column`, for messages. */
  readonly where: string;
}

/** Of a decimal its text. */
export type CastSource = boolean | number | bigint | { readonly decimal: string } | { readonly text: string };

const targets: Readonly<Record<CastTarget, DataType>> = {
  int8: INTEGER,
  int16: INTEGER,
  int32: INTEGER,
  int64: BIGINT,
  float64: DOUBLE,
  boolean: BOOLEAN,
  string: STRING,
};

export const castTargets = Object.keys(targets) as readonly CastTarget[];

/** Of columns that have a number, a truth value or text: times are numbers whose unit a reader knows from their type. */
export function castType(from: DataType, to: CastTarget): DataType | undefined {
  switch (from.kind) {
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
    case 'DOUBLE':
    case 'DECIMAL':
    case 'STRING':
      return targets[to];
    default:
      return undefined;
  }
}

const bits = { int8: 8, int16: 16, int32: 32, int64: 64 } as const;

/** Throws unconvertible-value. */
export function writeCast(writer: ValueWriter, { to, where }: Cast, value: CastSource): void {
  switch (to) {
    case 'string':
      return writer.string(textOf(value));
    case 'boolean':
      return writer.boolean(truthOf(value));
    case 'float64': {
      const number = numberOf(value);
      if (!Number.isFinite(number)) throw failed(where, to, value);
      return writer.double(number);
    }
    default: {
      const whole = wholeOf(value);
      if (whole === undefined || BigInt.asIntN(bits[to], whole) !== whole) throw failed(where, to, value);
      if (to === 'int64') return writer.int64(...integerHalves(whole));
      return writer.integer(Number(whole));
    }
  }
}

function failed(where: string, to: CastTarget, value: CastSource): AppError {
  return new AppError('unconvertible-value', `a value of column ${where} cannot be cast to ${to}`, {
    detail: JSON.stringify(textOf(value).slice(0, 100)),
    hint: 'choose another type for the transform Cast, or leave the column out of it',
  });
}

function textOf(value: CastSource): string {
  if (typeof value === 'number') return javaDouble(value);
  if (typeof value !== 'object') return String(value);
  return 'text' in value ? value.text : value.decimal;
}

function truthOf(value: CastSource): boolean {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object' && 'text' in value) return value.text.toLowerCase() === 'true';
  return wholeOf(value) !== 0n;
}

function numberOf(value: CastSource): number {
  if (typeof value !== 'object') return Number(value);
  if ('decimal' in value) return Number(value.decimal);
  const text = value.text.trim();
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
}

/** A fraction is cut off, of numbers; text with one is none. */
function wholeOf(value: CastSource): bigint | undefined {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'boolean':
      return value ? 1n : 0n;
    case 'number':
      return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
    default: {
      const text = 'decimal' in value ? value.decimal.replace(/\..*/, '') : value.text.replace(/^\+/, '');
      return /^-?\d+$/.test(text) ? BigInt(text) : undefined;
    }
  }
}

/** As Java prints a double: at least one digit behind the point, an exponent below 0.001 and from ten millions on. */
function javaDouble(value: number): string {
  const size = Math.abs(value);
  const withPoint = (text: string) => (text.includes('.') ? text : `${text}.0`);
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-3 && size < 1e7) return withPoint(String(value));
  const [digits, exponent] = value.toExponential().split('e');
  return `${withPoint(digits!)}E${Number(exponent)}`;
}
