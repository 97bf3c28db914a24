// Law: however deep, wide or long a statement is, lexer, parser and analyser come to an end within a moment with a plan or with an AppError
// that is no bug; up to each bound it is a plan. Forms are those of the grammar that nest, repeat or multiply.
import { describe, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import { AppError } from '../../../src/core/errors.js';
import { compileExpression } from '../../../src/dataflow/expression/compile.js';
import { fileTextMax, parseStatements } from '../../../src/sql/parser/parse.js';
import { analyzeStatement } from '../../../src/sql/analyze/statement.js';
import { SqlCatalog, sqlOptions } from '../../support/sql-catalog.js';

/** A moment takes some tens of ms; machines that run tests are slow and busy. What is quadratic in these sizes takes minutes. */
const ceilingMs = 6_000;
const catalog = new SqlCatalog(`
  CREATE TABLE t (id INT PRIMARY KEY, n INT, d DECIMAL(10, 2), txt STRING, arr ARRAY<INT>, s STRUCT<f INT>) WITH (topic='t');
  CREATE TABLE wide (id INT PRIMARY KEY, ${Array.from({ length: 1_500 }, (_, i) => `c${i} INT`).join()}) WITH (topic='wide');
`);

function outcome(sql: string): { readonly code: string; readonly ms: number; readonly error?: AppError } {
  const started = performance.now();
  try {
    const statement = catalog.analyze(sql);
    const plan = statement.kind === 'pull' || statement.kind === 'push' ? statement.plan : undefined;
    if (plan !== undefined && 'columns' in plan) {
      for (const expr of plan.columns) compileExpression(expr, { onError: () => {} });
    }
    return { code: 'ok', ms: performance.now() - started };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { code: error.code, ms: performance.now() - started, error };
  }
}

const refusals = [
  'syntax-error',
  'invalid-statement',
  'statement-too-large',
  'unsupported-statement',
  'value-too-large',
];

function check(what: string, sql: string): string {
  const { code, ms } = outcome(sql);
  expect(['ok', ...refusals], what).toContain(code);
  expect(ms, `${what} of ${sql.length} characters: ${code}`).toBeLessThan(ceilingMs);
  return code;
}

const around = (open: string, inner: string, close: string) => (n: number) => open.repeat(n) + inner + close.repeat(n);
const select = (expr: string) => `SELECT ${expr} AS x FROM t EMIT CHANGES;`;

/** An expression of n levels. */
const nested: Readonly<Record<string, (n: number) => string>> = {
  parentheses: around('(', 'n', ')'),
  not: (n) => `CASE WHEN ${'NOT '.repeat(n)}n = 1 THEN 1 END`,
  sign: around('- ', 'n', ''),
  case: around('CASE WHEN n = 1 THEN ', 'n', ' END'),
  'case operand': around('CASE ', 'n', ' WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 3 END'),
  between: around('CASE WHEN ', 'n', ' BETWEEN 1 AND 2 THEN 1 ELSE 2 END'),
  in: around('CASE WHEN ', 'n', ' IN (1, n) THEN 1 ELSE 2 END'),
  cast: around('CAST(', 'n', ' AS INT)'),
  function: around('ABS(', 'n', ')'),
  coalesce: around('COALESCE(n, ', 'n', ', n)'),
  replace: around('REPLACE(', 'txt', ", 'e', 'ee')"),
  array: around('ARRAY[', 'n', ']'),
  map: around("MAP('k' := ", 'n', ')'),
  struct: around('STRUCT(f := ', 'n', ')'),
  subscript: around('ARRAY[', 'n', '][1]'),
  field: around('STRUCT(f := ', 'n', ')->f'),
  lambda: around('ABS(x => ', 'n', ')'),
  type: (n) => `CAST(arr AS ${'ARRAY<'.repeat(n)}INT${'>'.repeat(n)})`,
  'struct type': (n) => `CAST(s AS ${'STRUCT<f '.repeat(n)}INT${'>'.repeat(n)})`,
  'type suffix': (n) => `CAST(arr AS INT ${'ARRAY '.repeat(n)})`,
};

/** Statements of n parts. */
const repeated: Readonly<Record<string, (n: number) => string>> = {
  columns: (n) => `SELECT ${Array.from({ length: n }, (_, i) => `n AS c${i}`).join()} FROM t EMIT CHANGES;`,
  'unnamed columns': (n) => `SELECT ${Array.from({ length: n }, () => 'n + 1').join()} FROM t EMIT CHANGES;`,
  'columns of a wide table': (n) =>
    `SELECT ${Array.from({ length: n }, (_, i) => `c${i % 1_500} AS x${i}`).join()} FROM wide EMIT CHANGES;`,
  stars: (n) => `SELECT ${Array.from({ length: n }, () => '*').join()} FROM wide EMIT CHANGES;`,
  'struct stars': (n) => select(`1, STRUCT(${Array.from({ length: n }, (_, i) => `f${i} := n`).join()})->*, 1`),
  in: (n) => select(`CASE WHEN n IN (${Array.from({ length: n }, (_, i) => i).join()}) THEN 1 END`),
  'in of columns': (n) => select(`CASE WHEN n IN (${Array.from({ length: n }, () => 'n').join()}) THEN 1 END`),
  'keys of a pull': (n) => `SELECT * FROM t WHERE id IN (${Array.from({ length: n }, (_, i) => i).join()});`,
  'and of a pull': (n) =>
    `SELECT * FROM t WHERE id IN (${Array.from({ length: 5_000 }, (_, i) => i).join()})${' AND n = 1'.repeat(n)};`,
  and: (n) => select(`CASE WHEN n = 1${' AND n = 1'.repeat(n)} THEN 1 END`),
  or: (n) => select(`CASE WHEN n = 1${' OR n = 1'.repeat(n)} THEN 1 END`),
  plus: (n) => select(`n${' + n'.repeat(n)}`),
  times: (n) => select(`d${' * d'.repeat(n)}`),
  subscripts: (n) => select(`arr${'[1]'.repeat(n)}`),
  whens: (n) => select(`CASE${' WHEN n = 1 THEN s'.repeat(n)} END`),
  arguments: (n) => select(`COALESCE(${Array.from({ length: n }, () => 's').join()})`),
  'grouped by a long expression': (n) =>
    `SELECT n${' + n'.repeat(n)}, COUNT(*) FROM t GROUP BY n${' + n'.repeat(n)} EMIT CHANGES;`,
  'aggregates in aggregates': (n) =>
    `SELECT ${'ABS('.repeat(n)}COUNT(*)${')'.repeat(n)}, n FROM t GROUP BY n EMIT CHANGES;`,
  semicolons: (n) => `SHOW TABLES${';'.repeat(n)}`,
  statements: (n) => 'SHOW TABLES;'.repeat(n),
  lines: (n) => `SHOW TABLES${'\n'.repeat(n)};`,
  comments: (n) => `SHOW TABLES${'/**/'.repeat(n)};`,
  'quotes in a text': (n) => select(`'${"''".repeat(n)}'`),
  properties: (n) =>
    `CREATE TABLE v (id INT PRIMARY KEY) WITH (${Array.from({ length: n }, () => "topic='v'").join()});`,
  'columns of a table': (n) =>
    `CREATE TABLE v (id INT PRIMARY KEY, ${Array.from({ length: n }, (_, i) => `c${i} INT`).join()}) WITH (topic='v', partitions=1);`,
  fields: (n) =>
    `CREATE TABLE v (id INT PRIMARY KEY, s STRUCT<${Array.from({ length: n }, (_, i) => `f${i} INT`).join()}>) WITH (topic='v');`,
  explain: (n) => `${'EXPLAIN '.repeat(n)}${select('n')}`,
  digits: (n) => select('1'.repeat(n)),
  'digits behind a point': (n) => select(`0.${'1'.repeat(n)}`),
  'a name': (n) => select('x'.repeat(n)),
  'values of an insert': (n) =>
    `INSERT INTO wide (${Array.from({ length: n }, (_, i) => `c${i % 1_500}`).join()}) VALUES (${Array.from({ length: n }, () => 1).join()});`,
};

const full = bounds.sqlText.value;

/** As many parts as the text may hold. */
function most(make: (n: number) => string): number {
  let [low, high] = [1, full];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (make(middle).length <= full) low = middle;
    else high = middle - 1;
  }
  return low;
}

