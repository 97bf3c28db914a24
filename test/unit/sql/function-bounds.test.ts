// Law: whatever functions, casts and LIKE are given, they come to an end within a moment, and make no value over the bound: they throw an
// AppError that is no bug instead. Arguments are the texts on which backtracking and doubling run away, at and beyond the bound.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import {
  BIGINT,
  BOOLEAN,
  BYTES,
  DATE,
  DOUBLE,
  INTEGER,
  sizeOf,
  STRING,
  type DataType,
  type Row,
  type Value,
} from '../../../src/core/data-type.js';
import { findsText } from '../../../src/core/text-search.js';
import { compileColumns, compileExpression } from '../../../src/dataflow/expression/compile.js';
import { Project } from '../../../src/dataflow/operators/project.js';
import { decimalFromText } from '../../../src/sql/functions/decimal.js';
import { allFunctions } from '../../../src/sql/functions/registry.js';
import type { Expr } from '../../../src/sql/plan.js';

/** A moment takes some tens of ms; machines that run tests are slow and busy. What is quadratic in these sizes takes minutes. */
const ceilingMs = 6_000;
const max = bounds.valueSize.value;

const decimal: DataType = { kind: 'DECIMAL', precision: 10, scale: 2 };
const list: DataType = { kind: 'ARRAY', element: STRING };
const map: DataType = { kind: 'MAP', key: STRING, value: STRING };

function textsOf(size: number): string[] {
  return [
    'a'.repeat(size),
    `${' '.repeat(size - 1)}x`,
    `x${' '.repeat(size - 2)}x`,
    'a '.repeat(size / 2),
    '1'.repeat(size),
    `${'1'.repeat(size - 1)}x`,
    `0.${'0'.repeat(size - 2)}`,
    `${'ab'.repeat(size / 2 - 1)}ac`,
    '\u{1F600}'.repeat(size / 2),
  ];
}

/** Values of a type, the largest last. */
function samplesOf(type: DataType, size: number): readonly Value[] {
  switch (type.kind) {
    case 'STRING':
      return ['', 'a', 'aa', ...textsOf(size)];
    case 'BYTES':
      return [Buffer.from('a'), Buffer.alloc(size)];
    case 'INTEGER':
      return [1, -300_000, 2 ** 31 - 1, -(2 ** 31)];
    case 'BIGINT':
      return [1, 2n ** 63n - 1n];
    case 'DOUBLE':
      return [1.5, 1e308, 5e-324, NaN];
    case 'DECIMAL':
      return [125, 10n ** 9n];
    case 'BOOLEAN':
      return [true];
    case 'ARRAY':
      return [Array.from({ length: size / 8 }, () => 'a')];
    case 'MAP':
      return [new Map(Array.from({ length: size / 64 }, (_, i) => [String(i), 'a']))];
    default:
      return [1];
  }
}

const types = [STRING, BYTES, INTEGER, BIGINT, DOUBLE, decimal, BOOLEAN, DATE, list, map];

interface Ran {
  readonly value: Value;
  readonly ms: number;
  readonly failures: readonly string[];
}

function run(expr: Expr, row: readonly Value[]): Ran {
  const failures: string[] = [];
  const evaluate = compileExpression(expr, { onError: (reason) => failures.push(reason) });
  const started = performance.now();
  const value = evaluate(row, 0);
  // Joined texts are only tied together until somebody looks at them.
  if (typeof value === 'string') value.charCodeAt(value.length - 1);
  return { value, ms: performance.now() - started, failures };
}

function check(what: string, expr: Expr, row: readonly Value[]): void {
  const { value, ms } = run(expr, row);
  expect(ms, what).toBeLessThan(ceilingMs);
  expect(sizeOf(value), what).toBeLessThanOrEqual(Math.max(max, ...row.map(sizeOf)));
}

const column = (index: number, type: DataType): Expr => ({ kind: 'column', index, type });
const call = (name: string, args: readonly Expr[], type: DataType): Expr => ({ kind: 'call', name, args, type });

