import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../../src/core/bytes.js';
import { integerValue } from '../../../src/core/data-type.js';

const item = fc.oneof(
  fc.record({ kind: fc.constant('varint' as const), value: fc.oneof(fc.maxSafeNat(), fc.nat(300)) }),
  fc.record({
    kind: fc.constant('signed' as const),
    value: fc.oneof(
      fc.maxSafeInteger(),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(integerValue),
      fc.integer({ min: -70, max: 70 }),
    ),
  }),
  fc.record({ kind: fc.constant('double' as const), value: fc.double() }),
  fc.record({
    kind: fc.constant('string' as const),
    value: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 30 }),
      fc.nat(20_000).map((n) => 'ü'.repeat(n)),
    ),
  }),
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(255) }),
);

describe('compact bytes', () => {
  it('read back as what was written, one value behind the other', () => {
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const to = new ByteWriter(1);
        for (const each of items) {
          if (each.kind === 'varint') to.varint(each.value);
          else if (each.kind === 'signed') to.signed(each.value);
          else if (each.kind === 'double') to.double(each.value);
          else if (each.kind === 'string') to.string(each.value);
          else to.u8(each.value);
        }
        const from = new ByteReader(Buffer.from(to.written()));
        const read = items.map(({ kind }) =>
          kind === 'varint'
            ? from.varint()
            : kind === 'signed'
              ? from.signed()
              : kind === 'double'
                ? from.double()
                : kind === 'string'
                  ? from.string()
                  : from.u8(),
        );
        expect(read).toEqual(items.map(({ value }) => value));
        expect(from.done).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('take one byte for small numbers', () => {
    const to = new ByteWriter();
    to.varint(127);
    to.signed(-63);
    expect(to.length).toBe(2);
  });

  it('start again with the same buffer, unless one content has made it huge', () => {
    const to = new ByteWriter(16);
    to.bytes(Buffer.alloc(100_000));
    const { buffer } = to;
    to.reset();
    expect([to.length, to.buffer]).toEqual([0, buffer]);
    to.bytes(Buffer.alloc(100_000));
    to.reset(1000);
    expect(to.buffer.length).toBeLessThan(1000);
  });
});
