// Literals to typed values: 1 is INTEGER, or BIGINT when it is large; 1.50 is DECIMAL(3, 2); 1e3 is DOUBLE.
import { bounds } from '../../core/bounds.js';
import { BIGINT, DOUBLE, INTEGER, integerValue, STRING } from '../../core/data-type.js';
import type { Expression } from '../ast.js';
import { parseDecimal } from '../functions/decimal.js';
import { messages } from '../messages.js';
import type { Expr } from '../plan.js';
import { invalidStatement } from '../sql-error.js';
import { isOver } from './effort.js';
import { coerce, literal, typed } from './typed.js';
import { dataType } from './types.js';

/** In the text of a number, beside its digits: a sign and a point. */
const signs = 2;

export function literalOf(e: Expression & { kind: 'integer' | 'decimal' | 'double' }): Expr {
  switch (e.kind) {
    case 'integer': {
      const value = isOver('decimalPrecision', e.text.length - signs) ? null : BigInt(e.text);
      if (value === null || BigInt.asIntN(64, value) !== value)
        throw invalidStatement(e.place, messages.numericLiteral(e.text));
      return literal(integerValue(value), BigInt.asIntN(32, value) === value ? INTEGER : BIGINT);
    }
    case 'decimal': {
      if (isOver('decimalPrecision', e.text.length - signs)) {
        const what = `a DECIMAL of ${e.text.length} digits`;
        throw invalidStatement(e.place, what, `${bounds.decimalPrecision.value} at most`);
      }
      const { unscaled, scale } = parseDecimal(e.text)!;
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().length;
      return literal(integerValue(unscaled), { kind: 'DECIMAL', precision: Math.max(digits, scale), scale });
    }
    case 'double':
      return literal(Number(e.text), DOUBLE);
  }
}

/** `DATE '2020-01-01'` */
export function typedLiteral(e: Expression & { kind: 'typed-literal' }): Expr {
  const type = dataType({ kind: 'named-type', name: e.type, params: [], place: e.place });
  const expr = coerce(typed(literal(e.text, STRING)), type);
  if (expr?.kind === 'literal') return expr;
  throw invalidStatement(e.place, `'${e.text}' is no ${type.kind}`);
}
