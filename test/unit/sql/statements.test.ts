import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { explainPull, explainQuery } from '../../../src/sql/explain.js';
import { analyzeStatement } from '../../../src/sql/analyze/statement.js';
import type { Name, StatementNode } from '../../../src/sql/ast.js';
import { parseStatements } from '../../../src/sql/parser/parse.js';
import { expression, query, statement } from '../../support/ast-arbitraries.js';
import { SqlCatalog, sqlOptions } from '../../support/sql-catalog.js';

const definitions = `
  CREATE TABLE a (a INT PRIMARY KEY, b STRING, x9 DECIMAL(4, 2), "key" DATE, "orders" DOUBLE) WITH (kafka_topic='a');
  CREATE TABLE orders (orders INT PRIMARY KEY, customer_id BIGINT, b MAP<STRING, INT>, x9 STRUCT<a INT, b STRING>)
    WITH (kafka_topic='o');`;
const catalog = new SqlCatalog(definitions);

describe('analyzeStatement', () => {
  const sources = fc.constantFrom('a', 'orders').map((text): Name => ({
    kind: 'name',
    text,
    quoted: false,
    place: { line: 1, column: 1 },
  }));
  // Mostly trees that get past FROM: a known source, no join, one expression.
  const plausible: fc.Arbitrary<StatementNode> = fc
    .tuple(query, sources, expression, fc.boolean())
    .map(([tree, source, e, bare]) => ({
      ...tree,
      from: { ...tree.from, name: source, alias: null },
      joins: [],
      ...(bare ? { window: null, partitionBy: null, orderBy: null, offset: null, distinct: false, groupBy: null } : {}),
      select: [{ kind: 'item', expression: e, alias: null, place: e.place }],
    }));

  it('throws nothing but AppErrors, and never an internal one, on whatever tree', () => {
    fc.assert(
      fc.property(fc.oneof(statement, plausible, plausible), fc.boolean(), (ast, strict) => {
        const parsed = { ast, text: 'text', place: { line: 1, column: 1 } };
        try {
          const result = analyzeStatement(parsed, catalog, sqlOptions(strict));
          if (result.kind === 'pull') explainPull(result.plan);
          if (result.kind === 'push' || result.kind === 'create-as') explainQuery(result.plan);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect((error as AppError).code).not.toBe('internal');
        }
      }),
      { numRuns: 5000 },
    );
  });
});

function analyze(sql: string, strict = false) {
  return new SqlCatalog(definitions, sqlOptions(strict)).analyze(sql);
}

