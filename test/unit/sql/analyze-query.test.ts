import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { explainQuery, printSchema } from '../../../src/sql/explain.js';
import { SqlCatalog, sqlOptions } from '../../support/sql-catalog.js';

const shop = `
  CREATE TABLE Orders (id INT PRIMARY KEY, customer_id INT, amount DECIMAL(10, 2), note STRING, at TIMESTAMP)
    WITH (kafka_topic='orders');
  CREATE TABLE customer (id INT PRIMARY KEY, name STRING, since DATE) WITH (kafka_topic='customer');
  CREATE TABLE pairs (a INT PRIMARY KEY, b STRING PRIMARY KEY, v DOUBLE) WITH (kafka_topic='pairs');
  CREATE STREAM clicks (page STRING KEY, n BIGINT, who STRUCT<name STRING, age INT>, tags ARRAY<STRING>)
    WITH (kafka_topic='clicks');`;

const catalog = new SqlCatalog(shop);
const strictCatalog = new SqlCatalog(shop, sqlOptions(true));

function created(sql: string, from = catalog) {
  const statement = from.analyze(sql);
  if (statement.kind !== 'create-as') throw new Error(`it is ${statement.kind}`);
  return statement;
}
const schemaOf = (sql: string, from = catalog): string => printSchema(created(sql, from).schema);
const planOf = (sql: string, from = catalog): string => explainQuery(created(sql, from).plan);

