import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extent, extentSize, headersStart, opOfCode, RecordSet } from '../../../src/core/record.js';
import { BatchBuilder, decodeBatch } from '../../../src/stream/embedded/batch-codec.js';

interface Described {
  readonly op: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly timeMs: number;
  /** Any bytes: what they are does not matter here. */
  readonly headers: string;
}

const text = fc.option(fc.string({ unit: 'binary', maxLength: 20 }));
const described: fc.Arbitrary<Described> = fc.record({
  op: fc.integer({ min: 0, max: 3 }),
  key: text,
  value: text,
  headers: fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 200 })),
  timeMs: fc.oneof(fc.constant(1000), fc.integer({ min: -4e15, max: 4e15 })),
});

/** Lays keys and values of all records into `buffers` buffers, with or without gaps between them. */
function recordSet(records: readonly Described[], buffers: number, gap: number, timestamps: boolean): RecordSet {
  const extents = new Int32Array(records.length * extentSize);
  const parts: Buffer[][] = Array.from({ length: buffers }, () => []);
  const lengths = Array.from({ length: buffers }, () => 0);
  records.forEach(({ op, key, value, headers }, i) => {
    const buffer = Math.floor((i * buffers) / records.length);
    const add = (content: string | null): [number, number] => {
      const start = lengths[buffer]!;
      if (content === null) return [start, -1];
      const bytes = Buffer.from(content, 'utf8');
      parts[buffer]!.push(bytes);
      lengths[buffer]! += bytes.length;
      return [start, bytes.length];
    };
    const at = i * extentSize;
    extents[at + extent.op] = op;
    extents[at + extent.buffer] = buffer;
    [extents[at + extent.keyStart], extents[at + extent.keyLength]] = add(key);
    [extents[at + extent.valueStart], extents[at + extent.valueLength]] = add(value);
    extents[at + extent.op]! |= add(headers)[1] << 2;
    parts[buffer]!.push(Buffer.alloc(gap));
    lengths[buffer]! += gap;
  });
  return new RecordSet({
    buffers: parts.map((pieces) => Buffer.concat(pieces)),
    topics: ['t'],
    extents,
    count: records.length,
    timestamps: timestamps ? Float64Array.from(records, ({ timeMs }) => timeMs) : undefined,
  });
}

describe('a batch', () => {
  it('gives back what went in, however its records lie in memory and between holes', () => {
    const builder = new BatchBuilder();
    fc.assert(
      fc.property(
        fc.array(described, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 0, max: 2 }),
        fc.array(
          fc.record({
            take: fc.integer({ min: 1, max: 9 }),
            hole: fc.integer({ min: 0, max: 1e9 }),
            seqs: fc.integer({ min: 0, max: 1e6 }),
          }),
          { minLength: 1 },
        ),
        fc.boolean(),
        (records, buffers, gap, runs, timestamps) => {
          const set = recordSet(records, buffers, gap, timestamps);
          const baseOffset = 2 ** 40;
          builder.start(baseOffset, 7, 1000);
          const offsets: number[] = [];
          const seqs: number[] = [];
          let offset = baseOffset;
          let seq = 7;
          for (let from = 0, r = 0; from < records.length; r++) {
            const { take, hole, seqs: step } = runs[r % runs.length]!;
            const to = Math.min(from + take, records.length);
            offset += hole;
            seq += step;
            builder.addRun(set, from, to, offset, seq, 1000);
            for (let i = from; i < to; i++) {
              offsets.push(offset++);
              seqs.push(seq);
            }
            from = to;
          }
          const { count, lastOffset, lastSeq, firstSeq } = builder;
          const { records: index, data } = builder.finish();
          const batch = decodeBatch(
            { baseOffset, firstSeq, recordCount: count, records: index },
            { topic: 3, partition: 4, buffer: 0 },
          );
          const decoded = new RecordSet({ buffers: [data], topics: [], extents: batch.extents, count });
          expect(Array.from(batch.offsets)).toEqual(offsets);
          expect(Array.from(batch.seqs)).toEqual(seqs);
          expect([lastOffset, lastSeq]).toEqual([offsets.at(-1), seqs.at(-1)]);
          expect(Array.from(batch.timestamps)).toEqual(records.map(({ timeMs }) => (timestamps ? timeMs : 1000)));
          records.forEach((record, i) => {
            const headers = Buffer.from(record.headers);
            const at = i * extentSize;
            const op = record.op | (headers.length << 2);
            expect(batch.extents.slice(at, at + 3)).toEqual(Int32Array.of(op, 3, 4));
            const start = headersStart(batch.extents, at);
            expect(data.subarray(start, start + headers.length)).toEqual(headers);
            expect(decoded.op(i)).toBe(opOfCode[record.op]);
            expect(decoded.key(i)).toEqual(record.key === null ? null : Buffer.from(record.key));
            expect(decoded.value(i)).toEqual(record.value === null ? null : Buffer.from(record.value));
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that is one run of its source is not copied', () => {
    const set = recordSet(
      [
        { op: 0, key: 'a', value: 'b', timeMs: 0, headers: '' },
        { op: 0, key: 'c', value: 'd', timeMs: 0, headers: 'e' },
      ],
      1,
      0,
      false,
    );
    const builder = new BatchBuilder();
    builder.start(0, 1, 0);
    builder.addRun(set, 0, 2, 0, 1, 0);
    expect(builder.finish().data.buffer).toBe(set.buffers[0]!.buffer);
  });
});