describe('every function of the registry', () => {
  const size = 300_000;

  it.each(allFunctions().map((fn) => fn.name))('%s ends within a moment on arguments of any size', (name) => {
    const fn = allFunctions().find((candidate) => candidate.name === name)!;
    let calls = 0;
    const tried = new Set<string>();
    for (const args of tuples(types, 3)) {
      const resolved = fn.resolve(args);
      // Arguments that are widened are no other call.
      if (resolved === null || resolved.params.some((param, i) => param.kind !== args[i]!.kind)) continue;
      const kinds = args.map(({ kind }) => kind).join();
      if (tried.has(kinds)) continue;
      tried.add(kinds);
      const samples = args.map((type) => samplesOf(type, size));
      const expr = call(
        name,
        args.map((type, i) => column(i, type)),
        resolved.result,
      );
      // Each argument at its worst beside the others at one of theirs.
      for (const [at, own] of samples.entries()) {
        for (const [i, value] of own.entries()) {
          const row = samples.map((others, j) => (j === at ? value : others[(i + j) % others.length]!));
          check(`${name}(${kinds}) at ${at}, ${i}`, expr, row);
          calls++;
        }
      }
    }
    expect(calls).toBeGreaterThan(0);
  });

  it('makes a value at the bound, and none beyond', () => {
    const texts = [column(0, STRING), column(1, STRING)];
    for (const name of ['CONCAT', '||']) {
      const joined = (...row: readonly string[]) => run(call(name, texts, STRING), row);
      expect(sizeOf(joined('a'.repeat(max - 1), 'b').value)).toBe(max);
      const beyond = joined('a'.repeat(max - 1), 'bc');
      expect(beyond.value).toBeNull();
      expect(beyond.failures[0]).toContain('a function would make a value of');
    }
    const replaced = (text: string, from: string, to: string) =>
      run(call('REPLACE', [column(0, STRING), column(1, STRING), column(2, STRING)], STRING), [text, from, to]).value;
    expect(replaced('ab'.repeat(1024), 'b', 'x'.repeat(max / 1024 - 1))).toHaveLength(max);
    expect(replaced('ab'.repeat(1024), 'b', 'x'.repeat(max / 1024))).toBeNull();
    expect(replaced('a'.repeat(1024), '', 'x'.repeat(max / 1024))).toBeNull();
    expect(replaced('abc', '', '-')).toBe('-a-b-c-');
    expect(
      run(call('CONCAT', [column(0, BYTES), column(1, BYTES)], BYTES), [Buffer.alloc(max), Buffer.alloc(1)]).value,
    ).toBeNull();
  });

  it('is NULL where 28 of them double what the others made', () => {
    let expr = column(0, STRING);
    for (let i = 0; i < 28; i++) {
      expr = call(
        'REPLACE',
        [expr, { kind: 'literal', value: 'e', type: STRING }, { kind: 'literal', value: 'ee', type: STRING }],
        STRING,
      );
    }
    check('REPLACE 28 times', expr, ['e'.repeat(20)]);
    expect(run(expr, ['e'.repeat(20)]).value).toBeNull();
    expect(run(expr, ['abc']).value).toBe('abc');
  });

  it('shares what one row may cost among its columns, and gives the next row all of it again', () => {
    const failures: string[] = [];
    const upper = call('UPPER', [column(0, STRING)], STRING);
    const columns = compileColumns(
      Array.from({ length: 40 }, () => upper),
      { onError: (reason) => failures.push(reason) },
    );
    const long = columns(['a'.repeat(1_000_000)], 0);
    expect(long[0]).toHaveLength(1_000_000);
    expect(long.at(-1)).toBeNull();
    expect(failures.at(-1)).toContain('steps of functions');
    expect(columns(['a'], 0).every((value) => value === 'A')).toBe(true);
  });
});

describe('a row of a query that runs on', () => {
  it('stops it, when it is over the bound', () => {
    const text = 'a'.repeat(max);
    const rows: Row[] = [];
    const widthMax = bounds.rowSize.value / max;
    const project = (width: number) => {
      const columns = compileColumns(
        Array.from({ length: width }, () => column(0, STRING)),
        { onError: () => {} },
      );
      return new Project(columns, { accept: (_before, after) => rows.push(after!) }, false);
    };
    project(widthMax).accept(null, [text], 0, 0);
    expect(rows).toHaveLength(1);
    expect(() => project(widthMax + 1).accept(null, [text], 0, 0)).toThrow(
      expect.objectContaining({ code: bounds.rowSize.code }),
    );
  });
});

