// What the builds by replay have read ahead, by table. It outlives a rollback: pages of a build that the open transaction has ended are
// given back to it then, and closed when the transaction is committed.
import { nameKey } from '../core/names.js';
import type { Append } from '../core/append.js';
import { ReplayPages } from './replay-pages.js';

export interface BuildPagesEnv {
  readonly read: (after: number, topic: string, signal: AbortSignal) => AsyncIterable<readonly Append[]>;
  readonly onRead: () => void;
}

export class BuildPages {
  readonly #env: BuildPagesEnv;
  readonly #pages = new Map<string, ReplayPages>();
  readonly #retired = new Map<string, ReplayPages>();
  readonly #closing = new Set<Promise<void>>();

  constructor(env: BuildPagesEnv) {
    this.#env = env;
  }

  of(table: string, topic: string): ReplayPages {
    const key = nameKey(table);
    let pages = this.#pages.get(key);
    if (!pages) {
      const { read, onRead } = this.#env;
      pages = new ReplayPages({ topic, read: (after, signal) => read(after, topic, signal), onRead });
      this.#pages.set(key, pages);
    }
    return pages;
  }

  /** The build of the table ends with the open transaction. */
  retire(table: string): void {
    const key = nameKey(table);
    const pages = this.#pages.get(key);
    if (!pages) return;
    this.#pages.delete(key);
    if (this.#retired.has(key)) this.#close(pages);
    else this.#retired.set(key, pages);
  }

  rolledBack(): void {
    for (const [key, pages] of this.#retired) {
      const made = this.#pages.get(key);
      if (made) this.#close(made);
      this.#pages.set(key, pages);
    }
    this.#retired.clear();
  }

  committed(): void {
    for (const pages of this.#retired.values()) this.#close(pages);
    this.#retired.clear();
  }

  /** What the loop has committed, in order. */
  applied(appends: readonly Append[]): void {
    for (const pages of this.#pages.values()) pages.applied(appends);
  }

  #close(pages: ReplayPages): void {
    const closing = pages.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async close(): Promise<void> {
    for (const pages of [...this.#pages.values(), ...this.#retired.values()]) this.#close(pages);
    this.#pages.clear();
    this.#retired.clear();
    await Promise.all(this.#closing);
  }
}
