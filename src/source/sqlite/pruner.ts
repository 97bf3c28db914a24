// Deletes recorded changes that are durable in our log. In small transactions (a millisecond or so) that never wait for a lock:
// a file that is in use is pruned later. While the application writes without a pause it is left alone, until so much has
// gathered that the change table itself would become the burden.
import { failpoint } from '../../core/failpoint.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { quoteName } from './names.js';
import { isBusy } from './session.js';

const stepRows = 1_000;
const backlogRows = 20_000;

export class Pruner {
  readonly #database: SqliteDatabase;
  readonly #changes: string;
  readonly #meta: string;
  #pruned: number;

  constructor(database: SqliteDatabase, prefix: string, pruned: number) {
    this.#database = database;
    this.#changes = quoteName(`${prefix}changes`);
    this.#meta = quoteName(`${prefix}meta`);
    this.#pruned = pruned;
  }

  /** At most one small transaction. `atRest`: the application does not write at the moment. */
  step(confirmed: number, atRest: boolean): void {
    if (confirmed <= this.#pruned || (!atRest && confirmed - this.#pruned < backlogRows)) return;
    failpoint('sqlite-before-prune');
    const to = Math.min(confirmed, this.#pruned + stepRows);
    const database = this.#database;
    // The wait for a lock would be time in which this thread reads nothing.
    database.raw.pragma('busy_timeout = 0');
    try {
      database.transaction(() => {
        // The last row stays, whatever is confirmed: the next change counts on from it. So does the newest confirmed one, by which
        // a position behind it knows the file again.
        const last = `(SELECT max(seq) FROM ${this.#changes})`;
        database.statement(`DELETE FROM ${this.#changes} WHERE seq < ? AND seq < ${last}`).run(to);
        database.statement(`UPDATE ${this.#meta} SET value = ? WHERE name = 'pruned'`).run(to);
      });
      this.#pruned = to;
    } catch (error) {
      if (!isBusy(error)) throw error;
    } finally {
      database.raw.pragma('busy_timeout = 50');
    }
  }
}
