// The pool of reader threads, over threads that the test plays itself.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AnswerBudget } from '../../../src/core/answer-budget.js';
import { toAppError } from '../../../src/core/errors.js';
import { createLogger } from '../../../src/core/logger.js';
import type { ReadAnswer, ReadTask } from '../../../src/query/read-task.js';
import { ReaderPool, type ReaderThread } from '../../../src/threads/reader-pool.js';

const task: ReadTask = { kind: 'read', reads: [], numbers: 'strings', staleOk: false };
const answer = {
  kind: 'read',
  pages: [],
  etag: '"e"',
  tables: [],
  frontier: { logId: 'l', seq: 1, commitTimeUs: 0, commitTimesUs: {}, positions: {} },
} satisfies ReadAnswer;

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
    answers: new AnswerBudget(1e6),
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

it('refuses reads while no thread can be started, and takes the next when one can', async () => {
  let full = true;
  const some = new ReaderPool({
    data: { path: 'x', limits },
    answers: new AnswerBudget(1e6),
    size: 1,
    logger: createLogger(() => {}),
    startThread: () => {
      if (full) throw Object.assign(new Error('worker initialization failure'), { code: 'ERR_WORKER_INIT_FAILED' });
      const thread = new FakeThread();
      threads.push(thread);
      return thread as unknown as ReaderThread;
    },
  });
  expect(await codeOf(some.run(task))).toBe('overloaded');
  full = false;
  const read = codeOf(some.run(task));
  threads[0]!.answer();
  expect(await read).toBe('ok');
});

it('tells a read that its thread ran out of memory, which asking again would not help', async () => {
  const read = codeOf(pool.run(task));
  threads[0]!.emit('error', Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
  expect(await read).toBe('result-too-large');
});

it('has the room back that a read took, however it ends', async () => {
  const answers = new AnswerBudget(1e6);
  const elsewhere = new AnswerBudget(1e6, { total: answers.shared.total });
  const accounts: Float64Array[] = [];
  const some = new ReaderPool({
    data: { path: 'x', limits },
    answers,
    size: 1,
    logger: createLogger(() => {}),
    startThread: (data) => {
      accounts.push(new Float64Array(data.taken));
      const thread = new FakeThread();
      threads.push(thread);
      return thread as unknown as ReaderThread;
    },
  });
  const takes = (bytes: number) => (accounts.at(-1)![0]! += elsewhere.count(bytes));
  const given = some.run(task);
  takes(100_000);
  threads.at(-1)!.answer();
  const { share } = await given;
  expect(answers.bytes).toBeGreaterThanOrEqual(100_000);
  share.end();
  expect(answers.bytes).toBe(0);
  await vi.advanceTimersByTimeAsync(0);
  const lost = codeOf(some.run(task));
  takes(200_000);
  threads.at(-1)!.die();
  expect(await lost).toBe('internal');
  expect(answers.bytes).toBe(0);
  const late = codeOf(some.run(task));
  takes(200_000);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(await late).toBe('read-timeout');
  expect(answers.bytes).toBe(0);
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
