// Two versions of a table, compared in key order in bounded steps while both follow live changes. Keys that differ, and keys that
// change while it runs, are suspects: what they hold at the swap decides, so the differences that are emitted are the true ones. Few
// suspects are held in memory; many are kept in the store, in a state that goes with the build.
import { AppError } from '../core/errors.js';
import { compareRows, sameRow } from '../core/compare.js';
import type { Row } from '../core/data-type.js';
import type { KeyedState } from '../core/keyed-state.js';
import type { ChangeListener, Difference, TableNode } from '../runtime/table-node.js';
import { exactKeyJson } from '../schema/formats/exact-json.js';
import type { StateWriter, TableComparison, TableWriter } from '../store/state-store.js';

/** Of suspects in memory, each with what a text in a set takes beside its characters. */
const heldBytesDefault = 1024 * 1024;
const bytesPerSuspect = 64;
const suspectsPerPage = 1000;

/** Where the suspects of a build are when they are many; dropped with the build. */
export function suspectState(version: { readonly id: number; readonly version: number }): string {
  return `rebuild_${version.id}_v${version.version}`;
}

export class VersionComparison {
  readonly #old: TableNode;
  readonly #next: TableNode;
  readonly #watcher: ChangeListener;
  readonly #state: StateWriter;
  readonly #heldBytesMax: number;
  readonly #keyJson: ReturnType<typeof exactKeyJson>;
  /** Keys as text. */
  readonly #held = new Set<string>();
  #heldBytes = 0;
  /** The suspects that are not held. */
  #kept: KeyedState | undefined;
  readonly #walk: TableComparison;

  constructor(old: TableNode, next: TableNode, state: StateWriter, heldBytesMax: number = heldBytesDefault) {
    this.#old = old;
    this.#next = next;
    this.#state = state;
    this.#heldBytesMax = heldBytesMax;
    this.#walk = state.compareTables(old.spec, next.spec);
    this.#keyJson = exactKeyJson(next.spec.schema);
    // A key that changes after it was compared may have come out differently in the two versions.
    this.#watcher = {
      accept: (_source, before, after) => {
        this.#suspect(next.keyOf((after ?? before)!));
        // In the engine's transaction. One that is rolled back ends this comparison.
        if (this.full) this.keep();
      },
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
    return this.#walk.done;
  }

  #suspect(key: Row): void {
    const text = this.#keyJson.print(key);
    if (this.#held.has(text)) return;
    this.#held.add(text);
    this.#heldBytes += text.length + bytesPerSuspect;
  }

  /** Suspects in memory have to go to the store: call `keep`. At the end the last ones too, so that the swap does not wait for it. */
  get full(): boolean {
    return this.#heldBytes >= this.#heldBytesMax || (this.done && this.#kept !== undefined && this.#held.size > 0);
  }

  /** In an open transaction: the suspects in memory go to the store. */
  keep(): void {
    if (this.#kept === undefined) {
      const { schema } = this.#next.spec;
      const name = suspectState(this.#next.spec);
      // Of a comparison that a crash or a rollback has ended.
      this.#state.dropState(name);
      this.#kept = this.#state.openState({ name, key: schema.keyColumns.map((i) => schema.columns[i]!), value: [] });
    }
    for (const text of this.#held) this.#kept.put(this.#keyJson.read(text), []);
    this.#held.clear();
    this.#heldBytes = 0;
  }

  /** Compares about `rows` keys. */
  step(rows: number): void {
    for (const key of this.#walk.step(rows)) this.#suspect(key);
  }

  /**
   * What stands differently now, in the open transaction of the swap. In key order, since what is derived from it is numbered by its
   * place there: every process that applies the swap tells the same, whatever became a suspect when.
   */
  *differences(): Iterable<Difference> {
    for (const key of this.#suspects()) {
      const [old, next] = [this.#old.writer, this.#next.writer];
      const before = rowOf(old, key);
      // The new row is what the log makes of it, and so was the old one, for whoever has heard of it.
      if (before === 'damaged') continue;
      const after = next.get(key) ?? null;
      const same = before === null ? after === null : after !== null && sameRow(before, after);
      if (same) continue;
      const beforeRowtimeMs = before === null ? undefined : old.gotRowtimeMs;
      yield { before, after, beforeRowtimeMs, afterRowtimeMs: after === null ? undefined : next.gotRowtimeMs };
    }
  }

  *#suspects(): Iterable<Row> {
    const kept = this.#kept;
    if (kept === undefined) {
      yield* [...this.#held].map((text) => this.#keyJson.read(text)).toSorted(compareRows);
      return;
    }
    // One that is both held and kept is told once.
    this.keep();
    let after: Row | undefined;
    for (;;) {
      const page = kept.scan([], { after, limit: suspectsPerPage });
      for (const { key } of page) yield key;
      if (page.length < suspectsPerPage) return;
      after = page.at(-1)!.key;
    }
  }
}

/** A row that is not what was written is one of the reasons to build a table anew. */
function rowOf(writer: TableWriter, key: Row): Row | null | 'damaged' {
  try {
    return writer.get(key) ?? null;
  } catch (error) {
    if (error instanceof AppError && error.code === 'corrupt-data') return 'damaged';
    throw error;
  }
}
