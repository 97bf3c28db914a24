// WITH (TIMESTAMP=...): ROWTIME of a source comes from its column, that of what a query writes from a column of the result.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { toEntity } from '../../../src/server/ksql-entities.js';
import { TestEngine, until } from '../../support/engine.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'at', type: BIGINT },
  { name: 'said', type: STRING },
];
const row = (id: number, at: number | null, said: string | null = null) => ({
  table: 'a',
  key: id,
  row: { id, at, said },
});

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 }).open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const stored = (table: string) =>
  engine.session((session) => [...session.scan({ table })].map(({ row: [id], rowtimeMs }) => [id, rowtimeMs]));

async function topicTimes(topic: string): Promise<readonly number[]> {
  return (await engine.api.readTopic(topic, 0, 0, 100)).map(({ timestampMs }) => timestampMs);
}

const skips = async () =>
  Object.fromEntries(
    (await engine.api.metrics())
      .filter(({ name }) => name === 'writethrough_records_skipped_total')
      .map(({ labels, value }) => [labels['source'], value]),
  );

describe('a source with TIMESTAMP', () => {
  it.each([
    ['BIGINT of ms', 'at BIGINT', "TIMESTAMP='at'", '1500', 1500],
    ['a TIMESTAMP', 'at TIMESTAMP', "TIMESTAMP='at'", "'1970-01-01T00:00:02.5'", 2500],
    [
      'a text',
      'at VARCHAR',
      "TIMESTAMP='at', TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss[.SSS]'",
      "'1970-01-01 00:00:03.250'",
      3250,
    ],
  ])('takes ROWTIME from %s, a stream and a table alike', async (_what, column, properties, value, ms) => {
    await engine.run(`
      CREATE TABLE t (id INT PRIMARY KEY, ${column}) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1, ${properties});
      CREATE STREAM s (id INT KEY, ${column}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1, ${properties});
      CREATE STREAM told AS SELECT id, ROWTIME AS rt FROM s;
      CREATE TABLE kept AS SELECT id, ROWTIME AS rt FROM t;
      INSERT INTO t (id, at) VALUES (1, ${value});
      INSERT INTO s (id, at) VALUES (1, ${value});
    `);
    await until(() => stored('kept').length === 1, 'the row is derived');
    expect(stored('t')).toEqual([[1, ms]]);
    expect(engine.rows('kept')).toEqual([[1, ms]]);
    expect(stored('kept')).toEqual([[1, ms]]);
    expect(await topicTimes('told')).toEqual([ms]);
    expect(await topicTimes('kept')).toEqual([ms]);
  });

  it('leaves out what has no time, says so, and lets a row that stands under the key stand', async () => {
    await engine.run(`
      CREATE TABLE t (id INT PRIMARY KEY, at BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1, TIMESTAMP='at');
      INSERT INTO t (id, at) VALUES (1, 10);
      INSERT INTO t (id, at) VALUES (2, -1);
      INSERT INTO t (id) VALUES (3);
      INSERT INTO t (id, at) VALUES (1, -5);
      INSERT INTO t (id, at) VALUES (4, 40);
    `);
    expect(engine.rows('t')).toEqual([
      [1, 10],
      [4, 40],
    ]);
    expect(await skips()).toEqual({ t: 3 });
    expect(engine.log.filter(({ message }) => message === 'a record is left out')).toEqual([
      {
        level: 'warn',
        message: 'a record is left out',
        fields: {
          thread: 'engine',
          source: 't',
          reason: 'the TIMESTAMP column at is -1, which is before 1970',
        },
      },
    ]);
  });

  it('stands still at such a record where ksql.timestamp.throw.on.invalid is set', async () => {
    await engine.run(`
      SET 'ksql.timestamp.throw.on.invalid'='true';
      CREATE TABLE t (id INT PRIMARY KEY, at VARCHAR)
        WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1, TIMESTAMP='at', TIMESTAMP_FORMAT='yyyy');
      INSERT INTO t (id, at) VALUES (1, '2021');
      INSERT INTO t (id, at) VALUES (2, 'soon');
    `);
    const [failed] = (await engine.api.queries()).filter(({ id }) => id === 't');
    expect(failed).toMatchObject({ state: 'ERROR', reason: expect.stringContaining('bad-record') as string });
    await engine.restart();
    expect((await engine.api.queries()).find(({ id }) => id === 't')).toEqual(failed);
  });

  it('has the same ROWTIME after a rebuild, and two sources of one topic have each their own', async () => {
    await engine.run(`
      CREATE TABLE t (id INT PRIMARY KEY, x BIGINT, y BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1, TIMESTAMP='x');
      CREATE TABLE u (id INT PRIMARY KEY, x BIGINT, y BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', TIMESTAMP='y');
      CREATE TABLE v (id INT PRIMARY KEY, x BIGINT, y BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');
    `);
    for (let i = 1; i <= 5; i++)
      await engine.run(`INSERT INTO t (ROWTIME, id, x, y) VALUES (${i}, ${i}, ${10 * i}, ${100 * i});`);
    const check = () => {
      for (const [table, factor] of [
        ['t', 10],
        ['u', 100],
        ['v', 1],
      ] as const)
        expect(stored(table), table).toEqual([1, 2, 3, 4, 5].map((i) => [i, i * factor]));
    };
    check();
    for (const table of ['t', 'u', 'v']) {
      await engine.api.rebuild(table);
      await until(
        async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'),
        `${table} is rebuilt`,
      );
    }
    check();
    await engine.restart();
    check();
  });
});

