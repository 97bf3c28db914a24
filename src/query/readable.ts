// Waiting until a table can be read: it is there, and its first snapshot is complete. Looked at after every commit of the engine,
// since both come with one.
import { AppError } from '../core/errors.js';
import { sameName } from '../core/names.js';
import { describeAge } from '../core/freshness.js';
import type { QueryService } from './query-service.js';

export class ReadableTables {
  readonly #query: QueryService;
  readonly #waiting = new Set<() => void>();

  constructor(query: QueryService) {
    this.#query = query;
  }

  /** The engine has committed, or has failed: then the look tells why. */
  changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Rejects with `unknown-table` or `snapshotting` when the table is not readable within `timeoutMs`. */
  async wait(table: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      // Before looking, so that a commit meanwhile is not missed.
      const changed = this.#nextCommit(deadline - performance.now());
      const { tables } = await this.#query.tables();
      const found = tables.find(({ name }) => sameName(name, table));
      if (found?.visible === true) return changed.cancel();
      if (await changed.promise) continue;
      const waited = `after ${timeoutMs} ms`;
      if (found)
        throw new AppError('snapshotting', `the first snapshot of "${table}" is not complete ${waited}`, {
          detail: describeAge(found.age),
        });
      throw new AppError('unknown-table', `there is no table "${table}" ${waited}`, {
        hint: 'the status tells what the connectors do',
      });
    }
  }

  /** False at the deadline. */
  #nextCommit(ms: number): { readonly promise: Promise<boolean>; cancel(): void } {
    let settle: (changed: boolean) => void = () => {};
    const promise = new Promise<boolean>((resolve) => (settle = resolve));
    const look = () => done(true);
    // Who stops while this waits must not be held by it.
    const timer = setTimeout(() => done(false), Math.max(0, ms)).unref();
    const done = (changed: boolean) => {
      clearTimeout(timer);
      this.#waiting.delete(look);
      settle(changed);
    };
    this.#waiting.add(look);
    return { promise, cancel: () => done(false) };
  }
}
