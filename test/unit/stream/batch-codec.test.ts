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
  readonly lies: 'in front' | 'behind' | 'within';
}

const text = fc.option(fc.string({ unit: 'binary', maxLength: 20 }));
const timeMs = fc.oneof(fc.constant(1000), fc.integer({ min: -4e15, max: 4e15 }));
const op = fc.integer({ min: 0, max: 3 });
const headers = fc.oneof(fc.constant(''), fc.string({ unit: 'binary', maxLength: 200 }));
const described: fc.Arbitrary<Described> = fc.oneof(
  fc.record({ op, key: text, value: text, headers, timeMs, lies: fc.constantFrom('in front', 'behind') }),
  fc
    .record({ op, key: fc.string({ maxLength: 8 }), around: fc.string({ maxLength: 8 }), headers, timeMs })
    .map(({ key, around, ...rest }) => ({ ...rest, key, value: `${around}${key}${around}`, lies: 'within' as const })),
);

/**
 * Lays keys and values of all records into `buffers` buffers, with or without gaps between them, in front of which other records stand in
 * the extents; a key that is a part of its value maybe there.
 */
function recordSet(
  records: readonly Described[],
  { buffers, gap, timestamps, first }: { buffers: number; gap: number; timestamps: boolean; first: number },
): RecordSet {
  const extents = new Int32Array((first + records.length) * extentSize).fill(-7, 0, first * extentSize);
  const parts: Buffer[][] = Array.from({ length: buffers }, () => []);
  const lengths = Array.from({ length: buffers }, () => 0);
  records.forEach(({ op, key, value, headers, lies }, i) => {
    const buffer = Math.floor((i * buffers) / records.length);
    const add = (content: string | null): [number, number] => {
      const start = lengths[buffer]!;
      if (content === null) return [start, -1];
      const bytes = Buffer.from(content, 'utf8');
      parts[buffer]!.push(bytes);
      lengths[buffer]! += bytes.length;
      return [start, bytes.length];
    };
    const at = (first + i) * extentSize;
    extents[at + extent.op] = op;
    extents[at + extent.buffer] = buffer;
    const addKey = () => ([extents[at + extent.keyStart], extents[at + extent.keyLength]] = add(key));
    const addValue = () => {
      [extents[at + extent.valueStart], extents[at + extent.valueLength]] = add(value);
      extents[at + extent.op]! |= add(headers)[1] << 2;
    };
    if (lies === 'in front') {
      addKey();
      addValue();
    } else {
      addValue();
      const place = key !== null && value !== null ? Buffer.from(value).indexOf(Buffer.from(key)) : -1;
      if (lies === 'behind' || place < 0) addKey();
      else {
        extents[at + extent.keyStart] = extents[at + extent.valueStart]! + place;
        extents[at + extent.keyLength] = Buffer.from(key!).length;
      }
    }
    parts[buffer]!.push(Buffer.alloc(gap));
    lengths[buffer]! += gap;
  });
  return new RecordSet({
    buffers: parts.map((pieces) => Buffer.concat(pieces)),
    topics: ['t'],
    extents,
    first,
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
        fc.integer({ min: 0, max: 2 }),
        (records, buffers, gap, runs, timestamps, first) => {
          const set = recordSet(records, { buffers, gap, timestamps, first });
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
          const { records: index, data } = builder.finish(() => []);
          const batch = decodeBatch(
            { baseOffset, firstSeq, recordCount: count, records: index, format: 2, at: 5 },
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

  it.each(['in front', 'behind', 'within'] as const)(
    'that is one run of its source is not copied: keys %s of their values',
    (lies) => {
      const set = recordSet(
        [
          { op: 0, key: 'a', value: '<a>', timeMs: 0, headers: '', lies },
          { op: 0, key: 'c', value: '<c>', timeMs: 0, headers: 'e', lies },
        ],
        { buffers: 1, gap: 0, timestamps: false, first: 0 },
      );
      const builder = new BatchBuilder();
      builder.start(0, 1, 0);
      builder.addRun(set, 0, 2, 0, 1, 0);
      const { data } = builder.finish(() => []);
      expect(data.buffer).toBe(set.buffers[0]!.buffer);
      expect(data.length).toBe(lies === 'within' ? 7 : 9);
    },
  );

  it('of the first format is read: the key in front of the value', () => {
    const records = Buffer.from([1, 0, 0, 1, 2]);
    const { extents } = decodeBatch(
      { baseOffset: 0, firstSeq: 1, recordCount: 1, records, format: 1, at: 1 },
      { topic: 0, partition: 0, buffer: 0 },
    );
    expect(Array.from(extents)).toEqual([0, 0, 0, 0, 0, 1, 1, 2]);
  });
});