describe('a captured table that is declared with TIMESTAMP', () => {
  it('is filled anew with the ROWTIME of the column, then follows', async () => {
    await engine.capture('a', columns);
    await engine.write([row(1, 10), row(2, 20), row(3, 30)]);
    await engine.run(
      `CREATE TABLE b (id INT PRIMARY KEY, at BIGINT, said VARCHAR) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON', TIMESTAMP='at');`,
    );
    await until(() => engine.codeOf('b') === 'ok', 'the table is filled');
    await engine.write([row(4, 40), { table: 'a', key: 1, row: null }, row(2, 21)]);
    expect(stored('b')).toEqual([
      [2, 21],
      [3, 30],
      [4, 40],
    ]);
    expect(engine.codeOf('a')).toBe('unknown-table');
    // Its connector begins again, as after a restart.
    await engine.restart();
    await engine.capture('a', columns);
    await engine.write([row(5, 50)]);
    expect(stored('b').at(-1)).toEqual([5, 50]);
  });

  it('keeps its name when it is declared under it, and stays hidden until its snapshot is complete', async () => {
    await engine.capture('a', columns, true);
    await engine.write([row(1, 10), row(2, 20)]);
    await engine.run(
      `CREATE TABLE a (id INT PRIMARY KEY, at BIGINT, said VARCHAR) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON', TIMESTAMP='at');`,
    );
    await engine.write([row(3, 30)]);
    expect(engine.codeOf('a')).not.toBe('ok');
    await engine.write([], { kind: 'snapshot-completed', connector: engine.connector, topics: [engine.topic('a')] });
    await until(() => engine.codeOf('a') === 'ok', 'the table is shown');
    expect(stored('a')).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
  });

  it('is refused where a query reads it with another ROWTIME', async () => {
    await engine.capture('a', columns);
    await engine.run('CREATE TABLE d AS SELECT id, at FROM a;');
    await expect(
      engine.run(
        `CREATE TABLE a (id INT PRIMARY KEY, at BIGINT, said VARCHAR) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON', TIMESTAMP='at');`,
      ),
    ).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringContaining('with another ROWTIME') as string,
    });
  });
});

describe('what a query writes', () => {
  it('has the time of the column of its result, in its rows, its feed, its topic and for what reads it', async () => {
    await engine.capture('a', columns);
    await engine.run(`
      CREATE TABLE d WITH (TIMESTAMP='at') AS SELECT id, at FROM a;
      CREATE TABLE e AS SELECT id, ROWTIME AS rt FROM d;
    `);
    const before = engine.seq();
    await engine.write([row(1, 10), row(2, -20), row(3, 30)]);
    await engine.write([row(1, -10), { table: 'a', key: 3, row: null }], undefined, 77_000_000);
    expect(stored('d')).toEqual([[1, 10]]);
    expect(engine.rows('e')).toEqual([[1, 10]]);
    expect(await topicTimes('d')).toEqual([10, 30, 77_000]);
    expect(await skips()).toEqual({ d: 2 });
    const changes = engine.session((session) => session.changes('d', { seq: before, index: 0 }, 1000).changes);
    expect(changes.map(({ rowtimeMs, beforeRowtimeMs }) => [rowtimeMs, beforeRowtimeMs])).toEqual([
      [10, undefined],
      [30, undefined],
      [77_000, 30],
    ]);
  });

  it('may be a text with a pattern, of a stream', async () => {
    await engine.run(`
      CREATE STREAM s (id INT KEY, said VARCHAR) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
      CREATE STREAM d WITH (TIMESTAMP='said', TIMESTAMP_FORMAT='yyyy-MM-dd''T''HH:mm:ssX') AS SELECT id, said FROM s;
      INSERT INTO s (id, said) VALUES (1, '2018-05-11T21:58:33Z');
      INSERT INTO s (id, said) VALUES (2, 'not a timestamp');
      INSERT INTO s (id, said) VALUES (3, '2019-05-11T21:58:33Z');
    `);
    expect(await topicTimes('d')).toEqual([1526075913000, 1557611913000]);
    expect(await skips()).toEqual({ d: 1 });
  });

  it('is told by DESCRIBE, and another TIMESTAMP is no CREATE OR REPLACE of the same', async () => {
    const create = (column: string) =>
      `CREATE OR REPLACE TABLE t (id INT PRIMARY KEY, x BIGINT, y BIGINT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1, TIMESTAMP='${column}');`;
    await engine.run(create('x'));
    const [described] = await engine.run('DESCRIBE t;');
    expect(toEntity(described!)).toMatchObject({ sourceDescription: { timestamp: 'x' } });
    expect(await engine.tryRun(create('x'))).toBe('ok');
    expect(await engine.tryRun(create('y'))).toBe('unsupported-statement');
  });
});
