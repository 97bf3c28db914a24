// One type for several expressions: the items of a list, of an ARRAY, the values of a MAP. Constant texts become numbers, dates
// or truth values where the others are; constant numbers become texts where the first is one. Nothing else changes by itself.
import { sameType, STRING, type DataType } from '../../core/data-type.js';
import type { Expression } from '../ast.js';
import { parseDecimal } from '../functions/decimal.js';
import { commonType, isNumber } from '../functions/common-type.js';
import type { Expr } from '../plan.js';
import { literalOf } from './literal.js';
import { coerce, typed, type Typed } from './typed.js';

/** How the two ways to fail are told. */
export interface CommonErrors {
  readonly noOperator: (a: DataType, b: DataType, e: Expression) => Error;
  readonly badText: (type: DataType, text: string, e: Expression) => Error;
}

/** The items in one type; null when all are bare NULLs. */
export function inOneType(
  expressions: readonly Expression[],
  items: readonly Typed[],
  errors: CommonErrors,
): { readonly type: DataType; readonly exprs: readonly Expr[] } | null {
  const first = items.find((item) => item.type !== null)?.type;
  if (first === undefined || first === null) return null;
  let type = first;
  const converted = items.map((item, i) => {
    const e = expressions[i]!;
    const taken = constantAs(item, first, e, errors);
    if (taken.type === null) return taken;
    const common = widest(type, taken.type);
    if (common === null) throw errors.noOperator(type, taken.type, e);
    type = common;
    return taken;
  });
  return { type, exprs: converted.map((item) => coerce(item, type)!) };
}

function widest(a: DataType, b: DataType): DataType | null {
  if (a.kind === 'TIMESTAMP' && b.kind === 'DATE') return a;
  if (a.kind === 'DATE' && b.kind === 'TIMESTAMP') return b;
  return commonType(a, b);
}

/** A constant beside a value of another type. */
function constantAs(item: Typed, type: DataType, e: Expression, errors: CommonErrors): Typed {
  const { expr } = item;
  if (item.type === null || expr.kind !== 'literal' || sameType(item.type, type)) return item;
  if (type.kind === 'STRING') {
    const isPlain = isNumber(item.type) || item.type.kind === 'BOOLEAN';
    return isPlain ? typed(coerce(item, STRING)!) : item;
  }
  if (item.type.kind !== 'STRING') return item;
  const text = expr.value as string;
  if (isNumber(type)) return numberOf(text, e) ?? fail(errors.badText(type, text, e));
  if (type.kind === 'BOOLEAN') {
    if (!/^(true|false|t|f|yes|no|y|n)$/i.test(text)) throw errors.badText(type, text, e);
    return typed(coerce(item, type)!);
  }
  const made = ['DATE', 'TIME', 'TIMESTAMP'].includes(type.kind) ? coerce(item, type) : null;
  if (made === null) return item;
  if (made.kind !== 'literal') throw errors.badText(type, text, e);
  return typed(made);
}

/** A text as the number that it would be without its quotes. */
function numberOf(text: string, e: Expression): Typed | null {
  const trimmed = text.trim();
  if (parseDecimal(trimmed) === null) return null;
  const plain = trimmed.replace(/^\+/, '');
  const kind = /[eE]/.test(plain) ? 'double' : plain.includes('.') ? 'decimal' : 'integer';
  return typed(literalOf({ kind, text: plain, place: e.place }));
}

function fail(error: Error): never {
  throw error;
}