describe('CAST', () => {
  it('ends within a moment on texts of any kind', () => {
    for (const to of [
      BOOLEAN,
      INTEGER,
      BIGINT,
      DOUBLE,
      decimal,
      DATE,
      { kind: 'TIME', digits: 3 },
      { kind: 'TIMESTAMP', digits: 3 },
    ] as const) {
      for (const [i, text] of textsOf(1_000_000).entries()) {
        check(`${to.kind} of text ${i}`, { kind: 'cast', arg: column(0, STRING), type: to }, [text]);
      }
    }
  });

  it('reads a DECIMAL of any number of digits, and rounds it as it would the exact number', () => {
    const toDecimal = (text: string) => run({ kind: 'cast', arg: column(0, STRING), type: decimal }, [text]).value;
    expect(toDecimal(`1.${'2'.repeat(250_000)}`)).toBe(122);
    expect(toDecimal(`${'0'.repeat(250_000)}1.005`)).toBe(101);
    expect(toDecimal(`-0.00${'4'.repeat(250_000)}`)).toBe(0);
    expect(toDecimal('1'.repeat(250_000))).toBeNull();
    expect(toDecimal('1e-999999999')).toBe(0);
    expect(toDecimal('1e999999999')).toBeNull();
  });

  it('rounds half up, as whole numbers do', () => {
    const digits = fc.stringMatching(/^-?[0-9]{1,12}(\.[0-9]{0,12})?$/);
    fc.assert(
      fc.property(digits, fc.nat(6), (text, scale) => {
        const [whole = '', fraction = ''] = text.replace('-', '').split('.');
        const unscaled = BigInt(whole + fraction);
        const shift = scale - fraction.length;
        const unit = 10n ** BigInt(Math.abs(shift));
        const magnitude = shift >= 0 ? unscaled * unit : (2n * unscaled + unit) / (2n * unit);
        expect(BigInt(decimalFromText(text, 30, scale)!)).toBe(text.startsWith('-') ? -magnitude : magnitude);
      }),
    );
  });
});

describe('a text is found in another', () => {
  it('where indexOf finds it', () => {
    const letters = (length: object) => fc.string({ unit: fc.constantFrom('a', 'b'), ...length });
    fc.assert(
      fc.property(
        letters({ maxLength: 60 }),
        letters({ minLength: 1, maxLength: 6 }),
        fc.nat(40),
        fc.nat(20),
        (noise, unit, times, from) => {
          const pattern = unit.repeat(times) + noise.slice(0, 3);
          const text = noise + unit.repeat(times) + unit.slice(1) + pattern + noise;
          for (const searched of [text, text.slice(0, -noise.length - 1), noise])
            expect(findsText(pattern)(searched, from)).toBe(searched.indexOf(pattern, from));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('LIKE', () => {
  const like = (text: string, pattern: string, literal: boolean): Ran =>
    run(
      {
        kind: 'like',
        arg: column(0, STRING),
        pattern: literal ? { kind: 'literal', value: pattern, type: STRING } : column(1, STRING),
        escape: null,
        negated: false,
        type: BOOLEAN,
      },
      [text, pattern],
    );

  it('ends within a moment on long patterns and long texts', () => {
    const half = 120_000;
    const text = 'a'.repeat(400_000);
    const patterns = [
      `%b${'a'.repeat(half)}%`,
      `%${'a'.repeat(half)}b%`,
      `%${'a'.repeat(half)}b`,
      `%${'a%'.repeat(half)}b`,
      `%${'a_'.repeat(half)}b%`,
      `%${'_'.repeat(half)}b%`,
      `%${'aab%'.repeat(half / 4)}`,
      `%${'a_b%'.repeat(half / 4)}`,
    ];
    for (const [i, pattern] of patterns.entries()) {
      for (const literal of [true, false])
        expect(like(text, pattern, literal).ms, `pattern ${i}`).toBeLessThan(ceilingMs);
    }
    // A short pattern has room for every text that a row may work on.
    expect(like('a'.repeat(bounds.rowWork.value), '%b%', true)).toMatchObject({ value: false, failures: [] });
    expect(like(text, `%${'a'.repeat(half)}%`, true).value).toBe(true);
    expect(like(text, `%${'a'.repeat(half)}b%`, true).value).toBe(false);
  });
});

function* tuples<T>(items: readonly T[], length: number): Generator<readonly T[]> {
  if (length === 0) return;
  for (const item of items) yield [item];
  for (const head of tuples(items, length - 1)) for (const item of items) yield [...head, item];
}
