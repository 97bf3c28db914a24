// Checksums are those of others: known values, and the same as kafkajs' and zlib's of any bytes, wherever they lie.
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, crc32OfShort, type Checksum } from '../../../src/core/crc.js';
import { checksumOf } from '../../../src/source/mysql/binlog-event.js';

const require = createRequire(import.meta.url);
const kafkaJsCrc = require('kafkajs/src/protocol/recordBatch/crc32C') as (buffer: Buffer) => number;

describe.each<[string, Checksum, number, (bytes: Buffer) => number]>([
  ["CRC-32C is kafkajs'", crc32c, 0xe3069283, (bytes) => kafkaJsCrc(bytes) >>> 0],
  ["CRC-32 is zlib's", crc32OfShort, 0xcbf43926, (bytes) => crc32(bytes)],
  [
    "that of an event of any length is zlib's",
    (b, from, to) => checksumOf(Buffer.from(b), from, to),
    0xcbf43926,
    crc32,
  ],
])('%s', (_name, ours, ofDigits, theirs) => {
  it('of the digits', () => {
    expect(ours(Buffer.from('123456789'), 0, 9)).toBe(ofDigits);
  });

  it('of any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(), fc.nat(), (array, a, b) => {
        const [start, end] = [a % (array.length + 1), b % (array.length + 1)].toSorted((x, y) => x - y) as [
          number,
          number,
        ];
        expect(ours(array, start, end)).toBe(theirs(Buffer.from(array.subarray(start, end))));
      }),
    );
  });
});