function errorOf(sql: string, from = catalog): AppError {
  try {
    from.analyze(sql);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('CREATE TABLE AS SELECT', () => {
  it('resolves names without regard to case and keeps the defining spelling', () => {
    const statement = created('CREATE TABLE Big AS SELECT ID, Amount FROM ORDERS WHERE AMOUNT > 10 EMIT CHANGES;');
    expect(statement.name).toBe('Big');
    expect(explainQuery(statement.plan)).toBe(
      [
        'result: table of Orders',
        'project: id, amount key (id)',
        '  filter: (amount > 10)',
        '    table Orders [id INTEGER KEY, customer_id INTEGER, amount DECIMAL(10, 2), note STRING, at TIMESTAMP]',
      ].join('\n'),
    );
  });

  it('upper-cases unquoted names in strict mode and puts the key first', () => {
    expect(schemaOf('CREATE TABLE big AS SELECT amount, id FROM orders;', strictCatalog)).toBe(
      'ID INTEGER KEY, AMOUNT DECIMAL(10, 2)',
    );
    expect(errorOf('CREATE TABLE x AS SELECT `id` FROM orders;', strictCatalog).message).toContain(
      "SELECT column '`id`' cannot be resolved",
    );
  });

  it('names what has no name', () => {
    const sql = 'CREATE STREAM s AS SELECT page, n + 1, who->name, who->name, UCASE(page), tags[1] t FROM clicks;';
    expect(schemaOf(sql)).toBe(
      'page STRING KEY, KSQL_COL_0 BIGINT, name STRING, name_1 STRING, KSQL_COL_1 STRING, t STRING',
    );
  });

  it('plans grouping with HAVING over the aggregates', () => {
    const sql = `CREATE TABLE totals AS SELECT customer_id, COUNT(*) AS n, SUM(amount) / COUNT(*) AS mean, MAX(note)
      FROM orders WHERE note IS NOT NULL GROUP BY customer_id HAVING SUM(amount) > 100;`;
    expect(planOf(sql)).toBe(
      [
        'result: table of Orders',
        'project: customer_id, n = AGGREGATE_0, mean = (AGGREGATE_1 / CAST(AGGREGATE_0 AS DECIMAL(19, 0))), KSQL_COL_0 = AGGREGATE_2 key (customer_id)',
        '  filter: (AGGREGATE_1 > 100)',
        '    aggregate: AGGREGATE_0 = COUNT(*), AGGREGATE_1 = SUM(amount), AGGREGATE_2 = MAX(note) by customer_id',
        '      filter: (note IS NOT NULL)',
        '        table Orders [id INTEGER KEY, customer_id INTEGER, amount DECIMAL(10, 2), note STRING, at TIMESTAMP]',
      ].join('\n'),
    );
  });

  it('groups by expressions and finds them again in the projection', () => {
    const sql =
      "CREATE TABLE t AS SELECT UCASE(note) AS k, UCASE(note) || '!' AS v, COUNT(*) AS n FROM orders GROUP BY UCASE(note);";
    expect(planOf(sql)).toContain("project: k = GROUP_0, v = (GROUP_0 || '!'), n = AGGREGATE_0 key (k)");
  });

  it('joins tables on their keys and by foreign key', () => {
    const oneToOne = created('CREATE TABLE j AS SELECT a.id, b.name FROM orders a JOIN customer b ON a.id = b.id;');
    expect(printSchema(oneToOne.schema)).toBe('a_id INTEGER KEY, name STRING');
    const root = oneToOne.plan.root;
    expect(root.kind === 'project' && root.input.kind === 'table-join' && root.input.foreignKey).toBe(false);
    expect(
      planOf('CREATE TABLE j AS SELECT o.id, name FROM orders o LEFT JOIN customer c ON customer_id = c.id;'),
    ).toContain('left join by foreign key: left customer_id = right id key (o_id)');
    expect(
      planOf('CREATE TABLE j AS SELECT ROWKEY AS id, name FROM orders o FULL JOIN customer c ON c.id = o.id;'),
    ).toContain('project: id = ROWKEY, name = c_name key (id)');
  });

  it('takes the COALESCE of both sides for the key of a full outer join, outside strict mode', () => {
    const sql =
      'CREATE TABLE j AS SELECT COALESCE(c.id, o.id) AS id, name FROM orders o FULL JOIN customer c ON c.id = o.id;';
    expect(planOf(sql)).toContain('project: id = ROWKEY, name = c_name key (id)');
    expect(errorOf(sql, strictCatalog).message).toContain('must include the join expression ROWKEY in its projection');
  });

  it('prefixes every column of a star over a join', () => {
    expect(schemaOf('CREATE TABLE j AS SELECT * FROM customer c JOIN orders o ON c.id = o.id;')).toBe(
      'c_id INTEGER KEY, c_name STRING, c_since DATE, o_id INTEGER, o_customer_id INTEGER, o_amount DECIMAL(10, 2), o_note STRING, o_at TIMESTAMP',
    );
  });

  it('takes formats and partitions from its source unless they are given', () => {
    const { properties } = created(
      "CREATE TABLE t WITH (value_format='avro', topic='x', partitions=3) AS SELECT * FROM orders;",
    );
    expect(properties).toEqual({
      topic: 'x',
      keyFormat: 'JSON',
      valueFormat: 'AVRO',
      partitions: 3,
      timestampColumn: null,
    });
  });

  it.each([
    ['CREATE TABLE t AS SELECT nmae FROM customer;', "SELECT column 'nmae' cannot be resolved", 'did you mean "name"?'],
    ['CREATE TABLE t AS SELECT * FROM custmer;', 'custmer does not exist.', 'did you mean "customer"?'],
    ['CREATE TABLE t AS SELECT name FROM customer;', 'must include the key column id in its projection', undefined],
    ['CREATE TABLE t AS SELECT a, v FROM pairs;', 'must include the key columns a and b', undefined],
    [
      'CREATE TABLE t AS SELECT id, id AS x FROM customer;',
      'more than once, aliased as: id and x',
      'copy it as a value: AS_VALUE(id)',
    ],
    ['CREATE STREAM t AS SELECT * FROM customer;', 'Your SELECT query produces a TABLE', 'write CREATE TABLE'],
    ['CREATE TABLE t AS SELECT name, COUNT(*) FROM customer GROUP BY since;', 'not part of GROUP BY: name', undefined],
    ['CREATE TABLE t AS SELECT id FROM customer GROUP BY id;', 'GROUP BY requires aggregate functions', undefined],
    [
      'CREATE TABLE t AS SELECT SUM(COUNT(*)) FROM customer GROUP BY id;',
      'can not be nested: SUM(COUNT(*))',
      undefined,
    ],
    ['CREATE TABLE t AS SELECT id, 1 + NULL FROM customer;', 'Arithmetic on types INTEGER and null', undefined],
    ['CREATE TABLE t AS SELECT id, NULL AS x FROM customer;', "Can't infer a type of null", undefined],
    [
      'CREATE TABLE t AS SELECT id FROM customer WHERE name = 1;',
      'Cannot compare name (STRING) to 1 (INTEGER) with EQUAL',
      undefined,
    ],
    [
      'CREATE TABLE t AS SELECT id FROM customer WHERE name = NULL;',
      'Comparison with NULL not supported',
      'write name IS NULL',
    ],
    [
      'CREATE TABLE t AS SELECT id FROM customer WHERE name;',
      'Should evaluate to boolean but is name (STRING)',
      undefined,
    ],
    ['CREATE TABLE t AS SELECT id, name AS rowtime FROM customer;', 'is a reserved column name', undefined],
    [
      'CREATE TABLE t AS SELECT id, ucas(name) FROM customer;',
      "Can't find any functions with the name 'ucas'",
      'did you mean "UCASE"?',
    ],
    ['CREATE TABLE t AS SELECT id FROM customer LIMIT 1;', "don't support LIMIT clause", undefined],
    [
      'CREATE TABLE t AS SELECT o.id FROM orders o JOIN customer c ON o.id = c.name;',
      'join on the primary key of the right',
      undefined,
    ],
    [
      'CREATE TABLE t AS SELECT o.id FROM orders o JOIN customer c ON o.note = c.id;',
      "types don't match. Got o.note{STRING} = c.id{INTEGER}",
      undefined,
    ],
    [
      'CREATE TABLE t AS SELECT id FROM orders o JOIN customer c ON o.id = c.id;',
      "Column 'id' is ambiguous. Could be o.id or c.id",
      'write o.id',
    ],
  ])('refuses %s', (sql, message, hint) => {
    const error = errorOf(sql);
    expect(error.message).toContain(message);
    expect(error.hint).toBe(hint);
    expect(error.detail).toContain('^');
  });

  it('says unknown-table for a source that is missing, so that the statement can wait for it', () => {
    expect(errorOf('CREATE TABLE t AS SELECT * FROM nothing_like_it;').code).toBe('unknown-table');
  });

  it.each([
    ['CREATE TABLE t AS SELECT id, COUNT(*) FROM orders WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY id;', 'WINDOW'],
    ['CREATE STREAM s AS SELECT * FROM clicks PARTITION BY n;', 'PARTITION BY'],
    ['CREATE STREAM s AS SELECT * FROM clicks c JOIN orders o ON c.n = o.id;', 'a stream-table join'],
    ['INSERT INTO clicks SELECT * FROM clicks;', 'INSERT INTO .. SELECT'],
    ['SELECT * FROM orders ORDER BY id;', 'ORDER BY'],
    ['CREATE TYPE t AS INT;', 'CREATE TYPE'],
    ["PRINT 'orders';", 'PRINT'],
  ])('names the clause that is not there: %s', (sql, clause) => {
    const error = errorOf(sql);
    expect(error.code).toBe('unsupported-statement');
    expect(error.message).toBe(`${clause} is not supported`);
  });
});

describe('types', () => {
  const typeOf = (expression: string): string =>
    schemaOf(`CREATE TABLE t AS SELECT id, ${expression} AS x FROM orders;`).split('x ')[1]!;

  it.each([
    ['id + 1', 'INTEGER'],
    ['id / 2', 'INTEGER'],
    ['id + 3000000000', 'BIGINT'],
    ['id + 1.5', 'DECIMAL(12, 1)'],
    ['amount * 2', 'DECIMAL(21, 2)'],
    ['amount / 3', 'DECIMAL(21, 13)'],
    ['amount + 1e0', 'DOUBLE'],
    ["note + 'x'", 'STRING'],
    ['CAST(amount AS DOUBLE)', 'DOUBLE'],
    ['CASE WHEN id > 1 THEN 1 WHEN id > 0 THEN 2.5 END', 'DECIMAL(11, 1)'],
    ['COALESCE(NULL, id, 5000000000)', 'BIGINT'],
    ['ARRAY[id, 1.5]', 'ARRAY<DECIMAL(11, 1)>'],
    ["MAP('a' := id)", 'MAP<STRING, INTEGER>'],
    ['STRUCT(f := id, g := note)', 'STRUCT<`f` INTEGER, `g` STRING>'],
    ['STRUCT(f := id)->f', 'INTEGER'],
    ["DATE '2020-02-29'", 'DATE'],
    ['ROUND(amount)', 'DECIMAL(8, 0)'],
    ['id IN (1, 2.5)', 'BOOLEAN'],
  ])('of %s is %s', (expression, type) => {
    expect(typeOf(expression)).toBe(type);
  });
});
