// Without a file descriptor: what is asked then is refused or told as unknown, and nothing throws into a timer.
import { afterEach, expect, it, vi } from 'vitest';
import { isFileShortage } from '../../../src/core/file-shortage.js';
import { heapBytes, residentBytes } from '../../../src/core/process-memory.js';
import { processSamples } from '../../../src/server/prometheus.js';
import { freeMemoryAtRest } from '../../../src/threads/rest.js';

const tooMany = () => {
  throw Object.assign(new Error('EMFILE: too many open files, uv_resident_set_memory'), { code: 'EMFILE' });
};
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it('is known by code, by message, and behind a cause', () => {
  const known = [
    Object.assign(new Error('x'), { code: 'EMFILE' }),
    Object.assign(new Error('x'), { code: 'ENFILE' }),
    new Error('libc.so.6: cannot open shared object file: Too many open files'),
    new Error('outer', { cause: new Error('EMFILE: too many open files, open') }),
  ];
  expect(known.map(isFileShortage)).toEqual([true, true, true, true]);
  expect([new Error('ENOENT'), 'EMFILE', undefined].map(isFileShortage)).toEqual([false, false, false]);
});

it('leaves the resident memory unknown, and all other figures there', () => {
  vi.spyOn(process.memoryUsage, 'rss').mockImplementation(tooMany);
  expect(residentBytes()).toBeUndefined();
  expect(heapBytes().used).toBeGreaterThan(0);
  const names = processSamples().map(({ name }) => name);
  expect(names).not.toContain('process_resident_memory_bytes');
  expect(names).toContain('nodejs_heap_size_used_bytes');
});

it('does not end the timer that gives memory back', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const rss = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(tooMany);
  const freed = vi.fn();
  freeMemoryAtRest(freed);
  for (let look = 0; look < 8; look++) {
    // A thread that did nothing since the last look.
    await new Promise((next) => setTimeout(next, 20));
    vi.advanceTimersByTime(5_000);
  }
  expect(freed).not.toHaveBeenCalled();
  expect(rss.mock.calls.length).toBeLessThanOrEqual(8);
});
