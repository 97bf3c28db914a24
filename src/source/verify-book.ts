// What a verification keeps of its tables, whatever the source: which are to be compared, what was found of each, and what is told of it.
import { systemClock } from '../core/clock.js';
import { AppError } from '../core/errors.js';
import { nearestName } from '../core/nearest-name.js';
import type { HeldTable } from './source-connector.js';
import type { RowDifference, TableVerification, VerifyReport, VerifyRequest } from './verification.js';

export interface Counts {
  rows: number;
  missing: number;
  ghosts: number;
  different: number;
  repaired: number;
  moving: number;
}

export const noCounts = (): Counts => ({ rows: 0, missing: 0, ghosts: 0, different: 0, repaired: 0, moving: 0 });

export interface VerifiedEntry {
  readonly held: HeldTable;
  /** As the source compares names. */
  readonly name: string;
  state: TableVerification['state'];
  reason: string | undefined;
  counts: Counts;
}

const differencesMax = 1000;
const reportMs = 250;

export class VerifyBook {
  readonly #entries: readonly VerifiedEntry[];
  readonly #tell: (so: VerifyReport) => void;
  #differences: RowDifference[] = [];
  #toldMs = 0;

  /** Throws unknown-table. */
  constructor(
    all: readonly HeldTable[],
    { tables }: VerifyRequest,
    { fold, tell }: { readonly fold: (name: string) => string; readonly tell: (so: VerifyReport) => void },
  ) {
    this.#tell = tell;
    const wanted = new Set(tables.map(fold));
    const names = all.map(({ name }) => name);
    const unknown = tables.find((table) => !names.some((name) => fold(name) === fold(table)));
    if (unknown !== undefined) {
      const nearest = nearestName(unknown, names);
      throw new AppError('unknown-table', `the connector captures no table ${unknown}`, {
        hint: nearest === undefined ? 'name it as database.table' : `did you mean "${nearest}"?`,
      });
    }
    this.#entries = all
      .filter(({ name }) => wanted.size === 0 || wanted.has(fold(name)))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      .map((held) => ({ held, name: fold(held.name), state: 'waiting', reason: undefined, counts: noCounts() }));
  }

  /** The first that is not done. */
  get next(): VerifiedEntry | undefined {
    return this.#entries.find(({ state }) => state === 'waiting' || state === 'comparing');
  }

  differs({ held, counts }: VerifiedEntry, { kind, key, ours, source }: Omit<RowDifference, 'table'>): void {
    counts[kind === 'ghost' ? 'ghosts' : kind]++;
    if (this.#differences.length < differencesMax)
      this.#differences.push({ table: held.name, kind, key, ours, source });
  }

  finish(entry: VerifiedEntry): void {
    const { missing, ghosts, different, repaired } = entry.counts;
    const differences = missing + ghosts + different;
    entry.state = differences === 0 ? 'equal' : repaired === differences ? 'repaired' : 'different';
    this.tell(true);
  }

  skip(entry: VerifiedEntry, reason: string): void {
    entry.state = 'skipped';
    entry.reason = reason;
  }

  /** What was found of it so far does not count. */
  restart(entry: VerifiedEntry): void {
    this.#differences = this.#differences.filter(({ table }) => table !== entry.held.name);
    entry.counts = noCounts();
  }

  tell(now = false): void {
    const nowMs = systemClock.monotonicMs();
    if (!now && nowMs - this.#toldMs < reportMs) return;
    this.#toldMs = nowMs;
    this.#tell(this.report);
  }

  get report(): VerifyReport {
    const tables = this.#entries.map(({ held, state, reason, counts }): TableVerification => ({
      table: held.name,
      state,
      ...(reason === undefined ? {} : { reason }),
      ...counts,
    }));
    return { tables, differences: [...this.#differences] };
  }
}
