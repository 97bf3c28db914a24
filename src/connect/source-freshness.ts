// How fresh the rows of each table are: the one place that knows, for headers, events, probes, status and metrics alike. A table is as old
// as the oldest of the sources behind it; which those are the engine tells. Rules:
//   - a source is current only on its own word (a confirmation: all that it had committed at a moment is applied), and for a second after
//     it; what is not confirmed again grows old, whatever the reason
//   - a moment outlives the process (StoredMoment), so that a restart makes nothing fresh; what was never reached is as old as it is known
//   - a table that stands still is as old as what it contained when it stopped, however current its sources have been since
//   - a table whose sources are not known yet depends on all of them
// Reports come a few times a second; an answer costs one look at the facts of its table's sources.
import type { Clock } from '../core/clock.js';
import { noAge, type Age } from '../core/freshness.js';
import type { SourceReport, SourceState } from '../source/source-connector.js';
import type { Frontier, TableFrontier } from '../store/state-store.js';
import { producerName } from './naming.js';
import { SourceFacts, type Condition, type StoredMoment } from './source-facts.js';

export interface SourceFreshnessEnv {
  readonly clock: Clock;
  /** The newest one known. */
  readonly frontier: () => Frontier;
  /** Keeps it for the next process. */
  readonly keep: (moment: StoredMoment) => void;
}

/** A table and what its rows come from. */
export interface TableSources {
  /** The id of its physical tables. */
  readonly id: number;
  readonly name: string;
  readonly connectors: readonly string[];
  /** A connector's first snapshot is not complete, so neither it nor what reads it can be read. */
  readonly awaitsSnapshot: boolean;
  /** Its rows, or those of what it reads, are read again: what the source confirms does not hold for them. */
  readonly isReadAgain: boolean;
}

interface Source {
  readonly connector: string;
  readonly producer: string;
  readonly facts: SourceFacts;
  /** When its moment was kept last; undefined: never. */
  keptMs: number | undefined;
}

/** So much older than it was a killed process may find its tables. */
const keepEveryMs = 30_000;

export class SourceFreshness {
  readonly #env: SourceFreshnessEnv;
  readonly #sources = new Map<string, Source>();
  #tables: readonly TableSources[] = [];
  /** Until the connectors have been told, one that a table names may be there. */
  #complete = false;
  #byTable = new Map<number, readonly Source[]>();
  /** By id, of tables that are read again: up to when their rows contain all that their sources had committed, ms. */
  #readAgain: ReadonlyMap<number, number> = new Map();

  constructor(env: SourceFreshnessEnv) {
    this.#env = env;
  }