describe('a statement', () => {
  it.each(Object.keys(nested))('nests by %s as deep as the bound allows, and no text nests deeper', (name) => {
    const make = nested[name]!;
    for (const n of [
      1,
      10,
      30,
      100,
      bounds.sqlDepth.value - 1,
      bounds.sqlDepth.value + 1,
      2_000,
      most((k) => select(make(k))),
    ]) {
      check(`${n} of ${name}`, select(make(n)));
    }
    expect(check(name, select(make(most((k) => select(make(k))))))).not.toBe('ok');
  });

  it.each(Object.keys(repeated))('repeats %s within a moment', (name) => {
    const make = repeated[name]!;
    const n = most(make);
    for (const count of [300, 2_000, n]) check(`${count} of ${name}`, make(Math.min(count, n)));
  });

  it('is taken up to each bound, and refused behind it with its code, place and hint', () => {
    const at = (name: keyof typeof bounds, make: (n: number) => string) => {
      const { value, code } = bounds[name];
      expect(outcome(make(value)).error?.message, name).toBeUndefined();
      const { error } = outcome(make(value + 1));
      expect(error?.code, name).toBe(code);
      return error!;
    };
    expect(at('sqlColumns', repeated['columns']!).place?.line).toBe(1);
    expect(at('sqlStatements', repeated['statements']!).place?.column).toBeGreaterThan(10_000);
    expect(at('sqlOperators', repeated['plus']!).hint).toContain('IN');
    expect(at('sqlName', (n) => `SELECT n AS ${'x'.repeat(n)} FROM t EMIT CHANGES;`).place?.column).toBe(13);
    expect(at('sqlText', (n) => `SHOW TABLES;${' '.repeat(n - 12)}`).hint).toContain(String(bounds.sqlText.value));
    expect(at('decimalPrecision', (n) => select(`CAST(d AS DECIMAL(${n}, 2))`)).place?.column).toBeGreaterThan(1);
    expect(
      at('partitions', (n) => `CREATE TABLE v (id INT PRIMARY KEY) WITH (topic='v', partitions=${n});`).place?.column,
    ).toBe(65);
    for (const sql of [
      "CREATE TABLE v (id INT PRIMARY KEY) WITH (topic='v', partitions=1000000000);",
      "CREATE TABLE v WITH (partitions='1000000000') AS SELECT * FROM t;",
    ])
      expect(outcome(sql).code).toBe('bad-topic-setting');
    expect(outcome(select('CAST(d AS DECIMAL(1000000000, 5))')).code).toBe('invalid-statement');
    expect(outcome(select('ROUND(1.5, -300000)')).code).toBe('ok');
  });

  it('that was taken before stands, whatever the bounds are by now', () => {
    const accepted = { ...sqlOptions(), accepted: true };
    const { value: precision } = bounds.decimalPrecision;
    for (const sql of [
      `CREATE TABLE z AS SELECT id, CAST(n AS DECIMAL(${precision + 1}, 2)) AS d FROM t;`,
      `CREATE TABLE z AS SELECT id, ${Array.from({ length: bounds.sqlColumns.value }, (_, i) => `n AS c${i}`).join()} FROM t;`,
      `CREATE TABLE z AS SELECT id, n IN (${Array.from({ length: bounds.sqlTokens.value }, (_, i) => i).join()}) AS d FROM t;`,
      `CREATE TABLE z AS SELECT id, n AS ${'x'.repeat(bounds.sqlName.value + 1)} FROM t;`,
      `CREATE TABLE z WITH (partitions=${bounds.partitions.value + 1}) AS SELECT * FROM t;`,
      `CREATE TABLE z AS SELECT * FROM t;${' '.repeat(bounds.sqlText.value)}`,
    ]) {
      expect(outcome(sql).code).not.toBe('ok');
      const [parsed] = parseStatements(sql, { accepted: true });
      expect(analyzeStatement(parsed!, catalog, accepted).kind).toBe('create-as');
    }
    // What was taken before says nothing about the next.
    expect(outcome(select(`CAST(d AS DECIMAL(${precision + 1}, 2))`)).code).toBe('invalid-statement');
  });

  it('has a bound for what its variables make of it', () => {
    const variables = { a: 'x'.repeat(1_000) };
    const count = bounds.sqlText.value / 1_000;
    const texts = (n: number) =>
      `SELECT ${Array.from({ length: n }, (_, i) => `'\${a}' AS c${i}`).join()} FROM t EMIT CHANGES;`;
    expect(parseStatements(texts(100), { variables })).toHaveLength(1);
    const codeOf = (sql: string) => {
      try {
        parseStatements(sql, { variables });
        return 'ok';
      } catch (error) {
        return (error as AppError).code;
      }
    };
    expect(codeOf(texts(count + 1))).toBe('statement-too-large');
    // Each is made of two of the one before.
    const doubling = Array.from({ length: 40 }, (_, i) => `DEFINE v${i + 1} = '\${v${i}}\${v${i}}';`).join('');
    expect(codeOf(`DEFINE v0 = 'aaaaaaaa';${doubling}`)).toBe('statement-too-large');
    const file = `SHOW TABLES;${' '.repeat(bounds.sqlText.value)}`;
    expect(parseStatements(file, { textMax: fileTextMax })).toHaveLength(1);
  });
});