describe('CREATE over a topic', () => {
  it('keeps columns and key as declared', () => {
    const sql =
      "CREATE SOURCE TABLE IF NOT EXISTS t (v VARCHAR, k1 INT PRIMARY KEY, k2 BIGINT PRIMARY KEY) WITH (kafka_topic='x', format='json', timestamp='K2');";
    expect(analyze(sql)).toEqual({
      kind: 'create-source',
      sourceKind: 'table',
      name: 't',
      schema: {
        columns: [
          { name: 'v', type: { kind: 'STRING' } },
          { name: 'k1', type: { kind: 'INTEGER' } },
          { name: 'k2', type: { kind: 'BIGINT' } },
        ],
        keyColumns: [1, 2],
      },
      properties: { topic: 'x', keyFormat: 'JSON', valueFormat: 'JSON', partitions: null, timestampColumn: 'k2' },
      orReplace: false,
      ifNotExists: true,
      retention: { ms: null, bytes: null },
      readOnly: true,
    });
  });

  it.each([
    ['CREATE TABLE t (a INT);', 'Tables require a PRIMARY KEY'],
    ['CREATE TABLE t (a INT KEY);', "Line: 1, Col: 17: Column `a` is a 'KEY' column"],
    ['CREATE STREAM t (a INT PRIMARY KEY);', "please use 'KEY' for streams"],
    ['CREATE STREAM t (a INT, A STRING);', 'Duplicate column names: `A`'],
    ['CREATE STREAM t (a INT, rowtime BIGINT);', 'reserved column name'],
    ['CREATE STREAM t (a INTT);', 'Cannot resolve unknown type: INTT'],
    ['CREATE STREAM t (a DECIMAL(2, 3));', 'DECIMAL precision must be >= scale'],
    [
      "CREATE STREAM t (a INT) WITH (value_frmat='JSON');",
      'Invalid config variable(s) in the WITH clause: value_frmat',
    ],
    [
      "CREATE STREAM t (a INT) WITH (format='JSON', key_format='JSON');",
      "Cannot supply both 'KEY_FORMAT' and 'FORMAT'",
    ],
    ["CREATE STREAM t (a INT) WITH (value_format='FOO');", 'Unknown format: FOO'],
    ["CREATE STREAM t (a INT, b INT) WITH (value_format='KAFKA');", "The 'KAFKA' format only supports a single field"],
    ["CREATE STREAM t (a INT) WITH (timestamp='b');", "does not exist in the schema: 'b'"],
    [
      "CREATE STREAM t (a INT) WITH (timestamp='a');",
      'Timestamp column, `a`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format specified',
    ],
    [
      "CREATE STREAM t (a STRING) WITH (timestamp='a');",
      'A String timestamp field has been specified without also specifying the timestamp_format',
    ],
    [
      "CREATE STREAM t (a BIGINT) WITH (timestamp='a', timestamp_format='yyyy');",
      "'TIMESTAMP_FORMAT' set in the WITH clause can only be used when the timestamp column is of type STRING.",
    ],
    [
      "CREATE STREAM t (a STRING) WITH (timestamp='a', timestamp_format='invalid');",
      'Invalid datatime format for config:TIMESTAMP_FORMAT, reason:Unknown pattern letter: i',
    ],
    ["CREATE STREAM t (a STRING) WITH (timestamp='a', timestamp_format='YYYY');", 'pattern letter Y is not supported'],
    ["CREATE STREAM t (a STRING) WITH (timestamp_format='yyyy');", 'TIMESTAMP_FORMAT is given without TIMESTAMP'],
    [
      'CREATE STREAM t (a MAP<STRING, INT> KEY, b INT);',
      'Map keys, including types that contain maps, are not supported',
    ],
  ])('refuses %s', (sql, message) => {
    expect(() => analyze(sql)).toThrow(message);
  });
});

describe('INSERT VALUES', () => {
  const row = (sql: string) => {
    const statement = analyze(sql);
    return statement.kind === 'insert-values' ? { row: statement.row, rowtime: statement.rowtime } : statement.kind;
  };

  it('gives a row in the order of the columns, NULL where nothing is given', () => {
    expect(row('INSERT INTO A ("key", A, rowtime, x9) VALUES (\'2020-01-02\', 7, 1234, 1.5);')).toEqual({
      row: [7, null, 150, 18263, null],
      rowtime: 1234,
    });
    expect(row("INSERT INTO a VALUES (-1, UCASE('b') , 12, NULL, 3);")).toEqual({
      row: [-1, 'B', 1200, null, 3],
      rowtime: null,
    });
    expect(row("INSERT INTO orders VALUES (1, 9007199254740993, MAP('x' := 1), STRUCT(b := 'q'));")).toEqual({
      row: [1, 9007199254740993n, new Map([['x', 1]]), [null, 'q']],
      rowtime: null,
    });
  });

  it.each([
    ['INSERT INTO a (a, b) VALUES (1);', 'Expected a value for each column'],
    ["INSERT INTO a (a, b) VALUES ('1', 'b');", "Expected type INTEGER for field `a` but got STRING('1')"],
    ['INSERT INTO a (a, x9) VALUES (1, 1.555);', 'more digits than DECIMAL(4, 2)'],
    ['INSERT INTO a (a, x9) VALUES (1, 100);', 'Numeric field overflow'],
    ["INSERT INTO a (b) VALUES ('b');", 'Value for primary key column(s) a is required'],
    ['INSERT INTO a (a, zz) VALUES (1, 2);', 'Column name `zz` does not exist'],
    ['INSERT INTO a (a, b) VALUES (1, b);', 'a value cannot name a column: b'],
    ['INSERT INTO nothing VALUES (1);', 'Cannot insert values into an unknown stream/table: `nothing`'],
  ])('refuses %s', (sql, message) => {
    expect(() => analyze(sql)).toThrow(message);
  });
});

