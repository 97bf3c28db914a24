// The savepoints of the open group. The binlog tells of them where a table without transactions takes part.
import type { ChunkBuilder, ChunkMark } from '../../core/row-encoder.js';

export class Savepoints {
  readonly #marks = new Map<string, ChunkMark>();
  /** Captured tables with rows behind the first of them, folded. */
  readonly tables = new Set<string>();

  /** `mark` undefined: where it lies in the chunk is not known, because what was handed over on an earlier connection is passed over. */
  set(name: string, mark: ChunkMark | undefined): void {
    if (mark === undefined) this.#marks.delete(name);
    else this.#marks.set(name, mark);
  }

  /** What the marks lie in has changed: to go back to one, what came is read again. */
  forgetPlaces(): void {
    this.#marks.clear();
  }

  /** Rows of it came, and maybe of those `below` it, which follow. */
  touch(table: string, below: () => Iterable<string>): void {
    if (this.tables.has(table)) return;
    this.tables.add(table);
    for (const each of below()) this.tables.add(each);
  }

  /** Rows behind the savepoint are forgotten. Gives the tables to be read again: some are handed over, or the table is being read. */
  takeBack(name: string, chunks: ChunkBuilder, isRead: (table: string) => boolean): string[] {
    const mark = this.#marks.get(name);
    const tables = [...this.tables];
    return mark !== undefined && chunks.rewind(mark) ? tables.filter(isRead) : tables;
  }
}
