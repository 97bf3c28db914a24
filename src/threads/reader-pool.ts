// The pool of reader threads: started when the first long read comes, ended when none has come for a while (an idle process keeps no
// thread for them). A bounded queue: over it a read is refused instead of waiting without end. A thread that dies takes its own read with
// it, is a line in the log, and is started again by the next read.
import { Worker } from 'node:worker_threads';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ReadAnswer, ReadTask } from '../query/read-task.js';
import type { ReaderApi, ReaderData } from './reader.js';
import { connectRpc, type Rpc, type RpcPort } from './rpc.js';

/** Structurally what a Worker is here. */
export interface ReaderThread extends RpcPort {
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

interface PooledReader {
  readonly thread: ReaderThread;
  readonly rpc: Rpc<ReaderApi>;
  busy: boolean;
  idle: NodeJS.Timeout | undefined;
  /** The task in hand looks at its deadline itself; this is for one that no longer comes to look. */
  watchdog: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly task: ReadTask;
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: NodeJS.Timeout;
}

export interface ReaderPoolEnv {
  readonly data: ReaderData;
  /** Threads at most. */
  readonly size: number;
  readonly logger: Logger;
  readonly startThread?: ((data: ReaderData) => ReaderThread) | undefined;
}

const idleMs = 10_000;
const queueMax = 1_000;
const watchdogGraceMs = 5_000;

export class ReaderPool {
  readonly #data: ReaderData;
  readonly #size: number;
  readonly #logger: Logger;
  readonly #startThread: (data: ReaderData) => ReaderThread;
  readonly #readers: PooledReader[] = [];
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor({ data, size, logger, startThread = startReaderThread }: ReaderPoolEnv) {
    this.#data = data;
    this.#size = size;
    this.#logger = logger;
    this.#startThread = startThread;
  }

  run(task: ReadTask): Promise<ReadAnswer> {
    if (this.#closed) return Promise.reject(stopping());
    if (this.#waiting.length >= queueMax) {
      return Promise.reject(new AppError('overloaded', `${queueMax} reads wait already`, { retriable: true }));
    }
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => this.#expire(waiting), this.#data.limits.deadlineMs);
      const waiting: Waiting = { task, resolve, reject, deadline };
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  /** What waits or runs is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { reject, deadline } of this.#waiting.splice(0)) {
      clearTimeout(deadline);
      reject(stopping());
    }
    await Promise.all(this.#readers.splice(0).map((reader) => this.#terminate(reader, stopping())));
  }

  #expire(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at < 0) return;
    this.#waiting.splice(at, 1);
    waiting.reject(
      new AppError('read-timeout', `no thread was free for the read within ${this.#data.limits.deadlineMs} ms`, {
        hint: 'more threads: option read.threads',
        retriable: true,
      }),
    );
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const reader =
      this.#readers.find(({ busy }) => !busy) ?? (this.#readers.length < this.#size ? this.#start() : undefined);
    if (!reader) return;
    const { task, resolve, reject, deadline } = this.#waiting.shift()!;
    clearTimeout(deadline);
    clearTimeout(reader.idle);
    reader.busy = true;
    const { deadlineMs } = this.#data.limits;
    reader.watchdog = setTimeout(() => {
      const error = new AppError('read-timeout', `the read did not end within ${deadlineMs} ms`, { retriable: true });
      void this.#terminate(reader, error);
    }, deadlineMs + watchdogGraceMs);
    reader.rpc.remote
      .run(task)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(reader.watchdog);
        reader.busy = false;
        if (this.#readers.includes(reader)) reader.idle = setTimeout(() => this.#end(reader), idleMs).unref();
        this.#next();
      });
  }

  #start(): PooledReader {
    const thread = this.#startThread(this.#data);
    const rpc = connectRpc<ReaderApi>(thread, {}, () => {});
    const reader: PooledReader = { thread, rpc, busy: false, idle: undefined, watchdog: undefined };
    // Its read is refused; the next one finds another thread.
    const lost = (cause: unknown) => {
      if (!this.#forget(reader)) return;
      const error = cause instanceof Error ? cause.message : `it ended with code ${String(cause)}`;
      this.#logger.error('a reader thread has died', { error });
      const { code, hint } = toAppError(cause);
      rpc.fail(new AppError(code, 'a reader thread has died', { detail: error, hint, cause, retriable: true }));
    };
    thread.on('error', lost);
    thread.on('exit', lost);
    this.#readers.push(reader);
    return reader;
  }

  #end(reader: PooledReader): void {
    if (!reader.busy) void this.#terminate(reader, stopping());
  }

  /** False for one that was forgotten before: it was ended by us, or has told already why it ends. */
  #forget(reader: PooledReader): boolean {
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
    clearTimeout(reader.watchdog);
    clearTimeout(reader.idle);
    return at >= 0;
  }

  /** Its task is told why, before the end of the thread can tell less. */
  async #terminate(reader: PooledReader, error: AppError): Promise<void> {
    this.#forget(reader);
    reader.rpc.fail(error);
    await reader.thread.terminate();
  }
}

function startReaderThread(data: ReaderData): ReaderThread {
  return new Worker(new URL('./reader.js', import.meta.url), { workerData: data });
}

function stopping(): AppError {
  return new AppError('not-ready', 'the process stops', { retriable: true });
}
