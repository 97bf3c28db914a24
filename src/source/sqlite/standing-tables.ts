// Tables that stand still, each alone, because of a value that cannot be converted. They are read again when the connector starts again and
// when their columns change. Nobody tells when the row is corrected; but its table changes then,
// so it is read again behind a change, with a pause that doubles each time: a large table with a bad row must not be read without end.
import { systemClock } from '../../core/clock.js';

const firstPauseMs = 1_000;
const pauseMsMax = 600_000;

interface Standing {
  readonly pauseMs: number;
  readonly againMs: number;
  touched: boolean;
}

export class StandingTables {
  readonly #tables = new Map<string, Standing>();
  /** Of tables that are being tried again. */
  readonly #pauses = new Map<string, number>();

  get names(): readonly string[] {
    return [...this.#tables.keys()];
  }

  has(name: string): boolean {
    return this.#tables.has(name);
  }

  add(name: string): void {
    const pauseMs = this.#pauses.get(name) ?? firstPauseMs;
    this.#tables.set(name, { pauseMs, againMs: systemClock.monotonicMs() + pauseMs, touched: false });
  }

  /** It is not one of them any more, or is tried again. */
  forget(name: string): void {
    const table = this.#tables.get(name);
    if (table) this.#pauses.set(name, Math.min(table.pauseMs * 2, pauseMsMax));
    this.#tables.delete(name);
  }

  /** Rows of it have changed. */
  touched(name: string): void {
    const table = this.#tables.get(name);
    if (table) table.touched = true;
  }

  /** To be tried again now. */
  due(): readonly string[] {
    if (this.#tables.size === 0) return [];
    const now = systemClock.monotonicMs();
    return [...this.#tables].filter(([, table]) => table.touched && table.againMs <= now).map(([name]) => name);
  }
}
