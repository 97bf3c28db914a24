// The pool of reader threads: started when the first long read comes, ended when none has come for a while (an idle process keeps no
// thread for them). A bounded queue: over it a read is refused instead of waiting without end. A thread that dies takes its own read with
// it, is a line in the log, and is started again by the next read.
import { Worker } from 'node:worker_threads';
import type { AnswerBudget } from '../core/answer-budget.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { CountedAnswer } from '../query/query-service.js';
import type { ReadTask } from '../query/read-task.js';
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
  /** What its task has taken of the room for answers. */
  readonly taken: Float64Array;
  busy: boolean;
  idle: NodeJS.Timeout | undefined;
  /** The task in hand looks at its deadline itself; this is for one that no longer comes to look. */
  watchdog: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly task: ReadTask;
  readonly resolve: (answer: CountedAnswer) => void;
  readonly reject: (error: unknown) => void;
  readonly deadline: NodeJS.Timeout;
}

export interface ReaderPoolEnv {
  readonly data: Pick<ReaderData, 'path' | 'limits'>;
  readonly answers: AnswerBudget;
  /** Threads at most. */
  readonly size: number;
  readonly logger: Logger;
  readonly startThread?: ((data: ReaderData) => ReaderThread) | undefined;
}

const idleMs = 10_000;
const queueMax = 1_000;
const watchdogGraceMs = 5_000;

export class ReaderPool {
  readonly #data: ReaderPoolEnv['data'];
  readonly #answers: AnswerBudget;
  readonly #size: number;
  readonly #logger: Logger;
  readonly #startThread: (data: ReaderData) => ReaderThread;
  readonly #readers: PooledReader[] = [];
  readonly #waiting: Waiting[] = [];
  #closed = false;

  constructor({ data, answers, size, logger, startThread = startReaderThread }: ReaderPoolEnv) {
    this.#data = data;
    this.#answers = answers;
    this.#size = size;
    this.#logger = logger;
    this.#startThread = startThread;
  }

  run(task: ReadTask): Promise<CountedAnswer> {
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
    const reader = this.#free();
    if (!reader) return;
    const { task, resolve, reject, deadline } = this.#waiting.shift()!;
    clearTimeout(deadline);
    clearTimeout(reader.idle);
    reader.busy = true;
    this.#answers.clear();
    const { deadlineMs } = this.#data.limits;
    reader.watchdog = setTimeout(() => {
      const error = new AppError('read-timeout', `the read did not end within ${deadlineMs} ms`, { retriable: true });
      void this.#terminate(reader, error);
    }, deadlineMs + watchdogGraceMs);
    reader.rpc.remote
      .run(task)
      .then(
        (answer) => resolve({ ...answer, share: this.#answers.adopt(takenOver(reader)) }),
        (error: unknown) => {
          this.#answers.uncount(takenOver(reader));
          reject(error);
        },
      )
      .finally(() => {
        clearTimeout(reader.watchdog);
        reader.busy = false;
        if (this.#readers.includes(reader)) reader.idle = setTimeout(() => this.#end(reader), idleMs).unref();
        this.#next();
      });
  }

  /** Undefined: all are at work, or none can be started now, as when the process has no file descriptor left. */
  #free(): PooledReader | undefined {
    const free = this.#readers.find(({ busy }) => !busy);
    if (free !== undefined || this.#readers.length >= this.#size) return free;
    try {
      return this.#start();
    } catch (cause) {
      const error = toAppError(cause).message;
      this.#logger.error('a reader thread cannot be started', { error });
      if (this.#readers.length > 0) return undefined;
      const refusal = new AppError('overloaded', 'no thread can be started for the read', {
        detail: error,
        retriable: true,
        cause,
      });
      for (const { reject, deadline } of this.#waiting.splice(0)) {
        clearTimeout(deadline);
        reject(refusal);
      }
      return undefined;
    }
  }

  #start(): PooledReader {
    const taken = new SharedArrayBuffer(8);
    const thread = this.#startThread({ ...this.#data, answers: this.#answers.shared, taken });
    const rpc = connectRpc<ReaderApi>(thread, {}, () => {});
    const reader: PooledReader = {
      thread,
      rpc,
      taken: new Float64Array(taken),
      busy: false,
      idle: undefined,
      watchdog: undefined,
    };
    // Its read is refused; the next one finds another thread.
    const lost = (cause: unknown) => {
      this.#answers.uncount(takenOver(reader));
      if (!this.#forget(reader)) return;
      const error = cause instanceof Error ? cause.message : `it ended with code ${String(cause)}`;
      this.#logger.error('a reader thread has died', { error });
      rpc.fail(lostRead(cause, error));
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
    // What it has taken until its very end.
    this.#answers.uncount(takenOver(reader));
  }
}

/** What a read hears whose thread is gone. */
function lostRead(cause: unknown, detail: string): AppError {
  if (cause instanceof Error && (cause as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new AppError('result-too-large', 'the read took more memory than its thread may have', {
      hint: 'narrow it, or read page by page: limit and after',
      cause,
    });
  }
  const { code, hint } = toAppError(cause);
  return new AppError(code, 'a reader thread has died', { detail, hint, cause, retriable: true });
}

/** The account is the caller's from now on. */
function takenOver({ taken }: PooledReader): number {
  const bytes = taken[0]!;
  taken[0] = 0;
  return bytes;
}

function startReaderThread(data: ReaderData): ReaderThread {
  return new Worker(new URL('./reader.js', import.meta.url), { workerData: data });
}

function stopping(): AppError {
  return new AppError('not-ready', 'the process stops', { retriable: true });
}