describe('other statements', () => {
  it.each([
    [
      'DROP TABLE IF EXISTS A DELETE TOPIC;',
      { kind: 'drop', sourceKind: 'table', name: 'a', ifExists: true, deleteTopic: true },
    ],
    [
      'DROP TABLE IF EXISTS gone;',
      { kind: 'drop', sourceKind: 'table', name: 'gone', ifExists: true, deleteTopic: false },
    ],
    ['SHOW TABLES EXTENDED;', { kind: 'show', what: 'tables', extended: true }],
    ['LIST QUERIES;', { kind: 'show', what: 'queries', extended: false }],
    ['DESCRIBE Orders EXTENDED;', { kind: 'describe', name: 'orders', extended: true }],
    ['TERMINATE ALL;', { kind: 'terminate', queryId: null }],
    ['PAUSE CTAS_A_1;', { kind: 'pause', queryId: 'CTAS_A_1' }],
    ["SET 'auto.offset.reset'='earliest';", { kind: 'set', name: 'auto.offset.reset', value: 'earliest' }],
    ["UNSET 'x';", { kind: 'unset', name: 'x', value: null }],
    ["DEFINE x = '1';", { kind: 'define', name: 'x', value: '1' }],
    ['EXPLAIN CTAS_A_1;', { kind: 'explain', query: 'CTAS_A_1', plan: null }],
  ])('%s', (sql, expected) => {
    expect(analyze(sql)).toEqual(expected);
  });

  it('explains queries and pulls', () => {
    const push = analyze('EXPLAIN SELECT b FROM a WHERE a > 1 EMIT CHANGES;');
    expect(push.kind === 'explain' && push.plan !== null && explainQuery(push.plan)).toContain('filter: (a > 1)');
    const pull = analyze("EXPLAIN SELECT b FROM a WHERE a IN (3, 1) OR a > 7 AND b LIKE 'x%' LIMIT 2;");
    expect(pull.kind === 'explain' && pull.pull && explainPull(pull.pull)).toBe(
      [
        'pull: b',
        '  limit: 2',
        "  filter: ((a IN (3, 1)) OR ((a > 7) AND (b LIKE 'x%')))",
        '  key of a: a = 1',
        '  key of a: a = 3',
        '  range of a: a > 7',
      ].join('\n'),
    );
  });

  it.each([true, false])('refuses a pull over a stream for what it is (strict %s)', (strict) => {
    const streams = new SqlCatalog(
      "CREATE STREAM S2 (A INT KEY, B INT) WITH (kafka_topic='Events');",
      sqlOptions(strict),
    );
    for (const sql of ['SELECT * FROM S2;', 'EXPLAIN SELECT B FROM S2 WHERE A = 1;']) {
      expect(() => streams.analyze(sql)).toThrow(
        expect.objectContaining({
          code: 'unsupported-statement',
          message: 'a pull query over a stream (S2) is not supported',
          hint: expect.stringContaining('GET /v1/topics/Events/records') as string,
        }),
      );
    }
  });

  it('refuses to drop what is not there, or is of the other kind', () => {
    expect(() => analyze('DROP STREAM gone;')).toThrow('Stream gone does not exist.');
    expect(() => analyze('DROP STREAM a;')).toThrow('Incompatible data source type is TABLE');
  });

  it('keeps to what ksqlDB serves in strict mode', () => {
    expect(() => analyze('SELECT * FROM "a";', true)).toThrow('a does not exist.');
    expect(() => analyze('SELECT * FROM A;', true)).toThrow("The `A` table isn't queryable");
    expect(() => analyze('SELECT * FROM A GROUP BY A;', true)).toThrow("Pull queries don't support GROUP BY clauses");
    expect(() => analyze('SELECT * FROM A ORDER BY A;', true)).toThrow('line 1:23: Syntax Error');
  });

  it('reads several statements of one text', () => {
    expect(parseStatements('SHOW TABLES; SHOW STREAMS;')).toHaveLength(2);
  });
});
