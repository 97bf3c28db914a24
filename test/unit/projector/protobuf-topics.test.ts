// PROTOBUF through the engine: a captured table, what is derived from it and declared over its topic, columns that come and go, a rebuild
// from the records of all versions, a restart.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { INTEGER, STRING, type DataType, type Value } from '../../../src/core/data-type.js';
import type { SourceTable } from '../../../src/core/row-encoder.js';
import type { RegisteredSchema } from '../../../src/registry/registry-facade.js';
import { RecordChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';
import { writeValue } from '../../../src/schema/formats/write-value.js';
import { output, TestEngine } from '../../support/engine.js';
import { judgeType } from '../../support/protobuf-judge.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const topic = 'p.db.item';
const pay: DataType = { kind: 'DECIMAL', precision: 8, scale: 2 };
let position = 0;

function item(columns: Record<string, DataType>): SourceTable {
  const list = Object.entries(columns);
  return {
    database: 'db',
    table: 'item',
    columns: list.map(([name, type]) => ({ name, type, nullable: name !== 'id', sourceType: type.kind })),
    keyColumns: [0],
  };
}

/** Opens the table as a connector does, and writes rows; those of null columns are deletes. */
async function write(
  table: SourceTable,
  shape: 'flat' | 'envelope',
  rows: readonly (readonly Value[])[],
  deletes: readonly (readonly Value[])[] = [],
) {
  const envelope = { connector: 'mysql', transactions: false, skipsUnchanged: false };
  const form = {
    ...output,
    ...({ valueFormat: 'PROTOBUF', keyFormat: 'PROTOBUF', keyShape: 'object', shape } as const),
    ...(shape === 'envelope' ? { envelope } : {}),
  };
  const asked = { connector: engine.connector, table, topic, output: form, hidden: false, createTable: true };
  const opened = await engine.api.openTable(asked);
  const chunks = new RecordChunkBuilder({ chunkBytes: 10_000 });
  const encoder = createRowEncoder({
    ...form,
    ...opened,
    table,
    chunks,
    envelope: { ...envelope, server: 'p', version: '1' },
  });
  for (const row of rows) {
    const to = encoder.beginRow('c');
    table.columns.forEach(({ type }, i) => writeValue(to, type, row[i]!));
    encoder.endRow();
  }
  for (const row of deletes) {
    const to = encoder.beginDelete();
    const columns = encoder.oldRow === 'key' ? table.keyColumns : table.columns.keys();
    for (const i of columns) writeValue(to, table.columns[i]!.type, row[i]!);
    encoder.endDelete();
  }
  chunks.endAppend({ position: String(++position), commitTimeUs: 1 });
  await engine.producer.write(chunks.take()!);
  await engine.producer.flush();
}

async function schemas(subject: string): Promise<RegisteredSchema[]> {
  const versions = (await engine.api.registry('versions', [subject])) as number[];
  return Promise.all(
    versions.map(async (version) => (await engine.api.registry('version', [subject, version])) as RegisteredSchema),
  );
}

it.each(['flat', 'envelope'] as const)('rows that are %s', async (shape) => {
  const first = item({ id: INTEGER, pay, old: STRING, list: { kind: 'ARRAY', element: { kind: 'DOUBLE' } } });
  await write(
    first,
    shape,
    [
      [1, 1050, '', [0.5]],
      [2, null, null, null],
      [3, 1, 'x', null],
    ],
    [[3, 1, 'x', null]],
  );
  expect(engine.rows('item')).toEqual([
    [1, 1050, '', [0.5]],
    [2, null, null, null],
  ]);
  await engine.run(
    "CREATE TABLE dear WITH (VALUE_FORMAT='PROTOBUF', KEY_FORMAT='PROTOBUF') AS SELECT * FROM item WHERE pay > 5;",
  );
  const second = item({ id: INTEGER, tag: STRING, pay, list: { kind: 'ARRAY', element: { kind: 'DOUBLE' } } });
  await write(second, shape, [[2, 'new', 700, [1, 2]]]);
  expect(engine.rows('item')).toEqual([
    [1, null, 1050, [0.5]],
    [2, 'new', 700, [1, 2]],
  ]);
  expect(engine.rows('dear').map((row) => row.length)).toEqual([4, 4]);

  const texts = await schemas(`${topic}-value`);
  expect(texts.map(({ schemaType }) => schemaType)).toEqual(['PROTOBUF', 'PROTOBUF']);
  expect(texts[0]!.schema).toMatch(/optional string old = 3;/);
  expect(texts[1]!.schema).toMatch(/reserved 3;[^]*optional string tag = 5;[^]*Decimal pay = 2 /);
  expect((await schemas(`${topic}-key`)).map(({ schema }) => /int32 id = 1;/.test(schema))).toEqual([true]);
  const judge = judgeType(texts[1]!.schema, `${topic}.${shape === 'flat' ? 'Value' : 'Envelope'}`);
  const newest = (await engine.api.readTopic(topic, 0, 0, 100)).at(-1)!;
  const read = JSON.parse(JSON.stringify(judge.decode(Buffer.from(newest.value!).subarray(6)))) as Record<
    string,
    unknown
  >;
  const row = { id: 2, tag: 'new', list: [1, 2] };
  expect(read).toMatchObject(shape === 'flat' ? row : { after: row, op: 'c', source: { name: 'p', table: 'item' } });

  // The table goes back to the columns that it had: they are the schema that it had.
  await write(first, shape, [[4, 4, 'back', null]]);
  expect(await schemas(`${topic}-value`)).toHaveLength(2);
  const rows = engine.rows('item');
  await engine.rebuild('item');
  expect(engine.rows('item')).toEqual(rows);
  await engine.restart();
  expect(engine.rows('item')).toEqual(rows);
  await write(first, shape, [[5, 5, '', null]]);
  expect(engine.rows('item')).toHaveLength(rows.length + 1);
});

it('a stream that is declared over the topic, and one that a query writes', async () => {
  await write(item({ id: INTEGER, pay, note: STRING }), 'flat', [
    [1, 1050, 'a'],
    [2, 0, null],
  ]);
  await engine.run(`CREATE STREAM prices (id INT KEY, NOTE STRING, pay DECIMAL(8,2), gone ARRAY<INT>)
    WITH (KAFKA_TOPIC='${topic}', FORMAT='PROTOBUF');`);
  await engine.run("CREATE STREAM said WITH (FORMAT='PROTOBUF') AS SELECT * FROM prices;");
  await engine.run(
    'CREATE TABLE counted AS SELECT note, COUNT(*) AS n, SUM(pay) AS total FROM said GROUP BY note EMIT CHANGES;',
  );
  await write(item({ id: INTEGER, pay, note: STRING }), 'flat', [[3, 5, 'a']]);
  expect(engine.rows('counted')).toEqual([['a', 2, 1055]]);
  const [said] = await schemas('said-value');
  expect(said!.schema).toContain('repeated int32');
});

it('what PROTOBUF has no form for is refused where it is declared', async () => {
  await expect(
    engine.run(
      "CREATE STREAM s (id INT KEY, a ARRAY<ARRAY<INT>>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='PROTOBUF', PARTITIONS=1);",
    ),
  ).rejects.toMatchObject({ message: expect.stringContaining('no lists in lists') as string });
  await expect(
    engine.run(
      "CREATE STREAM s (id INT KEY, a MAP<INT, INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='PROTOBUF', PARTITIONS=1);",
    ),
  ).rejects.toMatchObject({ message: expect.stringContaining('STRING keys') as string });
  await engine.run(
    "CREATE STREAM s (id INT KEY, a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='PROTOBUF', PARTITIONS=1);",
  );
  expect(await engine.tryRun('INSERT INTO s (id, a) VALUES (1, 2);')).not.toBe('ok');
});
