// The pool of reader threads: started when the first long read comes, ended when none has come for a while (an idle process keeps no
// thread for them). A bounded queue: over it a read is refused instead of waiting without end.
import { Worker } from 'node:worker_threads';
import { AppError } from '../core/errors.js';
import type { ReadAnswer, ReadTask } from '../query/read-task.js';
import type { ReaderApi, ReaderData } from './reader.js';
import { connectRpc, type Rpc } from './rpc.js';

interface PooledReader {
  readonly worker: Worker;
  readonly rpc: Rpc<ReaderApi>;
  busy: boolean;
  idle: NodeJS.Timeout | undefined;
}

interface Waiting {
  readonly task: ReadTask;
  readonly resolve: (answer: ReadAnswer) => void;
  readonly reject: (error: unknown) => void;
}

const idleMs = 10_000;
const queueMax = 1_000;

export class ReaderPool {
  readonly #data: ReaderData;
  readonly #size: number;
  readonly #readers: PooledReader[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(data: ReaderData, size: number) {
    this.#data = data;
    this.#size = size;
  }

  run(task: ReadTask): Promise<ReadAnswer> {
    if (this.#waiting.length >= queueMax) {
      return Promise.reject(new AppError('overloaded', `${queueMax} reads wait already`, { retriable: true }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#readers.map(({ worker }) => worker.terminate()));
    this.#readers.length = 0;
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    const reader =
      this.#readers.find(({ busy }) => !busy) ?? (this.#readers.length < this.#size ? this.#start() : undefined);
    if (!reader) return;
    const { task, resolve, reject } = this.#waiting.shift()!;
    reader.busy = true;
    clearTimeout(reader.idle);
    reader.rpc.remote
      .run(task)
      .then(resolve, reject)
      .finally(() => {
        reader.busy = false;
        reader.idle = setTimeout(() => this.#end(reader), idleMs).unref();
        this.#next();
      });
  }

  #start(): PooledReader {
    const worker = new Worker(new URL('./reader.js', import.meta.url), { workerData: this.#data });
    const rpc = connectRpc<ReaderApi>(worker, {}, () => {});
    const reader: PooledReader = { worker, rpc, busy: false, idle: undefined };
    const lost = (cause: unknown) => {
      const at = this.#readers.indexOf(reader);
      if (at >= 0) this.#readers.splice(at, 1);
      rpc.fail(new AppError('internal', 'a reader thread has ended', { cause }));
    };
    worker.on('error', lost);
    worker.on('exit', lost);
    this.#readers.push(reader);
    return reader;
  }

  #end(reader: PooledReader): void {
    if (reader.busy) return;
    const at = this.#readers.indexOf(reader);
    if (at >= 0) this.#readers.splice(at, 1);
    void reader.worker.terminate();
  }
}
