// How the last build of each table has ended, for who asks after it. Of a process's life only.
import type { AppError } from '../core/errors.js';
import { nameKey } from '../core/names.js';
import type { RebuildProgress } from './statement-facade.js';

export class EndedBuilds {
  readonly #ended = new Map<string, RebuildProgress>();
  /** By table: the version that could not be filled. */
  readonly #failed = new Map<string, number>();

  all(): Iterable<RebuildProgress> {
    return this.#ended.values();
  }

  /** The table is built again. */
  forget(table: string): void {
    this.#ended.delete(nameKey(table));
  }

  done(progress: RebuildProgress): void {
    this.#ended.set(nameKey(progress.table), { ...progress, state: 'done', etaSeconds: 0 });
  }

  failed(progress: RebuildProgress, version: number, { code, message, hint }: AppError): void {
    this.#ended.set(nameKey(progress.table), { ...progress, state: 'failed', error: message, code, hint });
    this.#failed.set(nameKey(progress.table), version);
  }

  hasFailed(table: string, version: number): boolean {
    return this.#failed.get(nameKey(table)) === version;
  }

  /** How long the transaction of the swap took. */
  notePause(table: string, pauseMs: number): void {
    const ended = this.#ended.get(nameKey(table));
    // Whole microseconds: the clock's further digits are noise.
    if (ended) this.#ended.set(nameKey(table), { ...ended, pauseMs: Math.round(pauseMs * 1000) / 1000 });
  }
}
