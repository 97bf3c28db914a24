// A comparison of a key column with a constant, as a value of the column's own type: what an index can be asked for.
import { integerValue, sameType, type DataType, type Value } from '../../core/data-type.js';
import { big, decimalText, powerOfTen } from '../../core/decimal.js';
import type { CompareOp, Expr } from '../plan.js';

export type KeyComparison =
  | { readonly kind: 'value'; readonly op: '=' | '<' | '<=' | '>' | '>='; readonly value: Value }
  /** The comparison holds for no value of the column. */
  | { readonly kind: 'never' };

const flipped: Partial<Record<CompareOp, CompareOp>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Null when the expression says nothing about the column that an index could use. */
export function keyValue(e: Expr, column: number, type: DataType): KeyComparison | null {
  if (e.kind !== 'compare') return null;
  const direct = isColumn(e.left, column);
  const constant = direct ? e.right : isColumn(e.right, column) ? e.left : null;
  if (constant?.kind !== 'literal') return null;
  let op = direct ? e.op : (flipped[e.op] ?? e.op);
  if (op === 'is not distinct from') {
    if (constant.value === null) return null;
    op = '=';
  }
  if (op === '<>' || op === 'is distinct from') return null;
  if (constant.value === null) return { kind: 'never' };
  const value = exactly(constant.value, constant.type, type);
  if (value !== undefined) return { kind: 'value', op, value };
  return op === '=' && isExact(type) && isExact(constant.type) ? { kind: 'never' } : null;
}

function isColumn(e: Expr, column: number): boolean {
  return e.kind === 'column' && e.index === column;
}

function isExact(type: DataType): boolean {
  return type.kind === 'INTEGER' || type.kind === 'BIGINT' || type.kind === 'DECIMAL';
}

/** The same number in the column's type; undefined when it has no such value, or equality there is not plain. */
function exactly(value: Value, from: DataType, to: DataType): Value | undefined {
  // 0.0 and -0.0 are equal but are two keys, and NaN equals nothing: doubles of that kind are left to the evaluator.
  if (to.kind === 'DOUBLE') {
    const number = toDouble(value, from);
    return number === undefined || number === 0 || Number.isNaN(number) ? undefined : number;
  }
  if (sameType(from, to)) return isOrderedKey(to) ? value : undefined;
  const scaled = toScaled(value, from);
  if (scaled === undefined) return undefined;
  switch (to.kind) {
    case 'INTEGER':
    case 'BIGINT': {
      const whole = atScale(scaled, 0);
      const bits = to.kind === 'INTEGER' ? 32 : 64;
      return whole === undefined || BigInt.asIntN(bits, whole) !== whole ? undefined : integerValue(whole);
    }
    case 'DECIMAL': {
      const unscaled = atScale(scaled, to.scale);
      const limit = powerOfTen(to.precision);
      return unscaled === undefined || unscaled >= limit || unscaled <= -limit ? undefined : integerValue(unscaled);
    }
    default:
      return undefined;
  }
}

/** Nested values have no order that the store shares. */
function isOrderedKey(type: DataType): boolean {
  return !['ARRAY', 'MAP', 'STRUCT'].includes(type.kind);
}

interface Scaled {
  readonly unscaled: bigint;
  readonly scale: number;
}

function toScaled(value: Value, from: DataType): Scaled | undefined {
  switch (from.kind) {
    case 'INTEGER':
    case 'BIGINT':
      return { unscaled: big(value), scale: 0 };
    case 'DECIMAL':
      return { unscaled: big(value), scale: from.scale };
    case 'DOUBLE':
      return Number.isInteger(value) ? { unscaled: BigInt(value as number), scale: 0 } : undefined;
    default:
      return undefined;
  }
}

function atScale({ unscaled, scale }: Scaled, to: number): bigint | undefined {
  if (to >= scale) return unscaled * powerOfTen(to - scale);
  const unit = powerOfTen(scale - to);
  return unscaled % unit === 0n ? unscaled / unit : undefined;
}

/** DECIMALs meet DOUBLEs as their nearest double; integers only where they are one. */
function toDouble(value: Value, from: DataType): number | undefined {
  switch (from.kind) {
    case 'DOUBLE':
      return value as number;
    case 'DECIMAL':
      return Number(decimalText(value as number | bigint, from.scale));
    case 'INTEGER':
    case 'BIGINT': {
      const number = Number(value);
      return BigInt(number) === big(value) ? number : undefined;
    }
    default:
      return undefined;
  }
}
