// A chunk that crosses a thread is the same on the other side, whatever its ends say.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Chunk } from '../../../src/core/append.js';
import { ChunkEnds, type AppendEnd } from '../../../src/core/chunk-ends.js';
import { packChunk, unpackChunk } from '../../../src/stream/bridge/sent-chunk.js';

const id = fc.oneof(
  fc.string(),
  fc.tuple(fc.string({ maxLength: 2 }), fc.stringMatching(/^\d{0,20}$/)).map((parts) => parts.join('')),
);

const end: fc.Arbitrary<AppendEnd> = fc.record({
  recordEnd: fc.nat(),
  position: fc.option(fc.string()),
  commitTimeUs: fc.maxSafeInteger(),
  transactionId: fc.option(id, { nil: undefined }),
  control: fc.option(
    fc.record({
      kind: fc.constant('snapshot-completed' as const),
      connector: fc.string(),
      topics: fc.array(fc.string()),
    }),
    { nil: undefined },
  ),
});

it('gives what was packed', () => {
  fc.assert(
    fc.property(fc.array(end, { maxLength: 20 }), (ends) => {
      const chunk: Chunk = {
        data: new Uint8Array([1, 2]),
        topics: ['a'],
        extents: new Int32Array(8),
        recordCount: 1,
        ends: ChunkEnds.of(ends),
      };
      const unpacked = unpackChunk(structuredClone(packChunk(chunk)));
      expect({ ...unpacked, ends: [...unpacked.ends] }).toEqual({ ...chunk, ends });
    }),
  );
});
