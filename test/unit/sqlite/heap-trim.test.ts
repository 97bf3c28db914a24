import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it, vi } from 'vitest';
import { trimHeap } from '../../../src/sqlite/heap-trim.js';

it.runIf(process.platform === 'linux')('memory freed below something that stays goes back to the system', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Below the size from which malloc maps each block by itself.
  const blocks: (Buffer | null)[] = Array.from({ length: 2048 }, () => Buffer.alloc(96 * 1024, 1));
  const fullBytes = process.memoryUsage.rss();
  for (let i = 0; i < blocks.length; i++) if (i % 16 !== 0) blocks[i] = null;
  // Buffers are freed beside the thread, some time after the collection.
  await vi.waitFor(
    () => {
      collect();
      expect(trimHeap()).toBe(true);
      expect(process.memoryUsage.rss()).toBeLessThan(fullBytes - 100 * 1024 * 1024);
    },
    { timeout: 10_000, interval: 50 },
  );
  expect(blocks.filter((block) => block?.[0] === 1)).toHaveLength(128);
});
