import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import type { RowEncoder, SourceTable } from '../../../src/core/row-encoder.js';
import { createChunkBuilder, type RecordChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { murmur2, partitionOf } from '../../../src/schema/formats/partitioner.js';
import { createRowEncoder } from '../../../src/schema/formats/row-encoder.js';
import type { RowEncoderOptions } from '../../../src/schema/formats/row-encoder-options.js';

const table: SourceTable = {
  database: 'shop',
  table: 'orders',
  columns: [
    { name: 'note', type: { kind: 'STRING' }, nullable: true, sourceType: 'text' },
    { name: 'id', type: { kind: 'BIGINT' }, nullable: false, sourceType: 'bigint' },
    { name: 'part', type: { kind: 'INTEGER' }, nullable: false, sourceType: 'int' },
  ],
  keyColumns: [1],
};
const composite: SourceTable = { ...table, keyColumns: [2, 1] };

function encoder(chunks: RecordChunkBuilder, options: Partial<RowEncoderOptions> = {}): RowEncoder {
  return createRowEncoder({
    table,
    topic: 'p.shop.orders',
    partitions: 1,
    keyFormat: 'JSON',
    valueFormat: 'JSON',
    keyShape: 'bare',
    shape: 'flat',
    keySchemaId: 1,
    valueSchemaId: 2,
    chunks,
    ...options,
  });
}

function row(target: RowEncoder, note: string | Buffer, id: number, part: number): void {
  const sink = target.beginRow('c');
  const bytes = Buffer.from(note);
  sink.utf8(bytes, 0, bytes.length);
  sink.integer(id);
  sink.integer(part);
  target.endRow();
}

function text(bytes: Buffer | null): string {
  return bytes === null ? 'null' : bytes.toString();
}

function taken(chunks: RecordChunkBuilder): string[] {
  const { data, topics, extents, recordCount } = chunks.take()!;
  const set = new RecordSet({
    buffers: [Buffer.from(data.buffer, data.byteOffset, data.length)],
    topics,
    extents,
    count: recordCount,
  });
  return Array.from(
    { length: set.count },
    (_, i) => `${set.op(i)} ${set.topic(i)}/${set.partition(i)} ${text(set.key(i))} ${text(set.value(i))}`,
  );
}

describe('the row encoder', () => {
  it('writes flat JSON, takes a bare key from it, and escapes text', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    row(encoder(chunks), 'a "b"\n\u0001é😀', 7, 1);
    expect(taken(chunks)).toStrictEqual(['c p.shop.orders/0 7 {"note":"a \\"b\\"\\n\\u0001é😀","id":7,"part":1}']);
  });

  it('writes an object key in key order', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    row(encoder(chunks, { table: composite, keyShape: 'object' }), '', 7, 1);
    expect(taken(chunks)).toStrictEqual(['c p.shop.orders/0 {"part":1,"id":7} {"note":"","id":7,"part":1}']);
  });

  it('marks the last row of a delete and follows it with the tombstone where the shape asks for it', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    const target = encoder(chunks, { shape: 'flat-with-deleted' });
    expect(target.oldRow).toBe('of-deletes');
    row(target, 'x', 7, 1);
    const sink = target.beginDelete();
    sink.null();
    sink.integer(7);
    sink.integer(1);
    target.endDelete();
    expect(taken(chunks)).toStrictEqual([
      'c p.shop.orders/0 7 {"note":"x","id":7,"part":1,"__deleted":"false"}',
      'd p.shop.orders/0 7 {"note":null,"id":7,"part":1,"__deleted":"true"}',
      'd p.shop.orders/0 7 null',
    ]);
  });

  it('writes the keys of a JSON connector as it does with JSON values when the values are Avro', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    const target = encoder(chunks, { table: composite, keyShape: 'object', valueFormat: 'AVRO' });
    row(target, 'x', 7, 1);
    row(target, 'y', 8, 2);
    expect(taken(chunks).map((text) => text.split(' ')[2])).toStrictEqual(['{"part":1,"id":7}', '{"part":2,"id":8}']);
  });

  it('refuses bytes that are not UTF-8, naming column and bytes', () => {
    for (const valueFormat of ['JSON', 'AVRO'] as const) {
      const chunks = createChunkBuilder({ chunkBytes: 1000 });
      for (const bad of ['c328', 'e28228', 'eda080', 'f4908080', 'c0af', '61ff', 'e282']) {
        expect(() => row(encoder(chunks, { valueFormat }), Buffer.from(bad, 'hex'), 1, 1)).toThrow(
          expect.objectContaining({
            code: 'unconvertible-value',
            message: expect.stringContaining('note') as string,
            detail: `bytes ${bad}`,
          }),
        );
      }
    }
  });

  it('refuses aloud what it does not write', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    expect(() => encoder(chunks, { valueFormat: 'KAFKA' })).toThrow(/KAFKA/);
    expect(() => encoder(chunks, { table: composite })).toThrow(/2 columns/);
  });
});

