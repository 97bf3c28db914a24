// The checkpointer's thread as the main thread sees it, over threads that the test plays itself.
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AppError, toErrorMessage } from '../../../src/core/errors.js';
import { createLogger } from '../../../src/core/logger.js';
import type { CheckpointerAnswer } from '../../../src/threads/checkpointer.js';
import { CheckpointerThread, type CheckpointerWorker } from '../../../src/threads/checkpointer-thread.js';

class FakeWorker extends EventEmitter {
  readonly messages: string[] = [];
  postMessage(message: string): void {
    this.messages.push(message);
    if (message === 'close') this.emit('exit', 0);
  }
  answer(answer: Partial<CheckpointerAnswer> = {}): void {
    this.emit('message', { kind: 'moved', walBytes: 0, blocked: false, left: false, ...answer });
  }
  die(): void {
    this.emit('error', new Error('out of memory'));
    this.emit('exit', 1);
  }
}

let workers: FakeWorker[];
let lines: string[];
let failed: AppError[];
let checkpointer: CheckpointerThread;
const newest = () => workers.at(-1)!;
beforeEach(() => {
  vi.useFakeTimers();
  [workers, lines, failed] = [[], [], []];
  checkpointer = new CheckpointerThread({
    path: 'x',
    onFailed: (error) => failed.push(error),
    logger: createLogger((level, message) => lines.push(`${level}: ${message}`)),
    startThread: () => {
      const worker = new FakeWorker();
      workers.push(worker);
      return worker as unknown as CheckpointerWorker;
    },
  });
});
afterEach(() => vi.useRealTimers());

it('a thread that dies is a line in the log, and what it had to do is done by another, also when no commit follows', async () => {
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  newest().die();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(workers).toHaveLength(2);
  expect(newest().messages).toEqual(['step']);
  expect(lines).toEqual(['error: the checkpointer thread has died and is started again']);
  expect(failed).toEqual([]);
});

it('waits for a file descriptor for as long as it takes, which is no death', async () => {
  checkpointer.committed();
  for (let i = 0; i < 20; i++) {
    await vi.advanceTimersByTimeAsync(2_400);
    newest().emit('error', new Error('EMFILE: too many open files, open'));
    newest().emit('exit', 1);
  }
  expect(failed).toEqual([]);
  expect(lines).toEqual(['warn: the checkpointer waits for a file descriptor']);
  await vi.advanceTimersByTimeAsync(2_400);
  expect(newest().messages).toEqual(['step']);
});

it('goes on when a thread cannot even be started', async () => {
  let full = true;
  const some = new CheckpointerThread({
    path: 'x',
    onFailed: (error) => failed.push(error),
    logger: createLogger((level, message) => lines.push(`${level}: ${message}`)),
    startThread: () => {
      if (full) throw Object.assign(new Error('worker initialization failure'), { code: 'ERR_WORKER_INIT_FAILED' });
      const worker = new FakeWorker();
      workers.push(worker);
      return worker as unknown as CheckpointerWorker;
    },
  });
  some.committed();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([workers.length, failed.length]).toEqual([0, 0]);
  full = false;
  await vi.advanceTimersByTimeAsync(2_400);
  expect(newest().messages).toEqual(['step']);
});

it('what a step has left is asked for again, also when no commit follows', async () => {
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  newest().answer({ left: true });
  await vi.advanceTimersByTimeAsync(200);
  newest().answer({ left: false });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(newest().messages).toEqual(['step', 'step']);
});

it('one that ends without an error, or between two steps, is noticed as well', async () => {
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  newest().answer();
  newest().emit('exit', 3);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(workers).toHaveLength(2);
  expect(lines).toHaveLength(1);
});

it('is a failure when it dies again and again, and not when steps succeed between', async () => {
  for (let i = 0; i < 10; i++) {
    checkpointer.committed();
    await vi.advanceTimersByTimeAsync(20_000);
    newest().answer();
    newest().die();
  }
  expect(failed).toEqual([]);
  for (let i = 0; i < 5; i++) {
    await vi.advanceTimersByTimeAsync(20_000);
    if (failed.length === 0) newest().die();
  }
  expect(failed.map(({ message }) => message)).toEqual(['the checkpointer thread has died 5 times: out of memory']);
});

it('says at once that the place of the file fails', async () => {
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  const error = new AppError('data-folder-unusable', 'the disk is full');
  newest().answer({ kind: 'failed', error: toErrorMessage(error) });
  expect(failed.map(({ code }) => code)).toEqual(['data-folder-unusable']);
});

it('tells once of a log that grows, and again when it has been small in between', async () => {
  for (const megabytes of [10, 300, 400, 10, 300]) {
    checkpointer.committed();
    await vi.advanceTimersByTimeAsync(200);
    newest().answer({ walBytes: megabytes * 1024 * 1024, blocked: true });
  }
  expect(lines).toEqual(['warn: the write-ahead log is large', 'warn: the write-ahead log is large']);
});

it('ends its thread when there is nothing to do, and starts one again for the next commit', async () => {
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  newest().answer();
  await vi.advanceTimersByTimeAsync(11_000);
  expect(newest().messages).toEqual(['step', 'close']);
  checkpointer.committed();
  await vi.advanceTimersByTimeAsync(200);
  expect(workers).toHaveLength(2);
  await checkpointer.close();
  expect(lines).toEqual([]);
});
