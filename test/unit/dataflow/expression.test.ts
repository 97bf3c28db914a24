import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DOUBLE,
  INTEGER,
  STRING,
  type DataType,
  type Value,
} from '../../../src/core/data-type.js';
import { compileExpression, compilePredicate } from '../../../src/dataflow/expression/compile.js';
import { likeMatcher } from '../../../src/dataflow/expression/like.js';
import type { CompareOp, Expr } from '../../../src/sql/plan.js';
import { and, arithmetic, big, bool, cast, col, compare, dbl, int, isNull, not, or, str } from '../../support/plans.js';

const quiet = { onError: () => {} };
const strict = { ...quiet, comparisonWithNull: false } as const;
const value = (expr: Expr, row: readonly Value[] = []): Value => compileExpression(expr, quiet)(row, 0);
const caseOf = (...branches: readonly (readonly [Expr, Expr])[]): Expr => ({
  kind: 'case',
  // oxlint-disable-next-line unicorn/no-thenable -- the plan's own field
  whens: branches.map(([when, then]) => ({ when, then })),
  otherwise: null,
  type: INTEGER,
});
const inList = (arg: Expr, list: readonly Expr[], negated = false): Expr => ({
  kind: 'in',
  arg,
  list,
  negated,
  type: BOOLEAN,
});

describe('three-valued logic', () => {
  const F = bool(false);
  const N = bool(null);
  const T = bool(true);

  it('has the truth tables of SQL', () => {
    const table = (make: (a: Expr, b: Expr) => Expr) => [T, N, F].map((a) => [T, N, F].map((b) => value(make(a, b))));
    expect(table(and)).toEqual([
      [true, null, false],
      [null, null, false],
      [false, false, false],
    ]);
    expect(table(or)).toEqual([
      [true, true, true],
      [true, null, null],
      [true, null, false],
    ]);
    expect([T, N, F].map((a) => value(not(a)))).toEqual([false, null, true]);
  });

  it('makes a comparison with NULL unknown, and false in strict mode', () => {
    for (const op of ['=', '<>', '<', '<=', '>', '>='] satisfies CompareOp[]) {
      expect(value(compare(op, int(1), int(null)))).toBeNull();
      expect(value(compare(op, int(null), int(1)))).toBeNull();
      expect(compileExpression(not(compare(op, int(1), int(null))), strict)([], 0)).toBe(true);
    }
  });

  it('never has IS DISTINCT FROM unknown', () => {
    const distinct = (a: number | null, b: number | null) => value(compare('is distinct from', int(a), int(b)));
    expect([distinct(1, 1), distinct(1, 2), distinct(1, null), distinct(null, null)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(value(compare('is not distinct from', int(null), int(null)))).toBe(true);
  });

  it('finds in a list, is unknown where a NULL might have been it', () => {
    for (const list of [
      [big(1), big(2 ** 60), big(null)],
      [big(1), col(0, BIGINT), big(null)],
    ]) {
      expect(value(inList(big(1), list), [7])).toBe(true);
      expect(value(inList(big(3), list), [7])).toBeNull();
      expect(value(inList(big(3), list, true), [7])).toBeNull();
      expect(value(inList(big(null), list), [7])).toBeNull();
      expect(value(inList(big(3), list.slice(0, 2)), [7])).toBe(false);
    }
    expect(value(inList(dbl(NaN), [dbl(NaN)]))).toBe(false);
    expect(compileExpression(inList(big(3), [big(null)], true), strict)([], 0)).toBe(true);
  });

  it('lets a predicate hold only when it is true', () => {
    expect([T, N, F].map((expr) => compilePredicate(expr, quiet)([], 0))).toEqual([true, false, false]);
  });

  it('does not evaluate what cannot matter any more', () => {
    const fails = compare('=', arithmetic('/', int(1), int(0)), int(1));
    expect(value(and(F, fails))).toBe(false);
    expect(value(or(T, fails))).toBe(true);
    expect(value(caseOf([T, int(1)], [fails, int(2)]))).toBe(1);
  });
});

describe('comparisons', () => {
  it('order strings by code point, that is by their UTF-8 bytes', () => {
    const less = compileExpression(compare('<', col(0, STRING), col(1, STRING)), quiet);
    const texts = fc.string({ unit: fc.constantFrom('a', 'z', '\uFFFD', '\uE000', '\u{1F600}', '\u{10FFFF}', 'é') });
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(less([a, b], 0)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0);
      }),
    );
  });

  it('compare numbers of all types by value, beyond 2^53 too', () => {
    const check = (op: CompareOp, a: Value, aType: DataType, b: Value, bType: DataType) => {
      return value(compare(op, col(0, aType), col(1, bType)), [a, b]);
    };
    const decimal: DataType = { kind: 'DECIMAL', precision: 20, scale: 2 };
    expect(check('=', 2n ** 60n, BIGINT, 2n ** 60n, BIGINT)).toBe(true);
    expect(check('>', 2n ** 60n, BIGINT, 5, INTEGER)).toBe(true);
    expect(check('<', 2n ** 60n, BIGINT, 2 ** 60 + 512, DOUBLE)).toBe(true);
    expect(check('=', 500, decimal, 5, INTEGER)).toBe(true);
    expect(check('>=', 501, decimal, 5, INTEGER)).toBe(true);
    expect(check('<', 5, INTEGER, 501, decimal)).toBe(true);
    expect(check('=', NaN, DOUBLE, NaN, DOUBLE)).toBe(false);
    expect(check('>', 1, DOUBLE, NaN, DOUBLE)).toBe(false);
  });

  it('compare bytes, arrays, maps and structs by their contents', () => {
    const same = (type: DataType, a: Value, b: Value) => value(compare('=', col(0, type), col(1, type)), [a, b]);
    const list: DataType = { kind: 'ARRAY', element: BYTES };
    const map: DataType = { kind: 'MAP', key: STRING, value: list };
    const struct: DataType = {
      kind: 'STRUCT',
      fields: [
        { name: 'A', type: map },
        { name: 'B', type: INTEGER },
      ],
    };
    const made = (byte: number): Value => [new Map([['k', [Buffer.from([byte]), null]]]), 1];
    expect(same(BYTES, Buffer.from([1]), Buffer.from([1]))).toBe(true);
    expect(same(struct, made(1), made(1))).toBe(true);
    expect(same(struct, made(1), made(2))).toBe(false);
  });
});