describe('the chunk builder', () => {
  it('keeps open appends apart, discards them, and grows beyond its size', () => {
    const chunks = createChunkBuilder({ chunkBytes: 100 });
    const target = encoder(chunks);
    expect(chunks.take()).toBeNull();
    row(target, 'x'.repeat(20_000), 1, 1);
    chunks.endAppend({ position: 'p1', commitTimeUs: 5 });
    row(target, 'rolled back', 2, 1);
    chunks.discardOpenAppend();
    row(target, 'y', 3, 1);
    expect(chunks.recordCount).toBe(2);
    const first = chunks.take()!;
    expect([...first.ends]).toStrictEqual([{ position: 'p1', commitTimeUs: 5, recordEnd: 1 }]);
    expect(first.recordCount).toBe(2);
    expect(first.data.buffer.byteLength).toBeLessThan(80_000);
    expect(() => chunks.discardOpenAppend()).toThrow(/invariant/);
    chunks.endAppend({ position: 'p2', commitTimeUs: 6 });
    const second = chunks.take()!;
    expect(second).toMatchObject({ recordCount: 0, topics: [] });
    expect([...second.ends]).toMatchObject([{ position: 'p2', recordEnd: 0 }]);
    row(target, 'z', 4, 1);
    chunks.discardOpenAppend();
    expect(chunks.take()).toBeNull();
  });

  it('forgets the records of one topic in the open append, and of nothing that is handed over', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    const [one, other] = [encoder(chunks), encoder(chunks, { topic: 'p.shop.other' })];
    row(one, 'ended', 1, 1);
    chunks.endAppend({ position: 'p1', commitTimeUs: 5 });
    row(other, 'a', 2, 1);
    row(one, 'b', 3, 1);
    row(one, 'c', 4, 1);
    row(other, 'd', 5, 1);
    // A row that was begun and has no end.
    one.beginRow('c').integer(9);
    expect(chunks.dropOpen('p.shop.orders')).toBe(true);
    row(other, 'e', 6, 1);
    expect(chunks.recordCount).toBe(4);
    const records = taken(chunks);
    expect(records.map((record) => record.replace(/ .*note":/, ' '))).toEqual([
      'c "ended","id":1,"part":1}',
      'c "a","id":2,"part":1}',
      'c "d","id":5,"part":1}',
      'c "e","id":6,"part":1}',
    ]);
    row(one, 'f', 7, 1);
    expect(chunks.dropOpen('p.shop.orders')).toBe(false);
    expect(chunks.recordCount).toBe(1);
  });

  it('a chunk is not changed by what comes after it', () => {
    const chunks = createChunkBuilder({ chunkBytes: 200 });
    const target = encoder(chunks);
    for (const size of [1, 150, 5000]) {
      row(target, 'a'.repeat(size), 1, 1);
      const chunk = chunks.take()!;
      const before = Buffer.from(chunk.data).toString();
      row(target, 'b'.repeat(6000), 2, 2);
      expect(Buffer.from(chunk.data).toString()).toBe(before);
      chunks.take();
    }
  });

  it('indexes the topics of each chunk anew', () => {
    const chunks = createChunkBuilder({ chunkBytes: 1000 });
    const a = encoder(chunks, { topic: 'a' });
    const b = encoder(chunks, { topic: 'b' });
    row(a, '', 1, 1);
    row(b, '', 2, 1);
    row(a, '', 3, 1);
    expect(taken(chunks).map((text) => text.split(' ')[1])).toStrictEqual(['a/0', 'b/0', 'a/0']);
    row(b, '', 4, 1);
    expect(taken(chunks).map((text) => text.split(' ')[1])).toStrictEqual(['b/0']);
  });
});

it('partitions as every Kafka client does', () => {
  const kafkajs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
    key: Buffer,
  ) => number;
  for (let length = 0; length < 40; length++) {
    const key = Buffer.from(Array.from({ length }, (_, i) => (i * 89 + length * 7) & 255));
    const padded = Buffer.concat([Buffer.from('xy'), key, Buffer.from('z')]);
    expect(murmur2(padded, 2, 2 + length)).toBe(kafkajs(key));
    expect(partitionOf(padded, 2, 2 + length, 7)).toBe((kafkajs(key) & 0x7fffffff) % 7);
  }
});
