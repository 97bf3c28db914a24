import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { compareRows, sameRow } from '../../../src/core/compare.js';
import type { Column, Row } from '../../../src/core/data-type.js';
import { fromSortableText, toSortableText } from '../../../src/store/sqlite/sortable-decimal.js';
import { FeedBuilder, readFeedBlob } from '../../../src/store/sqlite/feed-codec.js';
import { KeyCodec } from '../../../src/store/sqlite/key-codec.js';
import { exactJson, exactKeyJson } from '../../../src/schema/formats/exact-json.js';
import { RowCodec } from '../../../src/store/sqlite/row-codec.js';
import type { RowChange } from '../../../src/store/state-store.js';
import { anyType, nullableOf, valueOf } from '../../support/value-arbitraries.js';

const columns: fc.Arbitrary<Column[]> = fc
  .array(anyType, { minLength: 1, maxLength: 10 })
  .map((types) => types.map((type, i) => ({ name: `c${i}`, type })));

const rowOf = (of: readonly Column[]): fc.Arbitrary<Row> => fc.tuple(...of.map(({ type }) => nullableOf(type)));

describe('a row in bytes', () => {
  it('reads back as it was, alone and as a difference', () => {
    const law = columns.chain((of) =>
      fc.tuple(
        fc.constant(of),
        rowOf(of),
        rowOf(of),
        fc.array(fc.boolean(), { minLength: of.length, maxLength: of.length }),
      ),
    );
    fc.assert(
      fc.property(law, ([of, before, other, keep]) => {
        const after = before.map((value, i) => (keep[i] === true ? value : other[i]!));
        const codec = new RowCodec(of);
        const to = new ByteWriter();
        codec.write(to, before);
        codec.writeDifference(to, after, before);
        const from = new ByteReader(to.written());
        const read = codec.read(from);
        expect(read).toEqual(before);
        // Equal by value: -0 in the place of 0 is no difference.
        expect(sameRow(codec.readDifference(from, read), after)).toBe(true);
        expect(from.done).toBe(true);
      }),
      { numRuns: 400 },
    );
  });
});

describe('changes in a feed blob', () => {
  it('read back in order, from any place', () => {
    const of: Column[] = [
      { name: 'a', type: { kind: 'STRING' } },
      { name: 'b', type: { kind: 'BIGINT' } },
    ];
    const step = fc.record({
      before: fc.option(rowOf(of)),
      after: fc.option(rowOf(of)),
      append: fc.boolean(),
      skip: fc.integer({ min: 0, max: 3 }),
      rowtimeMs: fc.constantFrom(0, 1_767_000_000_000, -5),
      oldRowtimeMs: fc.constantFrom(0, 1_767_000_000_000, -7),
      commitTimeUs: fc.constantFrom(0, 1_767_000_000_000_123),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(1e9), (steps, start) => {
        const codec = new RowCodec(of);
        const builder = new FeedBuilder(codec);
        const changes: RowChange[] = [];
        let seq = start;
        let index = -1;
        for (const { append, skip, oldRowtimeMs, ...rest } of steps) {
          if (append) {
            seq += 1 + skip;
            index = -1;
          }
          index += 1 + (append ? 0 : skip);
          const beforeRowtimeMs = rest.before === null ? undefined : oldRowtimeMs;
          changes.push({ seq, index, beforeRowtimeMs, ...rest });
        }
        for (const change of changes) builder.add(change);
        expect([builder.firstSeq, builder.lastSeq, builder.lastIndex]).toEqual([changes[0]!.seq, seq, index]);
        const read = (after: { seq: number; index: number }) => {
          const page = { changes: [], bytesLeft: Number.POSITIVE_INFINITY };
          readFeedBlob(builder.blob([1]), { format: 2, at: 5 }, codec, after, page);
          return page.changes;
        };
        expect(read({ seq: start - 1, index: Infinity })).toEqual(changes);
        changes.forEach((change, i) => expect(read(change)).toEqual(changes.slice(i + 1)));
      }),
      { numRuns: 200 },
    );
  });

  it('of the first format are read: the old row is taken to be as old as the change, which is all that was kept', () => {
    const codec = new RowCodec([{ name: 'id', type: { kind: 'INTEGER' } }]);
    const builder = new FeedBuilder(codec);
    const change = { seq: 7, index: 0, before: [1], after: [2], rowtimeMs: 9, commitTimeUs: 8 };
    builder.add(change);
    const blob = Buffer.from(builder.blob([1]));
    const page = { changes: [], bytesLeft: Number.POSITIVE_INFINITY };
    readFeedBlob(blob, { format: 1, at: 5 }, codec, { seq: 0, index: 0 }, page);
    expect(page.changes).toEqual([{ ...change, beforeRowtimeMs: 9 }]);
  });

  it('fill a page by what they take in memory, not by what they take in the blob', () => {
    // Twenty nulls are three bytes, and a row of twenty values.
    const of = Array.from({ length: 20 }, (_, i): Column => ({ name: `c${i}`, type: { kind: 'STRING' } }));
    const codec = new RowCodec(of);
    const builder = new FeedBuilder(codec);
    for (let index = 0; index < 1000; index++)
      builder.add({ seq: 1, index, before: null, after: of.map(() => null), rowtimeMs: 0, commitTimeUs: 0 });
    const page = { changes: [], bytesLeft: 16_000 };
    readFeedBlob(builder.blob([1]), { format: 2, at: 5 }, codec, { seq: 0, index: Infinity }, page);
    expect(builder.bytes).toBeLessThan(16_000);
    expect(page.changes.length).toBeGreaterThan(10);
    expect(page.changes.length).toBeLessThan(110);
  });
});

