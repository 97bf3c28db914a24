// The checkpointer thread as the main thread sees it: it runs while there are commits. Started by the first one, ended when there were
// none for a while, so that a process at rest keeps no thread for it. One that dies is started again with back-off: it holds nothing that
// could be lost. When it dies again and again, or the file's place fails, the write-ahead log would grow without end: that is a failure.
import { Worker } from 'node:worker_threads';
import { AppError, fromErrorMessage } from '../core/errors.js';
import { isFileShortage } from '../core/file-shortage.js';
import type { Logger } from '../core/logger.js';
import type { CheckpointerAnswer, CheckpointerData } from './checkpointer.js';

/** Structurally what a Worker is here. */
export interface CheckpointerWorker {
  postMessage(message: 'step' | 'close'): void;
  on(event: 'message' | 'error' | 'exit', listener: (value: unknown) => void): unknown;
}

export interface CheckpointerEnv {
  readonly path: string;
  /** Nothing moves the write-ahead log back any more. */
  readonly onFailed: (error: AppError) => void;
  readonly logger: Logger;
  readonly startThread?: ((data: CheckpointerData) => CheckpointerWorker) | undefined;
}

const stepMs = 200;
const idleMs = 10_000;
const deathsMax = 5;
const restartMs = 500;
const shortageMs = 2_000;
/** Four times the size over which the checkpointer itself would have the log begin at its start again. */
const walBytesNotable = 256 * 1024 * 1024;

export class CheckpointerThread {
  readonly #env: CheckpointerEnv;
  #worker: CheckpointerWorker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended: Promise<void> = Promise.resolve();
  #pending = false;
  #busy = false;
  #restMs = 0;
  /** In a row, without a step between them that was done. */
  #deaths = 0;
  #restartAtMs = 0;
  #noted = false;
  /** It has been said that there is no file descriptor. */
  #short = false;

  constructor(env: CheckpointerEnv) {
    this.#env = env;
  }

  /** The engine has committed. */
  committed(): void {
    this.#pending = true;
    this.#timer ??= setInterval(() => this.#look(), stepMs).unref();
  }

  #look(): void {
    if (this.#busy) return;
    if (this.#pending) {
      if (performance.now() < this.#restartAtMs) return;
      this.#pending = false;
      this.#busy = true;
      this.#restMs = 0;
      try {
        (this.#worker ??= this.#start()).postMessage('step');
      } catch (error) {
        this.#died(error);
      }
      return;
    }
    this.#restMs += stepMs;
    if (this.#restMs >= idleMs) this.#end();
  }

  #start(): CheckpointerWorker {
    const { path, startThread = startCheckpointerThread } = this.#env;
    const worker = startThread({ path });
    let cause: unknown;
    worker.on('message', (message) => this.#answered(message as CheckpointerAnswer));
    worker.on('error', (error) => (cause = error));
    this.#ended = new Promise((resolve) => {
      worker.on('exit', (code) => {
        if (this.#worker === worker) this.#died(cause ?? new Error(`it ended with code ${String(code)}`));
        resolve();
      });
    });
    return worker;
  }

  #answered(answer: CheckpointerAnswer): void {
    this.#busy = false;
    if (answer.kind === 'failed') return this.#env.onFailed(fromErrorMessage(answer.error));
    this.#deaths = 0;
    this.#short = false;
    const { walBytes, blocked, left } = answer;
    if (left) this.#pending = true;
    const notable = walBytes > walBytesNotable;
    if (notable && !this.#noted) {
      const reason = blocked ? 'a reader of an old version holds it' : 'the checkpoints do not keep up';
      this.#env.logger.warn('the write-ahead log is large', { bytes: walBytes, reason });
    }
    this.#noted = notable;
  }

  /** What it was about to move is still in the log: the step is wanted again. */
  #died(cause: unknown): void {
    this.#worker = undefined;
    this.#busy = false;
    this.#pending = true;
    if (isFileShortage(cause)) return this.#postponed(cause);
    this.#deaths++;
    const error = cause instanceof Error ? cause.message : String(cause);
    if (this.#deaths >= deathsMax) {
      const message = `the checkpointer thread has died ${this.#deaths} times: ${error}`;
      return this.#env.onFailed(new AppError('internal', message, { cause }));
    }
    const delayMs = restartMs * 2 ** (this.#deaths - 1);
    this.#restartAtMs = performance.now() + delayMs;
    this.#env.logger.error('the checkpointer thread has died and is started again', { error, afterMs: delayMs });
  }

  /** No fault of its own: it is tried for as long as it takes, and until then the log grows. */
  #postponed(cause: unknown): void {
    this.#restartAtMs = performance.now() + shortageMs;
    if (this.#short) return;
    this.#short = true;
    const error = cause instanceof Error ? cause.message : String(cause);
    this.#env.logger.warn('the checkpointer waits for a file descriptor', { error });
  }

  #end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#restMs = 0;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#busy = false;
    worker?.postMessage('close');
  }

  /** Resolves when the thread has let the file go. */
  async close(): Promise<void> {
    this.#end();
    await this.#ended;
  }
}

function startCheckpointerThread(data: CheckpointerData): CheckpointerWorker {
  return new Worker(new URL('./checkpointer.js', import.meta.url), { workerData: data });
}
