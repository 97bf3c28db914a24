// The checkpointer thread as the main thread sees it: it runs while there are commits. Started by the first one, ended when there were
// none for a while, so that a process at rest keeps no thread for it.
import { Worker } from 'node:worker_threads';
import { AppError, fromErrorMessage } from '../core/errors.js';
import type { CheckpointerAnswer, CheckpointerData } from './checkpointer.js';

const stepMs = 200;
const idleMs = 10_000;

export class CheckpointerThread {
  readonly #path: string;
  readonly #onFailed: (error: AppError) => void;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  #pending = false;
  #busy = false;
  #restMs = 0;

  /** `onFailed`: nothing moves the write-ahead log back any more, so it would grow without end. */
  constructor(path: string, onFailed: (error: AppError) => void) {
    this.#path = path;
    this.#onFailed = onFailed;
  }

  /** The engine has committed. */
  committed(): void {
    this.#pending = true;
    this.#timer ??= setInterval(() => this.#look(), stepMs).unref();
  }

  #look(): void {
    if (this.#busy) return;
    if (this.#pending) {
      this.#pending = false;
      this.#busy = true;
      this.#restMs = 0;
      (this.#worker ??= this.#start()).postMessage('step');
      return;
    }
    this.#restMs += stepMs;
    if (this.#restMs >= idleMs) this.#end();
  }

  #start(): Worker {
    const data: CheckpointerData = { path: this.#path };
    const worker = new Worker(new URL('./checkpointer.js', import.meta.url), { workerData: data });
    worker.on('message', ({ failed }: CheckpointerAnswer) => {
      this.#busy = false;
      if (failed !== undefined) this.#onFailed(fromErrorMessage(failed));
    });
    worker.on('error', (cause) =>
      this.#onFailed(new AppError('internal', `the checkpointer thread broke: ${String(cause)}`, { cause })),
    );
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
    return worker;
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#restMs = 0;
    this.#worker?.postMessage('close');
    this.#worker = undefined;
  }

  /** Resolves when the thread has let the file go. */
  async close(): Promise<void> {
    this.#end();
    await this.#ended;
  }
}
