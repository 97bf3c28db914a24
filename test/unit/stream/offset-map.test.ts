import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetMap } from '../../../src/stream/embedded/offset-map.js';

const at = (key: string) => {
  const bytes = Buffer.from(`..${key}..`);
  return [bytes, 2, bytes.length - 4] as const;
};

describe('the offsets of a pass of compaction', () => {
  it('holds what a Map would hold, whatever the keys are', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3, unit: 'binary' }), { maxLength: 5_000 }), (keys) => {
        const map = new OffsetMap(1024 * 1024, 10);
        const base = 2 ** 40;
        const model = new Map<string, number>();
        let replaced = 0;
        for (const [i, key] of keys.entries()) {
          const offset = base + i;
          if (model.has(key)) replaced++;
          model.set(key, offset);
          map.note(...at(key), offset);
        }
        expect(map.replaced).toBe(replaced);
        for (const [key, offset] of model) expect(map.newest(...at(key))).toBe(offset);
        expect(map.newest(...at('never seen'))).toBe(-1);
      }),
    );
  });

  it('says when it is full, and still takes a batch more', () => {
    const map = new OffsetMap(1024 * 1024, 1_000_000);
    let count = 0;
    while (!map.full) map.note(...at(`key ${count}`), count++);
    expect(count).toBeGreaterThan(15_000);
    expect(count).toBeLessThan(50_000);
    for (let i = 0; i < 10_000; i++) map.note(...at(`key ${count}`), count++);
    for (let i = 0; i < count; i += 97) expect(map.newest(...at(`key ${i}`))).toBe(i);
  });

  it('takes keys of any length, an empty one too', () => {
    const map = new OffsetMap(64 * 1024, 10);
    map.note(...at(''), 1);
    map.note(...at('x'.repeat(100_000)), 2);
    for (let length = 250; length < 260; length++) map.note(...at('y'.repeat(length)), length);
    map.note(...at(''), 300);
    expect(map.newest(...at(''))).toBe(300);
    for (let length = 250; length < 260; length++) expect(map.newest(...at('y'.repeat(length)))).toBe(length);
    expect(map.newest(...at('x'.repeat(100_000)))).toBe(2);
    expect(map.full).toBe(true);
  });

  it('is full before the distance of two offsets is too large for it', () => {
    const map = new OffsetMap(64 * 1024, 10);
    map.note(...at('a'), 2 ** 50);
    expect(map.full).toBe(false);
    map.note(...at('b'), 2 ** 50 + 2 ** 32 - 2 ** 20);
    expect(map.full).toBe(true);
    expect(map.newest(...at('b'))).toBe(2 ** 50 + 2 ** 32 - 2 ** 20);
  });
});
