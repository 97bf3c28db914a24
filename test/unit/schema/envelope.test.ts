import avro from 'avsc';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import type { RowEncoder, SourceTable, ValueWriter } from '../../../src/core/row-encoder.js';
import { TransactionId } from '../../../src/core/transaction-id.js';
import { createChunkBuilder, type RecordChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { connectValueSchema } from '../../../src/schema/formats/connect-json.js';
import { CountingRowEncoder } from '../../../src/schema/formats/counting-row-encoder.js';
import { avroEnvelopeSchema, connectEnvelopeSchema } from '../../../src/schema/formats/envelope.js';
import { jsonSchemaOf } from '../../../src/schema/formats/json-schema.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';
import { tableFields, type RowEncoderOptions } from '../../../src/schema/formats/row-encoder-options.js';

const table: SourceTable = {
  database: 'shop',
  table: 'orders',
  columns: [
    { name: 'id', type: { kind: 'INTEGER' }, nullable: false, sourceType: 'int' },
    { name: 'note', type: { kind: 'STRING' }, nullable: true, sourceType: 'text' },
  ],
  keyColumns: [0],
};
const topic = 'p.shop.orders';
const uuid = '3e11fa47-71ca-11e1-9e33-c80aa9429562';

let chunks: RecordChunkBuilder;
beforeEach(() => {
  chunks = createChunkBuilder({ chunkBytes: 10_000 });
});

function encoder(options: Partial<RowEncoderOptions> = {}): RowEncoder {
  const envelope = { connector: 'mysql', server: 'p', version: '1.2.3', transactions: false };
  return createRowEncoder({
    table,
    topic,
    partitions: 1,
    keyFormat: 'JSON',
    valueFormat: 'JSON',
    keyShape: 'object',
    shape: 'envelope',
    envelope,
    valueSchemaId: 7,
    chunks,
    ...options,
  });
}

function write(to: ValueWriter, id: number, note: string | null): void {
  to.integer(id);
  if (note === null) to.null();
  else to.string(note);
}

type Row = readonly [id: number, note: string | null];
function insert(target: RowEncoder, row: Row, op: 'c' | 'r' = 'c'): void {
  write(target.beginRow(op), ...row);
  target.endRow();
}
function update(target: RowEncoder, before: Row, after: Row): void {
  write(target.beginOld(), ...before);
  target.endOld();
  write(target.beginRow('u'), ...after);
  target.endRow();
}
function remove(target: RowEncoder, row: Row): void {
  write(target.beginDelete(), ...row);
  target.endDelete();
}

function transaction(gtid: string | null = `${uuid}:23`): void {
  const { origin } = chunks;
  const id = gtid === null ? 'file=binlog.000003,pos=100' : TransactionId.of(gtid);
  origin.transactionOf(id, 1_700_000_000_123_456, false);
  origin.thread = 42;
  origin.event('binlog.000003', 259, 223_344, 0);
}

function records() {
  const { data, topics, extents, recordCount: count } = chunks.take()!;
  const set = new RecordSet({
    buffers: [Buffer.from(data.buffer, data.byteOffset, data.length)],
    topics,
    extents,
    count,
  });
  return Array.from({ length: count }, (_, i) => ({ op: set.op(i), key: set.key(i), value: set.value(i) }));
}
const parsed = () =>
  records().map(({ op, key, value }) => ({
    op,
    key: JSON.parse(String(key)) as unknown,
    value: value === null ? null : (JSON.parse(value.toString()) as Record<string, unknown>),
  }));

const source = {
  version: '1.2.3',
  connector: 'mysql',
  name: 'p',
  ts_ms: 1_700_000_000_123,
  snapshot: 'false',
  db: 'shop',
  sequence: null,
  ts_us: 1_700_000_000_123_456,
  ts_ns: 1_700_000_000_123_456_000,
  table: 'orders',
  server_id: 223_344,
  gtid: `${uuid}:23`,
  file: 'binlog.000003',
  pos: 259,
  row: 0,
  thread: 42,
  query: null,
};

describe('an envelope in JSON', () => {
  it("has Debezium's fields in their order, and the place of the row in its event", () => {
    const target = encoder();
    transaction();
    insert(target, [1, 'a']);
    update(target, [1, 'a'], [1, null]);
    remove(target, [1, null]);
    const [created, updated, deleted, tombstone, ...more] = parsed();
    expect(Object.keys(created!.value!)).toEqual([
      'before',
      'after',
      'source',
      'transaction',
      'op',
      'ts_ms',
      'ts_us',
      'ts_ns',
    ]);
    expect(Object.keys(created!.value!['source'] as object)).toEqual(Object.keys(source));
    const { ts_ms: ms } = created!.value as { ts_ms: number };
    expect(Math.abs(Date.now() - ms)).toBeLessThan(60_000);
    const rest = { transaction: null, ts_ms: ms, ts_us: ms * 1000, ts_ns: ms * 1_000_000 };
    expect(created).toEqual({
      op: 'c',
      key: { id: 1 },
      value: { before: null, after: { id: 1, note: 'a' }, source, op: 'c', ...rest },
    });
    expect(updated).toEqual({
      op: 'u',
      key: { id: 1 },
      value: {
        before: { id: 1, note: 'a' },
        after: { id: 1, note: null },
        source: { ...source, row: 1 },
        op: 'u',
        ...rest,
      },
    });
    expect(deleted).toEqual({
      op: 'd',
      key: { id: 1 },
      value: { before: { id: 1, note: null }, after: null, source: { ...source, row: 2 }, op: 'd', ...rest },
    });
    expect(tombstone).toEqual({ op: 'd', key: { id: 1 }, value: null });
    expect(more).toEqual([]);
  });

  it('makes of a changed key a delete with its tombstone, and a row that was created', () => {
    const target = encoder();
    transaction();
    update(target, [1, 'a'], [2, 'b']);
    expect(parsed()).toMatchObject([
      { op: 'd', key: { id: 1 }, value: { before: { id: 1, note: 'a' }, after: null, op: 'd', source: { row: 0 } } },
      { op: 'd', key: { id: 1 }, value: null },
      { op: 'c', key: { id: 2 }, value: { before: null, after: { id: 2, note: 'b' }, op: 'c', source: { row: 0 } } },
    ]);
  });

  it('leaves tombstones out where they are not wanted', () => {
    const target = encoder({ tombstones: false });
    transaction();
    update(target, [1, 'a'], [2, 'b']);
    remove(target, [2, 'b']);
    expect(parsed().map(({ op, value }) => [op, value?.['op']])).toEqual([
      ['d', 'd'],
      ['c', 'c'],
      ['d', 'd'],
    ]);
  });

  it('leaves out updates that change nothing where that is asked for', () => {
    const envelope = { connector: 'mysql', server: 'p', version: '1', transactions: false, skipsUnchanged: true };
    const target = encoder({ envelope });
    transaction();
    update(target, [1, 'a'], [1, 'a']);
    update(target, [1, 'a'], [1, 'b']);
    update(target, [1, null], [1, null]);
    insert(target, [2, null]);
    expect(parsed()).toMatchObject([
      { op: 'u', value: { before: { note: 'a' }, after: { note: 'b' }, source: { row: 1 } } },
      { op: 'c', value: { after: { id: 2 }, source: { row: 3 } } },
    ]);
  });

  it('tells rows of a snapshot, which are nobody’s transaction', () => {
    const target = encoder();
    transaction();
    chunks.origin.read('true', { file: 'binlog.000004', offset: 4 });
    insert(target, [1, 'é "x"'], 'r');
    insert(target, [2, null], 'r');
    expect(parsed()).toMatchObject([
      {
        op: 'r',
        value: {
          after: { id: 1, note: 'é "x"' },
          op: 'r',
          source: { snapshot: 'true', file: 'binlog.000004', pos: 4, server_id: 0, gtid: null, thread: null, row: 0 },
        },
      },
      { op: 'r', value: { source: { row: 0 } } },
    ]);
  });

  it('counts events in their transaction and among those of their table, where that is asked for', () => {
    const envelope = { connector: 'mysql', server: 'p', version: '1', transactions: true };
    const [orders, others] = [encoder({ envelope }), encoder({ envelope, table: { ...table, table: 'others' } })];
    transaction(null);
    insert(orders, [1, null]);
    insert(others, [1, null]);
    update(orders, [1, null], [2, null]);
    transaction();
    insert(others, [5, null]);
    const id = 'file=binlog.000003,pos=100';
    expect(parsed().map(({ value }) => value?.['transaction'])).toEqual([
      { id, total_order: 1, data_collection_order: 1 },
      { id, total_order: 2, data_collection_order: 1 },
      { id, total_order: 3, data_collection_order: 2 },
      undefined,
      { id, total_order: 4, data_collection_order: 3 },
      { id: `${uuid}:23`, total_order: 1, data_collection_order: 1 },
    ]);
  });

  it('leaves counting to others where values are flat, and a changed key is two events', () => {
    transaction();
    const keyed = new CountingRowEncoder(encoder({ shape: 'flat', envelope: undefined }), chunks);
    keyed.beginOld().integer(1);
    keyed.endOld();
    write(keyed.beginRow('u'), 2, null);
    keyed.endRow();
    keyed.beginDelete().integer(2);
    keyed.endDelete();
    expect([chunks.origin.events, [...chunks.origin.eventsOfTables]]).toEqual([3, [['shop.orders', 3]]]);
  });

  it('has its schema under the names of Debezium where schemas stand in the records', () => {
    const target = encoder({ schemas: { key: true, value: true, times: 'debezium' } });
    transaction();
    insert(target, [1, 'a']);
    const [{ key, value }] = parsed() as unknown as [{ key: unknown; value: Record<string, unknown> }];
    expect(key).toMatchObject({ schema: { name: `${topic}.Key` }, payload: { id: 1 } });
    expect(value['payload']).toMatchObject({ after: { id: 1, note: 'a' }, op: 'c' });
    const row = {
      type: 'struct',
      fields: [
        { type: 'int32', optional: true, field: 'id' },
        { type: 'string', optional: true, field: 'note' },
      ],
      optional: true,
      name: `${topic}.Value`,
    };
    const schema = value['schema'] as { fields: { field: string; fields?: unknown[] }[] };
    expect(schema).toMatchObject({ type: 'struct', optional: false, name: `${topic}.Envelope`, version: 2 });
    expect(schema.fields.slice(0, 2)).toEqual([
      { ...row, field: 'before' },
      { ...row, field: 'after' },
    ]);
    expect(schema.fields[2]).toMatchObject({
      field: 'source',
      name: 'io.debezium.connector.mysql.Source',
      version: 1,
      optional: false,
    });
    expect(schema.fields[3]).toMatchObject({ field: 'transaction', name: 'event.block', optional: true });
    const names = (fields: unknown[] = []) => fields.map((each) => (each as { field: string }).field);
    expect(names(schema.fields)).toEqual(Object.keys(value['payload'] as object));
    expect(names(schema.fields[2]!.fields)).toEqual(Object.keys(source));
  });
});

describe('a schema in records', () => {
  it('says what nested values are', () => {
    const column = 0;
    const fields = [
      { name: 'list', type: { kind: 'ARRAY', element: { kind: 'DOUBLE' } }, column, nullable: true },
      {
        name: 'shape',
        type: {
          kind: 'STRUCT',
          fields: [
            { name: 'wkb', type: { kind: 'BYTES' } },
            { name: 'srid', type: { kind: 'INTEGER' } },
          ],
        },
        column,
        nullable: true,
      },
    ] as const;
    const optional = true;
    expect(JSON.parse(connectValueSchema(topic, fields, 'debezium'))).toMatchObject({
      fields: [
        { type: 'array', items: { type: 'double', optional }, optional, field: 'list' },
        {
          type: 'struct',
          fields: [
            { type: 'bytes', optional, field: 'wkb' },
            { type: 'int32', optional, field: 'srid' },
          ],
          optional,
          field: 'shape',
        },
      ],
    });
  });
});

describe('a schema of JSON in the registry', () => {
  it('is that of the records, as Confluent’s converter writes it, and its id stands in front of them', () => {
    const schemas = { key: 'registered', value: 'registered', times: 'debezium' } as const;
    const target = encoder({ schemas, keySchemaId: 5 });
    transaction();
    insert(target, [1, 'a']);
    const [{ key, value }] = records() as unknown as [{ key: Buffer; value: Buffer }];
    expect([key.readInt32BE(1), key.subarray(5).toString()]).toEqual([5, '{"id":1}']);
    expect([value[0], value.readInt32BE(1)]).toEqual([0, 7]);
    expect(JSON.parse(value.subarray(5).toString())).toMatchObject({ after: { id: 1, note: 'a' }, op: 'c' });
    const fields = tableFields(table).value;
    const text = jsonSchemaOf(connectEnvelopeSchema(topic, fields, 'debezium', { connector: 'mysql' }));
    const row = {
      oneOf: [
        { type: 'null' },
        {
          type: 'object',
          title: `${topic}.Value`,
          properties: {
            id: { oneOf: [{ type: 'null' }, { type: 'integer', 'connect.type': 'int32' }], 'connect.index': 0 },
            note: { oneOf: [{ type: 'null' }, { type: 'string' }], 'connect.index': 1 },
          },
        },
      ],
    };
    expect(JSON.parse(text)).toMatchObject({
      type: 'object',
      title: `${topic}.Envelope`,
      'connect.version': 2,
      properties: {
        before: { ...row, 'connect.index': 0 },
        after: { ...row, 'connect.index': 1 },
        op: { type: 'string', 'connect.index': 4 },
      },
    });
  });
});

describe('an envelope in AVRO', () => {
  it('is what its schema says to a reader of Avro', () => {
    const envelope = { connector: 'mariadb', server: 'p', version: '1.2.3', transactions: true };
    const target = encoder({ valueFormat: 'AVRO', envelope });
    transaction();
    chunks.origin.query = 'INSERT …';
    insert(target, [1, 'a']);
    update(target, [1, 'a'], [2, null]);
    chunks.origin.read('incremental', undefined);
    insert(target, [3, null], 'r');
    const text = avroEnvelopeSchema(topic, tableFields(table).value, envelope);
    const type = avro.Type.forSchema(JSON.parse(text) as avro.Schema, {
      registry: { long: avro.types.LongType.__with(big) },
    });
    const values = records().map(({ value }) => {
      if (value === null) return null;
      expect(value.readInt32BE(1)).toBe(7);
      return JSON.parse(JSON.stringify(type.fromBuffer(value.subarray(5)))) as Record<string, Record<string, unknown>>;
    });
    const id = `${uuid}:23`;
    const told = { ...source, connector: 'mariadb', query: 'INSERT …' };
    expect(values).toMatchObject([
      {
        before: null,
        after: { id: 1, note: 'a' },
        source: told,
        transaction: { id, total_order: 1, data_collection_order: 1 },
        op: 'c',
      },
      { before: { id: 1, note: 'a' }, after: null, op: 'd', transaction: { total_order: 2 } },
      null,
      { before: null, after: { id: 2, note: null }, op: 'c', transaction: { total_order: 3 } },
      { after: { id: 3, note: null }, op: 'r', transaction: null, source: { snapshot: 'incremental', gtid: null } },
    ]);
    expect(JSON.parse(text)).toMatchObject({ name: 'Envelope', namespace: topic });
  });
});

/** Nanoseconds are beyond 2^53, and all longs are read alike. */
const big = {
  fromBuffer: (bytes: Buffer) => Number(bytes.readBigInt64LE()),
  toBuffer: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: Number,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'number',
  compare: (a: number, b: number) => a - b,
};
