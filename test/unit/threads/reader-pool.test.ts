// The pool of reader threads, over threads that the test plays itself.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { toAppError } from '../../../src/core/errors.js';
import { createLogger } from '../../../src/core/logger.js';
import type { ReadAnswer, ReadTask } from '../../../src/query/read-task.js';
import { ReaderPool, type ReaderThread } from '../../../src/threads/reader-pool.js';

const task: ReadTask = { kind: 'read', reads: [], numbers: 'strings', staleOk: false };
const answer = {
  kind: 'read',
  json: '{}',
  frontier: { logId: 'l', seq: 1, commitTimeUs: 0, positions: {} },
} as ReadAnswer;

class FakeThread extends EventEmitter {
  readonly calls: number[] = [];
  terminated = false;
  postMessage(message: unknown): void {
    this.calls.push((message as { id: number }).id);
  }
  answer(): void {
    this.emit('message', { kind: 'result', id: this.calls.at(-1), value: answer });
  }
  die(): void {
    this.emit('error', new Error('out of memory'));
    this.emit('exit', 1);
  }
  async terminate(): Promise<number> {
    this.terminated = true;
    this.emit('exit', 1);
    return Promise.resolve(1);
  }
}

let threads: FakeThread[];
let pool: ReaderPool;
let errors: string[];
const limits = { resultBytesMax: 1000, deadlineMs: 1000 };
beforeEach(() => {
  vi.useFakeTimers();
  threads = [];
  errors = [];
  pool = new ReaderPool({
    data: { path: 'x', limits },
    size: 1,
    logger: createLogger((level, message) => {
      if (level === 'error') errors.push(message);
    }),
    startThread: () => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread as unknown as ReaderThread;
    },
  });
});
afterEach(() => vi.useRealTimers());

const codeOf = (read: Promise<unknown>) =>
  read.then(
    () => 'ok',
    (error: unknown) => toAppError(error).code,
  );

it('gives one read at a time to a thread, in order', async () => {
  const first = pool.run(task);
  const second = pool.run(task);
  expect(threads).toHaveLength(1);
  expect(threads[0]!.calls).toHaveLength(1);
  threads[0]!.answer();
  await first;
  await vi.advanceTimersByTimeAsync(0);
  expect(threads[0]!.calls).toHaveLength(2);
  threads[0]!.answer();
  await second;
});

it('a thread that dies takes its own read with it and no other, and is a line in the log', async () => {
  const first = codeOf(pool.run(task));
  const second = codeOf(pool.run(task));
  threads[0]!.die();
  expect(await first).toBe('internal');
  await vi.advanceTimersByTimeAsync(0);
  expect(threads).toHaveLength(2);
  threads[1]!.answer();
  expect(await second).toBe('ok');
  expect(errors).toEqual(['a reader thread has died']);
});

it('a read that no longer looks at its deadline is ended with its thread', async () => {
  const read = codeOf(pool.run(task));
  await vi.advanceTimersByTimeAsync(limits.deadlineMs + 5_000);
  expect(await read).toBe('read-timeout');
  expect(threads[0]!.terminated).toBe(true);
});

it('a read does not wait longer than a read may take', async () => {
  const first = codeOf(pool.run(task));
  const second = codeOf(pool.run(task));
  await vi.advanceTimersByTimeAsync(limits.deadlineMs);
  expect(await second).toBe('read-timeout');
  threads[0]!.answer();
  expect(await first).toBe('ok');
});

it('ends its threads when there is nothing to read', async () => {
  const read = pool.run(task);
  threads[0]!.answer();
  await read;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(threads[0]!.terminated).toBe(true);
  void codeOf(pool.run(task));
  expect(threads).toHaveLength(2);
});

it('rejects everything when it closes, and starts nothing any more', async () => {
  const reads = [codeOf(pool.run(task)), codeOf(pool.run(task))];
  await pool.close();
  expect(await Promise.all(reads)).toEqual(['not-ready', 'not-ready']);
  expect(await codeOf(pool.run(task))).toBe('not-ready');
  expect(threads).toHaveLength(1);
  expect(errors).toEqual([]);
});
