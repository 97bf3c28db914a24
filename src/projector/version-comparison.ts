// Two versions of a table, compared in key order in bounded steps while both follow live changes. Keys that differ, and keys that
// change while it runs, are suspects: what they hold at the swap decides, so the differences that are emitted are the true ones.
import { compareRows, sameRow } from '../core/compare.js';
import type { Row } from '../core/data-type.js';
import { rowFromJson, rowToJson } from '../core/row-json.js';
import type { ChangeListener, TableNode } from '../runtime/table-node.js';

export class VersionComparison {
  readonly #old: TableNode;
  readonly #next: TableNode;
  readonly #watcher: ChangeListener;
  /** Keys as row-json. */
  readonly #suspects = new Set<string>();
  #last: Row | null = null;
  #done = false;

  constructor(old: TableNode, next: TableNode) {
    this.#old = old;
    this.#next = next;
    // A key that changes after it was compared may have come out differently in the two versions.
    this.#watcher = {
      accept: (_source, before, after) => void this.#suspects.add(rowToJson(next.keyOf((after ?? before)!))),
    };
    old.listeners.push(this.#watcher);
    next.listeners.push(this.#watcher);
  }

  /** Hears nothing any more. */
  unhook(): void {
    for (const { listeners } of [this.#old, this.#next]) {
      const at = listeners.indexOf(this.#watcher);
      if (at >= 0) listeners.splice(at, 1);
    }
  }

  get done(): boolean {
    return this.#done;
  }

  /** Compares about `rows` keys. */
  step(rows: number): void {
    const old = this.#old.writer.scan(this.#last, rows);
    const next = this.#next.writer.scan(this.#last, rows);
    const keyOf = (row: Row) => this.#old.keyOf(row);
    // Only up to the smaller of the two last keys are both sides known.
    const ends = [old, next].filter((side) => side.length === rows).map((side) => keyOf(side.at(-1)!.row));
    const end = ends.length === 0 ? null : ends.reduce((a, b) => (compareRows(a, b) <= 0 ? a : b));
    let i = 0;
    let j = 0;
    while (i < old.length || j < next.length) {
      const a = i < old.length ? keyOf(old[i]!.row) : undefined;
      const b = j < next.length ? keyOf(next[j]!.row) : undefined;
      const order = a === undefined ? 1 : b === undefined ? -1 : compareRows(a, b);
      const key = order <= 0 ? a! : b!;
      if (end !== null && compareRows(key, end) > 0) break;
      if (order !== 0 || !sameRow(old[i]!.row, next[j]!.row)) this.#suspects.add(rowToJson(key));
      if (order <= 0) i++;
      if (order >= 0) j++;
    }
    this.#last = end;
    this.#done = end === null;
  }

  /** What stands differently now. */
  differences(): readonly { readonly before: Row | null; readonly after: Row | null }[] {
    const found = [];
    for (const text of this.#suspects) {
      const key = rowFromJson(text);
      const before = this.#old.writer.get(key) ?? null;
      const after = this.#next.writer.get(key) ?? null;
      const same = before === null ? after === null : after !== null && sameRow(before, after);
      if (!same) found.push({ before, after });
    }
    return found;
  }
}
