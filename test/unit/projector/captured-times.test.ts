// Times in records are milliseconds or microseconds, by the digits of their column: the table and who writes its topic must agree.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTEGER, STRING, type DataType } from '../../../src/core/data-type.js';
import { TestEngine } from '../../support/engine.js';

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
  'a captured table refuses %s of the other unit, and takes its own',
  async (kind) => {
    await engine.capture('a', withColumn({ kind, digits: 3 }));
    await engine.capture('a', withColumn({ kind, digits: 3 }));
    await expect(engine.capture('a', withColumn({ kind, digits: 6 }))).rejects.toMatchObject({
      code: 'invalid-statement',
      message: expect.stringContaining('column at of a has 3 digits behind the second') as string,
      hint: expect.stringContaining('sqlite.timestamp.digits=3') as string,
    });
  },
);

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

it('a column of another type is named with both types', async () => {
  await engine.capture('a', withColumn({ kind: 'TIMESTAMP', digits: 6 }));
  await expect(engine.capture('a', withColumn(STRING))).rejects.toMatchObject({
    detail: 'there: id INTEGER, at TIMESTAMP; here: id INTEGER, at STRING',
  });
});
