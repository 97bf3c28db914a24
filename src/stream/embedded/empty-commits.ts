// Commits none of whose records are left go too, unless they hold a control or a producer's newest append: positions then still move,
// only not through every step of the past.
import type { Chore } from '../../core/chore.js';
import { failpoint } from '../../core/failpoint.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { LogSpace } from './log-space.js';

const stepCommits = 512;
/** Each takes some 100 bytes: a few thousand may lie there under load. */
const debtPerCommit = 1 / 100_000;
const debtAtMost = 0.1;

export class EmptyCommits implements Chore {
  readonly name = 'empty-commits';
  readonly #database: SqliteDatabase;
  readonly #space: LogSpace;

  constructor(database: SqliteDatabase, space: LogSpace) {
    this.#database = database;
    this.#space = space;
  }

  debt(): number {
    return Math.min(debtAtMost, this.#space.emptied * debtPerCommit);
  }

  step(): void {
    const empty = this.#database
      .statement(
        `SELECT first_seq FROM wt_commit INDEXED BY wt_commit_empty WHERE batches = 0 AND control = 0
         AND NOT EXISTS (SELECT 1 FROM wt_producer WHERE seq BETWEEN first_seq AND last_seq) ORDER BY first_seq LIMIT ?`,
      )
      .all(stepCommits);
    if (empty.length < stepCommits) this.#space.lookedAtEmpty();
    if (empty.length === 0) return;
    this.#database.transaction(() => {
      for (const [firstSeq] of empty)
        this.#database.statement('DELETE FROM wt_commit WHERE first_seq = ?').run(firstSeq);
      failpoint('upkeep-before-commit');
    });
  }
}