describe('LIKE', () => {
  const unit = fc.constantFrom('a', 'b', '%', '_', '!', '.', '\u{1F600}', '\n');

  it('is what the regular expression made of the pattern says', () => {
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 8 }), (pattern, text) => {
        const wanted = Array.from(pattern, (char) =>
          char === '%' ? '.*' : char === '_' ? '.' : `\\u{${char.codePointAt(0)!.toString(16)}}`,
        );
        expect(likeMatcher(pattern, null)(text)).toBe(new RegExp(`^${wanted.join('')}$`, 'su').test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes the character behind the escape for itself', () => {
    expect(likeMatcher('!%', '!')('%')).toBe(true);
    expect(likeMatcher('!%', '!')('x')).toBe(false);
    expect(likeMatcher('a!_%', '!')('a_b')).toBe(true);
    expect(likeMatcher('a!_%', '!')('abb')).toBe(false);
    expect(likeMatcher('!!', '!')('!')).toBe(true);
  });

  it('is not kept busy by many wildcards', () => {
    const matches = likeMatcher(`${'%a'.repeat(40)}%b`, null);
    expect(matches('a'.repeat(5000))).toBe(false);
  });

  it('takes its pattern from the row, too', () => {
    const like: Expr = {
      kind: 'like',
      arg: col(0, STRING),
      pattern: col(1, STRING),
      escape: null,
      negated: true,
      type: BOOLEAN,
    };
    const evaluate = compileExpression(like, quiet);
    expect(evaluate(['foo', 'f_o'], 0)).toBe(false);
    expect(evaluate(['bar', 'f_o'], 0)).toBe(true);
    expect(evaluate(['bar', null], 0)).toBeNull();
  });
});

describe('an evaluation that fails', () => {
  it('makes the whole expression NULL, a predicate false, and is reported', () => {
    const errors: string[] = [];
    const options = { onError: (reason: string) => errors.push(reason) };
    const number = cast(col(0, STRING), INTEGER);
    const evaluate = compileExpression(isNull(number), options);
    expect(evaluate(['12'], 0)).toBe(false);
    expect(evaluate(['x'], 0)).toBeNull();
    expect(compilePredicate(compare('=', number, int(1)), options)(['x'], 0)).toBe(false);
    expect(errors).toHaveLength(2);
    expect(errors[0]).toContain('"x"');
  });

  it('does not hide a bug', () => {
    const broken = new Proxy([], {
      get: () => {
        throw new TypeError('bug');
      },
    });
    expect(() => compileExpression(arithmetic('/', col(0, INTEGER), int(1)), quiet)(broken, 0)).toThrow('bug');
  });

  it('is an infinity for DOUBLE, which divides by 0 without failing', () => {
    expect(value(arithmetic('/', dbl(1), dbl(0)))).toBe(Infinity);
    expect(value(arithmetic('%', dbl(1), dbl(0)))).toBeNaN();
  });
});

describe('the rest', () => {
  it('gives ROWTIME, CASE without ELSE, and calls functions with their arguments', () => {
    expect(compileExpression({ kind: 'rowtime', type: BIGINT }, quiet)([], 42)).toBe(42);
    expect(value(caseOf([bool(null), int(1)]))).toBeNull();
    expect(value({ kind: 'call', name: 'LEN', args: [str('four')], type: INTEGER })).toBe(4);
  });
});
