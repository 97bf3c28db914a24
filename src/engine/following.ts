// What an engine that follows has in place of a producer, and how anybody waits for the end of the log.
import { AppError } from '../core/errors.js';
import type { AppendProducer, EventLog } from '../stream/event-log.js';

/** The door is the server, which knows the leader's address; this is for whoever comes past it. */
export const followersProducer: AppendProducer = {
  position: null,
  write: () => Promise.reject(notLeader()),
  onDurable: () => {},
  flush: () => Promise.reject(notLeader()),
  close: () => Promise.resolve(),
};

function notLeader(): AppError {
  return new AppError('not-leader', 'this process follows the log and changes nothing', {
    hint: 'GET /v1/status tells which process leads',
  });
}

interface Waiter {
  readonly seq: number;
  readonly resolve: () => void;
  readonly reject: (error: AppError) => void;
}

/** Waits until the engine has applied what is in the log. */
export class LogEnd {
  readonly #log: EventLog;
  readonly #frontier: () => number;
  #waiters: Waiter[] = [];
  #failure: AppError | undefined;

  constructor(log: EventLog, frontier: () => number) {
    this.#log = log;
    this.#frontier = frontier;
  }

  async reached(): Promise<void> {
    const seq = await this.#log.headSeq();
    if (this.#frontier() >= seq) return;
    if (this.#failure) throw this.#failure;
    await new Promise<void>((resolve, reject) => this.#waiters.push({ seq, resolve, reject }));
  }

  applied(seq: number): void {
    if (this.#waiters.length === 0) return;
    for (const waiter of this.#waiters) if (waiter.seq <= seq) waiter.resolve();
    this.#waiters = this.#waiters.filter((waiter) => waiter.seq > seq);
  }

  /** Nothing is applied any more. */
  fail(error: AppError): void {
    this.#failure = error;
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters = [];
  }
}
