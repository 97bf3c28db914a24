// Our record batches against kafkajs's decoder, which knows nothing of ours, and back through our own.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordBatch } from '../../../../src/stream/kafka/record-batch.js';
import { RecordReader } from '../../../../src/stream/kafka/record-reader.js';

const require = createRequire(import.meta.url);
interface KafkaJsRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
  readonly batchContext: {
    readonly producerId: string;
    readonly inTransaction: boolean;
    readonly firstSequence: number;
  };
}
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: unknown,
) => Promise<{ readonly records: readonly KafkaJsRecord[] }>;
const Decoder = require('kafkajs/src/protocol/decoder') as new (buffer: Buffer) => unknown;
const kafkaJsCrc = require('kafkajs/src/protocol/recordBatch/crc32C') as (buffer: Buffer) => number;

interface Sample {
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
const samples: fc.Arbitrary<Sample[]> = fc.array(
  fc.record({ timestampMs: fc.integer({ min: 0, max: 4_102_444_800_000 }), key: bytes, value: bytes }),
  { minLength: 1, maxLength: 50 },
);

function build(list: readonly Sample[]): RecordBatch {
  const batch = new RecordBatch(16);
  for (const { timestampMs, key, value } of list) {
    const source = Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
    // One header: op = c.
    const headers = Buffer.from([2, 4, 0x6f, 0x70, 2, 0x63]);
    batch.add(
      timestampMs,
      source,
      0,
      key?.length ?? -1,
      key?.length ?? 0,
      value?.length ?? -1,
      headers,
      headers.length,
    );
  }
  return batch;
}

describe('a record batch', () => {
  it('is read by kafkajs as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(samples, async (list) => {
        const sealed = build(list).seal({ producerId: 4711, producerEpoch: 3 }, 17);
        expect(sealed.readUInt32BE(17)).toBe(kafkaJsCrc(sealed.subarray(21)) >>> 0);
        const { records } = await decodeBatch(new Decoder(Buffer.from(sealed)));
        expect(records.map(({ timestamp, key, value }) => ({ timestampMs: Number(timestamp), key, value }))).toEqual(
          list,
        );
        expect(records.map(({ offset }) => Number(offset))).toEqual(list.map((_, i) => i));
        expect(records[0]!.headers['op']?.toString()).toBe('c');
        expect(records[0]!.batchContext).toMatchObject({ producerId: '4711', inTransaction: true, firstSequence: 17 });
      }),
    );
  });

  it('is read by our reader as it was written, again and again, up to where it is cut off', () => {
    fc.assert(
      fc.property(samples, samples, fc.nat(), (first, second, cut) => {
        const sealed = [first, second].map((list, i) => {
          const copy = Buffer.from(build(list).seal({ producerId: 1, producerEpoch: 0 }, 0));
          copy.writeUInt32BE(i * 1000, 4);
          return copy;
        });
        const rest = Buffer.from(sealed[1]!).subarray(0, cut % sealed[1]!.length);
        const reader = new RecordReader(Buffer.concat([...sealed, rest]));
        const found: (Sample & { offset: number })[] = [];
        while (reader.nextBatch()) {
          expect(reader.transactional).toBe(true);
          expect(reader.control).toBe(false);
          while (reader.nextRecord()) {
            found.push({
              offset: reader.offset,
              timestampMs: reader.timestampMs,
              key: reader.key(),
              value: reader.value(),
            });
          }
        }
        expect(found).toEqual([
          ...first.map((sample, i) => ({ offset: i, ...sample })),
          ...second.map((sample, i) => ({ offset: 1000 + i, ...sample })),
        ]);
      }),
    );
  });

  it('can be sealed again under another epoch', () => {
    const batch = build([{ timestampMs: 5, key: null, value: Buffer.from('v') }]);
    const first = Buffer.from(batch.seal({ producerId: 1, producerEpoch: 0 }, 7));
    const second = Buffer.from(batch.seal({ producerId: 1, producerEpoch: 1 }, 0));
    expect(second.equals(first)).toBe(false);
    expect(Buffer.from(batch.seal({ producerId: 1, producerEpoch: 0 }, 7)).equals(first)).toBe(true);
  });
});
