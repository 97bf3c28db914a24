// What is known of one connector's source: what is done about it, what it said last, and the moments up to which rows contain all that it
// had committed. Moments are of our monotonic clock; times of commits are of the source's, which may be another by days, so they count
// only by way of a reading of that clock. A moment counts for a cut that contains the append with which it was confirmed.
import { followedLagMs, type Standing } from '../core/freshness.js';
import type { Confirmation, SourceClock, SourceReport, SourceState } from '../source/source-connector.js';
import type { Frontier } from '../store/state-store.js';

/** What is done about the source; how it stands while it is followed, it says itself. */
export type Condition =
  | { readonly kind: 'followed' }
  | { readonly kind: 'paused' | 'stopped' | 'completed' | 'deleted' }
  | { readonly kind: 'failed'; readonly reason: string };

/** What outlives the process. Times of the wall clock, ms. */
export interface StoredMoment {
  readonly connector: string;
  /** When it was first heard of. */
  readonly firstMs: number;
  /** All that was committed by then is applied at `seq`; undefined: that was never known. */
  readonly known?: { readonly atMs: number; readonly seq: number } | undefined;
  /** The source's clock less ours, ms; undefined: never read. */
  readonly clockAheadMs?: number | undefined;
}

/** Readings of this many confirmations: some seconds, which is more than any cut is old that is answered from. */
const confirmationsMax = 64;

export class SourceFacts {
  condition: Condition = { kind: 'followed' };
  #state: SourceState = { phase: 'connecting' };
  /** Rising in both; the last is the newest. */
  readonly #confirmed: Confirmation[] = [];
  #firstMs: number;
  #resting = false;
  #clockAheadUs: number | undefined;

  constructor(nowMs: number) {
    this.#firstMs = nowMs;
  }

  /** What an earlier process knew. `wallAheadMs`: the wall clock less the monotonic one. */
  restore({ firstMs, known, clockAheadMs }: StoredMoment, wallAheadMs: number, nowMs: number): void {
    // A wall clock that was put back makes nothing newer than now.
    this.#firstMs = Math.min(nowMs, firstMs - wallAheadMs);
    if (known !== undefined)
      this.#confirmed.unshift({ atMs: Math.min(nowMs, known.atMs - wallAheadMs), seq: known.seq });
    if (clockAheadMs !== undefined) this.#clockAheadUs ??= (clockAheadMs + wallAheadMs) * 1000;
  }

  /** Nothing later than `mostMs` is stored as known. */
  stored(connector: string, wallAheadMs: number, mostMs = Number.POSITIVE_INFINITY): StoredMoment {
    const known = this.#confirmed.at(-1);
    const atMs = Math.min(known?.atMs ?? 0, mostMs);
    const clock = this.#clockAheadUs;
    return {
      connector,
      firstMs: Math.round(this.#firstMs + wallAheadMs),
      ...(known === undefined ? {} : { known: { atMs: Math.floor(atMs + wallAheadMs), seq: known.seq } }),
      ...(clock === undefined ? {} : { clockAheadMs: Math.round(clock / 1000 - wallAheadMs) }),
    };
  }

  heard({ state, confirmed, clock }: SourceReport): void {
    // What it waits for is not over because it is tried again.
    if (state.phase !== 'connecting' || this.#state.phase !== 'waiting') this.#state = state;
    if (clock !== undefined) this.#setClock(clock);
    if (confirmed !== undefined) this.#confirm(confirmed);
    this.#resting = state.caughtUp === true && (confirmed !== undefined || this.#resting);
  }

  /** Nothing more comes of it. */
  halted(): void {
    this.#state = { phase: 'connecting' };
    this.#resting = false;
  }

  #setClock({ sourceUs, atMs }: SourceClock): void {
    this.#clockAheadUs = sourceUs - atMs * 1000;
  }

  #confirm(confirmed: Confirmation): void {
    const all = this.#confirmed;
    const newest = all.at(-1);
    // Of one seq the newest says all.
    if (newest !== undefined && newest.seq >= confirmed.seq) all.pop();
    all.push({ atMs: Math.max(newest?.atMs ?? confirmed.atMs, confirmed.atMs), seq: confirmed.seq });
    if (all.length > confirmationsMax) all.shift();
  }

  /** How it stands: what it waits for stays while it is tried again. */
  get state(): SourceState {
    return this.#state;
  }

  /** What it had committed by then is confirmed; when nothing is, when it was heard of. */
  get containedMs(): number {
    return this.#confirmed.at(-1)?.atMs ?? this.#firstMs;
  }

  get everKnown(): boolean {
    return this.#confirmed.length > 0;
  }

  get reason(): string | undefined {
    return this.condition.kind === 'failed' ? this.condition.reason : this.#state.reason;
  }

  /** Of a cut that goes on with the engine. */
  lagMs(frontier: Frontier, producer: string, nowMs: number): number {
    const { condition } = this;
    const newest = this.#confirmed.at(-1);
    if (condition.kind === 'followed' && this.#resting && newest !== undefined && newest.seq <= frontier.seq) {
      // Nothing has come since: what it last confirmed holds until the next confirmation is overdue.
      if (nowMs - newest.atMs < followedLagMs) return 0;
    }
    return Math.max(0, Math.round(nowMs - this.#knownMs(frontier, producer, nowMs)));
  }

  /** True when all that it has confirmed is in this cut, and it has nothing more. */
  isCurrent(frontier: Frontier): boolean {
    const newest = this.#confirmed.at(-1);
    return this.condition.kind === 'followed' && this.#resting && newest !== undefined && newest.seq <= frontier.seq;
  }

  standing(lagMs: number, applied: boolean): Standing {
    if (this.condition.kind !== 'followed') return this.condition.kind;
    const { phase } = this.#state;
    if (phase === 'snapshot') return 'snapshot';
    if (phase === 'streaming') return lagMs === 0 ? 'current' : 'catching-up';
    if (!applied && !this.everKnown) return 'never-reached';
    return phase === 'waiting' ? 'unreachable' : 'connecting';
  }

  /** The later of the newest confirmation that this cut contains and its newest commit; when nothing is known, when it was heard of. */
  #knownMs(frontier: Frontier, producer: string, nowMs: number): number {
    const all = this.#confirmed;
    let knownMs: number | undefined;
    for (let i = all.length - 1; i >= 0; i--) {
      if (all[i]!.seq > frontier.seq) continue;
      knownMs = all[i]!.atMs;
      break;
    }
    const committedMs = this.committedMs(frontier, producer, nowMs);
    if (committedMs !== undefined && (knownMs === undefined || committedMs > knownMs)) knownMs = committedMs;
    return knownMs ?? this.#firstMs;
  }

  /**
   * When the newest applied commit of the source was made. Undefined where there is none, and where it would lie in the future: then the
   * source's clock was set since it was read, or was never read, and its times say nothing.
   */
  committedMs({ commitTimesUs }: Frontier, producer: string, nowMs: number): number | undefined {
    const committedUs = commitTimesUs[producer];
    if (committedUs === undefined || committedUs <= 0) return undefined;
    const committedMs = (committedUs - (this.#clockAheadUs ?? this.#assumedAheadUs)) / 1000;
    return committedMs <= nowMs ? committedMs : undefined;
  }

  /** While the source's clock was never read: that it shows what ours does. */
  #assumedAheadUs = 0;
  assumeClock(wallAheadMs: number): void {
    this.#assumedAheadUs = wallAheadMs * 1000;
  }
}