  /** What an earlier process knew; which connectors are there is told by `stands` and `only`. */
  restore(moments: readonly StoredMoment[]): void {
    const nowMs = this.#env.clock.monotonicMs();
    for (const moment of moments) {
      const source = this.#source(moment.connector);
      source.facts.restore(moment, this.#wallAheadMs, nowMs);
      source.keptMs = nowMs;
    }
    // The engine may have told of tables before.
    this.#readAgain = new Map();
    this.tables(this.#tables);
  }

  /** The catalogue has changed. */
  tables(tables: readonly TableSources[]): void {
    this.#tables = tables;
    this.#byTable = new Map(tables.map(({ id, connectors }) => [id, connectors.map((name) => this.#known(name))]));
    const again = tables.filter(({ isReadAgain }) => isReadAgain);
    this.#readAgain = new Map(again.map(({ id }) => [id, this.#readAgain.get(id) ?? this.#containedMs(id)]));
  }

  /** What calls for a table has happened before it is heard of here, but behind what its sources had confirmed by then. */
  #containedMs(id: number): number {
    const sources = this.#byTable.get(id) ?? [];
    return Math.min(this.#env.clock.monotonicMs(), ...sources.map(({ facts }) => facts.containedMs));
  }

  /** What is done about a connector's source from now on. */
  stands(connector: string, condition: Condition): void {
    const source = this.#source(connector);
    source.facts.condition = condition;
    if (condition.kind !== 'followed') source.facts.halted();
    if (condition.kind !== 'followed' || source.keptMs === undefined) this.#keep(source);
  }

  /** What a followed source says of itself; returns how it stands then. */
  heard(connector: string, report: SourceReport): SourceState {
    const source = this.#source(connector);
    const { phase } = source.facts.state;
    const first = !source.facts.everKnown;
    source.facts.heard(report);
    const lost = report.state.phase === 'waiting' && phase !== 'waiting';
    const due = (source.keptMs ?? 0) + keepEveryMs <= this.#env.clock.monotonicMs();
    if (lost || (report.confirmed !== undefined && (due || first))) this.#keep(source);
    return source.facts.state;
  }

  /** These are all the connectors that there are: others that tables name are gone. */
  only(connectors: readonly string[]): void {
    this.#complete = true;
    for (const { connector, facts } of this.#sources.values()) {
      if (connectors.includes(connector) || facts.condition.kind === 'deleted') continue;
      facts.condition = { kind: 'deleted' };
      facts.halted();
    }
  }

  /** Nothing of it is left: neither connector nor tables. */
  forget(connector: string): void {
    this.#sources.delete(connector);
  }

  /** The process ends. */
  close(): void {
    for (const source of this.#sources.values()) this.#keep(source);
  }

  /** Of the rows of one table, in a cut that contains what `frontier` says. */
  ofTable(id: number, frontier: TableFrontier): Age {
    const sources = this.#byTable.get(id);
    const nowMs = this.#env.clock.monotonicMs();
    if (frontier.stopped) return this.#detached(sources ?? [...this.#sources.values()], frontier, nowMs);
    if (sources === undefined) return this.#worst(this.#sources.values(), frontier, nowMs);
    const age =
      sources.length === 1 ? this.#ageOf(sources[0]!, frontier, nowMs) : this.#worst(sources, frontier, nowMs);
    return atLeast(age, this.#readAgain.get(id), nowMs);
  }

  /** Of everything that there is: the oldest of all tables, and of the connectors that have none. */
  worst(frontier: Frontier): Age {
    return this.#worst(this.#inUse(), frontier, this.#env.clock.monotonicMs());
  }

  /** Now; undefined for one that was never heard of. */
  ofConnector(connector: string): Age | undefined {
    const source = this.#sources.get(connector);
    const nowMs = this.#env.clock.monotonicMs();
    return source && atLeast(this.#ageOf(source, this.#env.frontier(), nowMs), this.#readAgainSince(connector), nowMs);
  }

  /** Of the tables of a connector, the one that is read again for the longest time. */
  #readAgainSince(connector: string): number | undefined {
    if (this.#readAgain.size === 0) return undefined;
    const own = this.#tables.filter(({ connectors }) => connectors.includes(connector));
    const since = own.flatMap(({ id }) => this.#readAgain.get(id) ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  /** Every connector that is there or has tables, as it stands now; `readable`: its first snapshot is complete. */
  standings(): readonly (Age & { readonly connector: string; readonly readable: boolean })[] {
    const frontier = this.#env.frontier();
    const nowMs = this.#env.clock.monotonicMs();
    return [...this.#inUse()].map((source) => ({
      ...atLeast(this.#ageOf(source, frontier, nowMs), this.#readAgainSince(source.connector), nowMs),
      connector: source.connector,
      readable: this.#isReadable(source, frontier),
    }));
  }

  /** Why a table of which no row can be read is not filled: as its oldest source stands. */
  ofHidden(name: string): Age | undefined {
    const table = this.#tables.find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (table === undefined) return undefined;
    const nowMs = this.#env.clock.monotonicMs();
    return this.#worst(this.#byTable.get(table.id) ?? [], this.#env.frontier(), nowMs);
  }

  /** One whose table is hidden beside others that are not was added later: those others are read as ever. */
  #isReadable({ connector, producer, facts }: Source, frontier: Frontier): boolean {
    const tables = this.#tables.filter((table) => table.connectors.includes(connector));
    const hidden = tables.filter(({ awaitsSnapshot }) => awaitsSnapshot);
    if (hidden.length > 0 && hidden.length === tables.length) return false;
    return tables.length > 0 || facts.everKnown || frontier.positions[producer] !== undefined;
  }

  *#inUse(): Iterable<Source> {
    const withTables = new Set(this.#tables.flatMap(({ connectors }) => connectors));
    for (const source of this.#sources.values()) {
      if (source.facts.condition.kind !== 'deleted' || withTables.has(source.connector)) yield source;
    }
  }

  #worst(sources: Iterable<Source>, frontier: Frontier, nowMs: number): Age {
    let worst: Age = noAge;
    for (const source of sources) {
      const age = this.#ageOf(source, frontier, nowMs);
      if (age.lagMs > worst.lagMs || (worst.standing === 'current' && age.standing !== 'current')) worst = age;
    }
    return worst;
  }

  #ageOf({ connector, producer, facts }: Source, frontier: Frontier, nowMs: number): Age {
    const lagMs = facts.lagMs(frontier, producer, nowMs);
    const standing = facts.standing(lagMs, frontier.positions[producer] !== undefined);
    return { lagMs, standing, connector, reason: facts.reason };
  }

  /**
   * Counted from the newest commit in its rows, or from an older one where a source may have had more to give than it had given. Without
   * any commit of a source, from the newest append of this service's own.
   */
  #detached(sources: readonly Source[], at: TableFrontier, nowMs: number): Age {
    const wallAheadMs = this.#wallAheadMs;
    let sinceMs: number | undefined;
    let behindMs: number | undefined;
    for (const { producer, facts } of sources) {
      const committedMs = facts.committedMs(at, producer, nowMs);
      if (committedMs === undefined) continue;
      sinceMs = Math.max(sinceMs ?? committedMs, committedMs);
      if (!facts.isCurrent(at)) behindMs = Math.min(behindMs ?? committedMs, committedMs);
    }
    sinceMs =
      behindMs ?? sinceMs ?? Math.max(0, at.commitTimeUs, ...Object.values(at.commitTimesUs)) / 1000 - wallAheadMs;
    return { lagMs: Math.max(0, Math.round(nowMs - sinceMs)), standing: 'detached' };
  }

  /** Of a connector that tables name: one that is gone is a deleted one. */
  #known(connector: string): Source {
    const existing = this.#sources.get(connector);
    if (existing) return existing;
    const source = this.#source(connector);
    if (this.#complete) source.facts.condition = { kind: 'deleted' };
    return source;
  }

  #source(connector: string): Source {
    let source = this.#sources.get(connector);
    if (!source) {
      const facts = new SourceFacts(this.#env.clock.monotonicMs());
      facts.assumeClock(this.#wallAheadMs);
      this.#sources.set(
        connector,
        (source = { connector, producer: producerName(connector), facts, keptMs: undefined }),
      );
    }
    return source;
  }

  #keep(source: Source): void {
    source.keptMs = this.#env.clock.monotonicMs();
    // The next process finds tables that are read again as they are, and what was confirmed since does not hold for them.
    const mostMs = this.#readAgainSince(source.connector);
    this.#env.keep(source.facts.stored(source.connector, this.#wallAheadMs, mostMs));
  }

  /** The wall clock less the monotonic one. */
  get #wallAheadMs(): number {
    return this.#env.clock.nowMs() - this.#env.clock.monotonicMs();
  }
}

/** Rows of a table that is read again contain what was committed until then, and no more, whatever their source confirms. */
function atLeast(age: Age, sinceMs: number | undefined, nowMs: number): Age {
  if (sinceMs === undefined) return age;
  const lagMs = Math.max(age.lagMs, Math.ceil(nowMs - sinceMs), 1);
  return {
    ...age,
    lagMs,
    standing: age.standing === 'current' || age.standing === 'catching-up' ? 'snapshot' : age.standing,
  };
}
