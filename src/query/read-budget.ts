// What one read may cost, in bytes, time, and of the room that all answers of the process share.
import { AppError } from '../core/errors.js';
import { stepsSpent } from '../core/evaluation-work.js';

export interface ReadLimits {
  /** Bytes of printed rows that one task may hold. */
  readonly resultBytesMax: number;
  readonly deadlineMs: number;
}

/** Steps of functions and printed bytes of some milliseconds: rows that take long are looked at more often. */
const stepsMax = 1_000_000;

/** Bytes and time that a task has left; checked per row. Room is asked for per page. */
export class ReadBudget {
  /** Asks for room for a page; throws overloaded. */
  readonly takeRoom: (bytes: number) => void;
  readonly #limits: ReadLimits;
  readonly #endMs: number;
  #bytes = 0;
  #rows = 0;
  #lookedAtSteps = stepsSpent();

  constructor(limits: ReadLimits, takeRoom: (bytes: number) => void = () => {}) {
    this.takeRoom = takeRoom;
    this.#limits = limits;
    this.#endMs = performance.now() + limits.deadlineMs;
  }

  take(bytes: number): void {
    this.takePart(bytes);
    this.look();
  }

  /** A part of a row, which may be too long as a whole. */
  takePart(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.resultBytesMax) {
      throw new AppError(
        'result-too-large',
        `the answer is over ${Math.round(this.#limits.resultBytesMax / 1048576)} MB`,
        {
          hint: 'narrow it, or read page by page: limit and after',
        },
      );
    }
  }

  /** Also for rows that are read and not answered. */
  look(): void {
    const steps = stepsSpent() + this.#bytes;
    if ((++this.#rows & 255) !== 0 && steps - this.#lookedAtSteps < stepsMax) return;
    this.#lookedAtSteps = steps;
    if (performance.now() > this.#endMs) {
      throw new AppError('read-timeout', `the read did not finish within ${this.#limits.deadlineMs} ms`, {
        hint: 'pin the key, or use LIMIT',
        retriable: true,
      });
    }
  }
}