describe('a key in bytes', () => {
  it('reads back as it was and sorts as its values do', () => {
    const law = columns.chain((of) => fc.tuple(fc.constant(of), rowOf(of), rowOf(of)));
    fc.assert(
      fc.property(law, ([of, a, b]) => {
        const codec = new KeyCodec(of);
        const encodedA = Buffer.from(codec.encode(a));
        const encodedB = Buffer.from(codec.encode(b));
        expect(sameRow(codec.decode(encodedA), a)).toBe(true);
        expect(Math.sign(Buffer.compare(encodedA, encodedB))).toBe(Math.sign(compareRows(a, b)));
      }),
      { numRuns: 1000 },
    );
  });

  it('lies in the range of each of its prefixes, and no other key does', () => {
    const law = columns.chain((of) => fc.tuple(fc.constant(of), rowOf(of), rowOf(of), fc.nat(of.length)));
    fc.assert(
      fc.property(law, ([of, a, b, length]) => {
        const codec = new KeyCodec(of);
        const from = Buffer.from(codec.encode(a.slice(0, length)));
        const to = Buffer.from(codec.encodeEnd(a.slice(0, length)));
        for (const key of [a, b]) {
          const encoded = codec.encode(key);
          const inside = Buffer.compare(encoded, from) >= 0 && Buffer.compare(encoded, to) < 0;
          expect(inside).toBe(compareRows(key.slice(0, length), a.slice(0, length)) === 0);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a nested value as JSON', () => {
  it('reads back as it was, with every digit, and is one text per value', () => {
    const law = anyType.chain((type) => fc.tuple(fc.constant(type), valueOf(type)));
    fc.assert(
      fc.property(law, ([type, value]) => {
        const { print, read } = exactJson(type);
        const json = print(value);
        expect(read(json)).toEqual(value);
        expect(print(read(json))).toBe(json);
        expect(() => JSON.parse(json)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('of a key is a list of its columns, and reads back', () => {
    const columns = [
      { name: 'a', type: { kind: 'STRING' } },
      { name: 'n', type: { kind: 'BIGINT' } },
      { name: 'd', type: { kind: 'DECIMAL', precision: 20, scale: 2 } },
    ] as const;
    const { print, read } = exactKeyJson({ columns, keyColumns: [1, 2] });
    expect(print([7, 12345678901234567890n])).toBe('[7,12345678901234567890]');
    expect(read('[7,12345678901234567890]')).toEqual([7, 12345678901234567890n]);
    expect(() => read('[7,1,2]')).toThrow(/not the JSON/);
  });

  it('does not depend on the order in which a map was filled', () => {
    const type = { kind: 'MAP', key: { kind: 'STRING' }, value: { kind: 'INTEGER' } } as const;
    expect(
      exactJson(type).print(
        new Map([
          ['b', 1],
          ['a', 2],
        ]),
      ),
    ).toBe('{"a":2,"b":1}');
  });

  it('that is not what the type says is an error, not a value', () => {
    expect(() => exactJson({ kind: 'ARRAY', element: { kind: 'INTEGER' } }).read('[1,2')).toThrow(/not the JSON/);
    expect(() => exactJson({ kind: 'BOOLEAN' }).read('truefalse')).toThrow(/not the JSON/);
  });
});

describe('a long decimal as text', () => {
  it('reads back and sorts as the number', () => {
    const limit = 10n ** 38n - 1n;
    const number = fc.oneof(fc.bigInt({ min: -limit, max: limit }), fc.bigInt({ min: -100n, max: 100n }));
    fc.assert(
      fc.property(number, number, (a, b) => {
        const [textA, textB] = [toSortableText(a, 38), toSortableText(b, 38)];
        expect(fromSortableText(textA)).toBe(a);
        expect(Math.sign(Buffer.compare(Buffer.from(textA), Buffer.from(textB)))).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });

  it('of too many digits is a bug that shows', () => {
    expect(() => toSortableText(12345, 4)).toThrow(/at most 4 digits/);
  });
});
