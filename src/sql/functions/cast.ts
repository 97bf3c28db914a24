// CAST, as functions from Value to Value made for two types. Used by the evaluator of dataflow for `cast` expressions and by
// the planner for constants. A value that does not convert throws `unconvertible-value`; SQL NULL stays NULL.
import { integerValue, printType, sameType, type DataType, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { dateText, shortTimeText, timestampText } from '../../core/time-text.js';
import { big, decimalText, powerOfTen, rescale } from '../../core/decimal.js';
import { spend } from '../../core/evaluation-work.js';
import { decimalFromText, fitDecimal, shortened } from './decimal.js';
import { parseDate, parseTime, parseTimestamp } from './time-text.js';

export type Cast = (value: Value) => Value;

/** The conversion, or null when SQL has none between these types. */
export function castBody(from: DataType, to: DataType): Cast | null {
  if (sameType(from, to)) return identity;
  const body = nonNullCast(from, to);
  if (body === null || body === identity) return body;
  if (from.kind !== 'STRING') return (value) => (value === null ? null : body(value));
  return (value) => {
    if (value === null) return null;
    spend((value as string).length);
    return body(value);
  };
}

export const identity: Cast = (value) => value;

function nonNullCast(from: DataType, to: DataType): Cast | null {
  switch (to.kind) {
    case 'STRING':
      return toText(from);
    case 'INTEGER':
      return toInteger(from, 32);
    case 'BIGINT':
      return toInteger(from, 64);
    case 'DOUBLE':
      return toDouble(from);
    case 'DECIMAL':
      return toDecimal(from, to.precision, to.scale);
    case 'BOOLEAN':
      return from.kind === 'STRING' ? (v) => /^(t|tr|tru|true|y|ye|yes)$/i.test((v as string).trim()) : null;
    case 'DATE':
      if (from.kind === 'TIMESTAMP') return (v) => Number(floorDiv(big(v), 86_400_000_000n));
      return from.kind === 'STRING' ? parsed(to, parseDate) : null;
    case 'TIME':
      if (from.kind === 'TIME') return identity;
      if (from.kind === 'TIMESTAMP') {
        return (v) => Number(big(v) - floorDiv(big(v), 86_400_000_000n) * 86_400_000_000n);
      }
      return from.kind === 'STRING' ? parsed(to, parseTime) : null;
    case 'TIMESTAMP':
      if (from.kind === 'TIMESTAMP') return identity;
      if (from.kind === 'DATE') return (v) => integerValue(big(v) * 86_400_000_000n);
      return from.kind === 'STRING' ? parsed(to, parseTimestamp) : null;
    case 'ARRAY':
      return from.kind === 'ARRAY' ? castArray(from.element, to.element) : null;
    case 'MAP':
      return from.kind === 'MAP' ? castMap(from, to) : null;
    case 'STRUCT':
      return from.kind === 'STRUCT' ? castStruct(from, to) : null;
    case 'BYTES':
      return null;
  }
}

function toText(from: DataType): Cast | null {
  switch (from.kind) {
    case 'BOOLEAN':
    case 'INTEGER':
    case 'BIGINT':
      return (v) => String(v as number);
    case 'DOUBLE':
      return (v) => doubleText(v as number);
    case 'DECIMAL':
      return (v) => decimalText(v as number | bigint, from.scale);
    case 'DATE':
      return (v) => dateText(v as number);
    case 'TIME':
      return (v) => shortTimeText(v as number);
    case 'TIMESTAMP':
      return (v) => timestampText(v as number | bigint);
    default:
      return null;
  }
}

/** Java's Double.toString: `1.0`, `1.0E10`, `NaN`, `Infinity`. */
export function doubleText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (size >= 1e-3 && size < 1e7) {
    const text = String(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
}

function toInteger(from: DataType, bits: 32 | 64): Cast | null {
  switch (from.kind) {
    case 'INTEGER':
      return identity;
    case 'BIGINT':
      // Java's (int) keeps the low 32 bits.
      return (v) => Number(BigInt.asIntN(32, big(v)));
    case 'DOUBLE':
      return (v) => saturated(v as number, bits);
    case 'DECIMAL': {
      const unit = powerOfTen(from.scale);
      return (v) => integerValue(BigInt.asIntN(bits, big(v) / unit));
    }
    case 'STRING':
      return (v) => {
        const number = /^([+-]?)(\d+)$/.exec((v as string).trim());
        const digits = number?.[2]!.replace(/^0+(?=\d)/, '');
        // Longer ones would only be made to be found too large.
        if (digits === undefined || digits.length > 19) throw badInput(bits === 32 ? 'INTEGER' : 'BIGINT', v as string);
        const n = number![1] === '-' ? -BigInt(digits) : BigInt(digits);
        if (BigInt.asIntN(bits, n) !== n) throw badInput(bits === 32 ? 'INTEGER' : 'BIGINT', v as string);
        return integerValue(n);
      };
    default:
      return null;
  }
}

function saturated(value: number, bits: 32 | 64): number | bigint {
  if (Number.isNaN(value)) return 0;
  const limit = 2 ** (bits - 1);
  if (value >= limit) return integerValue((1n << BigInt(bits - 1)) - 1n);
  if (value <= -limit) return integerValue(-(1n << BigInt(bits - 1)));
  return integerValue(BigInt(Math.trunc(value)));
}

function toDouble(from: DataType): Cast | null {
  switch (from.kind) {
    case 'INTEGER':
      return identity;
    case 'BIGINT':
      return (v) => Number(v);
    case 'DECIMAL':
      return (v) => Number(decimalText(v as number | bigint, from.scale));
    case 'STRING':
      return (v) => {
        const text = (v as string).trim();
        if (!/^[+-]?(NaN|Infinity|(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?)$/.test(text))
          throw badInput('DOUBLE', v as string);
        return Number(text);
      };
    default:
      return null;
  }
}

function toDecimal(from: DataType, precision: number, scale: number): Cast | null {
  const type = printType({ kind: 'DECIMAL', precision, scale });
  switch (from.kind) {
    case 'INTEGER':
    case 'BIGINT':
      return (v) => fitDecimal(big(v) * powerOfTen(scale), precision, scale);
    case 'DECIMAL':
      return (v) => fitDecimal(rescale(big(v), from.scale, scale), precision, scale);
    case 'DOUBLE':
    case 'STRING':
      return (v) => {
        const made = decimalFromText(String(v as number | string).trim(), precision, scale);
        if (made === null) throw badInput(type, String(v as number | string));
        return made;
      };
    default:
      return null;
  }
}

function parsed(to: DataType, parse: (text: string) => Value): Cast {
  return (v) => {
    const value = parse((v as string).trim());
    if (value === null) throw badInput(to.kind, v as string);
    return value;
  };
}

/** To convert one item of an array or a map, beside what its own conversion takes. */
const itemSteps = 16;

function castArray(from: DataType, to: DataType): Cast | null {
  const element = castBody(from, to);
  if (element === null) return null;
  return (v) => {
    const items = v as readonly Value[];
    spend(items.length * itemSteps);
    return items.map(element);
  };
}

function castMap(from: DataType & { kind: 'MAP' }, to: DataType & { kind: 'MAP' }): Cast | null {
  const value = castBody(from.value, to.value);
  // Keys of a map are text in memory whatever their type, so only equal key types convert.
  if (value === null || !sameType(from.key, to.key)) return null;
  return (v) => {
    const entries = v as ReadonlyMap<string, Value>;
    spend(entries.size * itemSteps);
    return new Map([...entries].map(([key, item]) => [key, value(item)]));
  };
}

/** Field by field, by name; a field that the source lacks is NULL. */
function castStruct(from: DataType & { kind: 'STRUCT' }, to: DataType & { kind: 'STRUCT' }): Cast | null {
  const parts: { index: number; cast: Cast }[] = [];
  for (const field of to.fields) {
    const index = from.fields.findIndex((candidate) => candidate.name === field.name);
    const cast = index < 0 ? identity : castBody(from.fields[index]!.type, field.type);
    if (cast === null) return null;
    parts.push({ index, cast });
  }
  return (v) => parts.map(({ index, cast }) => (index < 0 ? null : cast((v as readonly Value[])[index]!)));
}

function badInput(type: string, text: string): AppError {
  return new AppError('unconvertible-value', `invalid input syntax for type ${type}: "${shortened(text)}"`);
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}
