// Times in records are milliseconds or microseconds, by the digits of their column: the table and who writes its topic must agree.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTEGER, STRING, type DataType } from '../../../src/core/data-type.js';
import { TestEngine, until } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const withColumn = (type: DataType) => [
  { name: 'id', type: INTEGER },
  { name: 'at', type },
];

it.each(['TIMESTAMP', 'TIME'] as const)(
  'a captured table goes on with %s of the other unit, and reads each record by its own',
  async (kind) => {
    const rows = () => engine.rows('a').map(([, at]) => at);
    await engine.capture('a', withColumn({ kind, digits: 3 }));
    await engine.capture('a', withColumn({ kind, digits: 3 }));
    await engine.write([{ table: 'a', key: 1, row: { id: 1, at: 1234 } }]);
    await engine.capture('a', withColumn({ kind, digits: 6 }));
    await engine.write([{ table: 'a', key: 2, row: { id: 2, at: 1_234_567 } }]);
    expect(rows()).toEqual([1_234_000, 1_234_567]);
    await engine.rebuild('a');
    expect(rows()).toEqual([1_234_000, 1_234_567]);
  },
);

it('a captured table goes on with TIMESTAMP as text in UTC, and what is derived from it writes numbers', async () => {
  const micros = 1_704_067_200_500_000;
  const zoned = { kind: 'TIMESTAMP', digits: 3, zoned: 1 } as const;
  await engine.capture('a', withColumn({ kind: 'TIMESTAMP', digits: 3 }));
  await engine.write([{ table: 'a', key: 1, row: { id: 1, at: micros / 1000 } }]);
  await engine.capture('a', withColumn(zoned));
  await engine.write([{ table: 'a', key: 2, row: { id: 2, at: '2024-01-01T00:00:00.5Z' } }]);
  const both = [
    [1, micros],
    [2, micros],
  ];
  expect(engine.rows('a')).toEqual(both);
  await engine.run('CREATE TABLE b AS SELECT id, at FROM a;');
  const derived = await engine.api.readTopic('b', 0, 0, 10);
  expect(derived.map(({ value }) => JSON.parse(Buffer.from(value!).toString()) as unknown)).toEqual([
    { at: micros / 1000 },
    { at: micros / 1000 },
  ]);
  await engine.rebuild('a');
  expect(engine.rows('a')).toEqual(both);
  // One that is declared over the topic reads the text, too.
  await engine.run('DROP TABLE b; DROP TABLE a;');
  await engine.run(
    `CREATE TABLE a (id INT PRIMARY KEY, at TIMESTAMP(3)) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON');`,
  );
  await engine.capture('a', withColumn(zoned));
  await until(() => engine.codeOf('a') === 'ok', 'the table is filled');
  expect(engine.rows('a')).toEqual(both);
});

it('a table that was declared before its topic was captured has to declare the digits', async () => {
  await engine.capture('a', withColumn({ kind: 'TIMESTAMP', digits: 6 }));
  await engine.run('DROP TABLE a;');
  await engine.run(
    `CREATE TABLE a (id INT PRIMARY KEY, at TIMESTAMP) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON');`,
  );
  await expect(engine.capture('a', withColumn({ kind: 'TIMESTAMP', digits: 6 }))).rejects.toMatchObject({
    hint: 'declare it TIMESTAMP(6)',
  });
});

it('a declared one whose column has another type is named with both types', async () => {
  await engine.run(
    `CREATE TABLE a (id INT PRIMARY KEY, at INT) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON', PARTITIONS=1);`,
  );
  await expect(engine.capture('a', withColumn(STRING))).rejects.toMatchObject({
    detail: 'there: id INTEGER, at INTEGER; here: id INTEGER, at STRING',
  });
});
