// The narrowest type that holds the values of two others: for CASE branches, IN lists, COALESCE and comparisons.
import { sameType, type DataType, type StructField } from '../../core/data-type.js';

type Decimal = DataType & { kind: 'DECIMAL' };

/** A number type as the DECIMAL that holds all of it; null for DOUBLE and what is no number. */
export function asDecimal(type: DataType): Decimal | null {
  switch (type.kind) {
    case 'INTEGER':
      return { kind: 'DECIMAL', precision: 10, scale: 0 };
    case 'BIGINT':
      return { kind: 'DECIMAL', precision: 19, scale: 0 };
    case 'DECIMAL':
      return type;
    default:
      return null;
  }
}

export function isNumber(type: DataType): boolean {
  return type.kind === 'DOUBLE' || asDecimal(type) !== null;
}

/** Null when there is none: text never turns into numbers by itself. */
export function commonType(a: DataType, b: DataType): DataType | null {
  if (sameType(a, b)) return 'digits' in a && 'digits' in b && b.digits > a.digits ? b : a;
  if (isNumber(a) && isNumber(b)) return commonNumber(a, b);
  if (a.kind === 'ARRAY' && b.kind === 'ARRAY') {
    const element = commonType(a.element, b.element);
    return element && { kind: 'ARRAY', element };
  }
  if (a.kind === 'MAP' && b.kind === 'MAP') {
    const value = sameType(a.key, b.key) ? commonType(a.value, b.value) : null;
    return value && { kind: 'MAP', key: a.key, value };
  }
  if (a.kind === 'STRUCT' && b.kind === 'STRUCT') return commonStruct(a.fields, b.fields);
  return null;
}

/** All fields of both, in order of their first mention; a field that a value lacks is NULL. */
function commonStruct(a: readonly StructField[], b: readonly StructField[]): DataType | null {
  const fields = [...a];
  for (const field of b) {
    const at = fields.findIndex((candidate) => candidate.name === field.name);
    if (at < 0) {
      fields.push(field);
      continue;
    }
    const type = commonType(fields[at]!.type, field.type);
    if (type === null) return null;
    fields[at] = { name: field.name, type };
  }
  return { kind: 'STRUCT', fields };
}

function commonNumber(a: DataType, b: DataType): DataType {
  if (a.kind === 'DOUBLE' || b.kind === 'DOUBLE') return { kind: 'DOUBLE' };
  if (a.kind !== 'DECIMAL' && b.kind !== 'DECIMAL') return { kind: 'BIGINT' };
  const x = asDecimal(a)!;
  const y = asDecimal(b)!;
  const scale = Math.max(x.scale, y.scale);
  return { kind: 'DECIMAL', precision: Math.max(x.precision - x.scale, y.precision - y.scale) + scale, scale };
}

/** The result of `a op b`, by ksqlDB's rules; null when the types do not calculate. */
export function arithmeticType(op: '+' | '-' | '*' | '/' | '%', a: DataType, b: DataType): DataType | null {
  if (!isNumber(a) || !isNumber(b)) return null;
  if (a.kind !== 'DECIMAL' && b.kind !== 'DECIMAL') return sameType(a, b) ? a : commonNumber(a, b);
  if (a.kind === 'DOUBLE' || b.kind === 'DOUBLE') return { kind: 'DOUBLE' };
  const { precision: p1, scale: s1 } = asDecimal(a)!;
  const { precision: p2, scale: s2 } = asDecimal(b)!;
  switch (op) {
    case '+':
    case '-':
      return decimal(Math.max(s1, s2) + Math.max(p1 - s1, p2 - s2) + 1, Math.max(s1, s2));
    case '*':
      return decimal(p1 + p2 + 1, s1 + s2);
    case '/': {
      const scale = Math.max(6, s1 + p2 + 1);
      return decimal(p1 - s1 + s2 + scale, scale);
    }
    case '%':
      return decimal(Math.min(p1 - s1, p2 - s2) + Math.max(s1, s2), Math.max(s1, s2));
  }
}

function decimal(precision: number, scale: number): DataType {
  return { kind: 'DECIMAL', precision, scale };
}
