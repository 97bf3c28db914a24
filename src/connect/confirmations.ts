// What a source says of itself, made ready for whoever judges how fresh its tables are: a confirmation counts once everything that was
// handed over before it is durable, and then carries the seq of that. One is on its way at a time; of those that come meanwhile the newest
// follows it, so that neither a fast source nor a slow log makes a queue.
import type { SourceClock, SourceReport, SourceState } from '../source/source-connector.js';
import type { AppendProducer } from '../stream/event-log.js';

/** Of those that come more often the later ones are left out: a rest is confirmed again and again. */
const intervalMs = 50;

export class Confirmations {
  readonly #producer: Pick<AppendProducer, 'flush'>;
  readonly #report: (report: SourceReport) => void;
  #state: SourceState = { phase: 'connecting' };
  #clock: SourceClock | undefined;
  #busy = false;
  #next: number | undefined;
  /** How often a rest has ended. */
  #moves = 0;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(producer: Pick<AppendProducer, 'flush'>, report: (report: SourceReport) => void) {
    this.#producer = producer;
    this.#report = report;
  }

  state(state: SourceState): void {
    if (state.caughtUp !== true) this.#moves++;
    this.#state = state;
    this.#report({ state, clock: this.#clock });
  }

  clock(sourceUs: number, atMs: number): void {
    this.#clock = { sourceUs, atMs };
  }

  /** Called when everything that was yielded has been taken by the producer. */
  confirm(atMs: number): void {
    if (atMs < this.#lastMs + intervalMs) return;
    this.#lastMs = atMs;
    this.#next = atMs;
    if (!this.#busy) void this.#tell();
  }

  async #tell(): Promise<void> {
    this.#busy = true;
    try {
      for (let atMs = this.#next; atMs !== undefined; atMs = this.#next) {
        this.#next = undefined;
        const moves = this.#moves;
        const seq = await this.#producer.flush();
        const state = moves === this.#moves ? this.#state : { ...this.#state, caughtUp: false };
        this.#report({ state, confirmed: { atMs, seq }, clock: this.#clock });
      }
    } catch {
      // The log takes nothing any more: the next write ends the task with the reason, and until then nothing is confirmed.
    } finally {
      this.#busy = false;
    }
  }
}
