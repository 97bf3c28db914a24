// Upkeep gets a guaranteed share of every turn of the engine's loop, so that limits hold under full load too. After a commit each chore
// says how far it is over its limit; the further, the larger the part of the time that the commit took which it may take as well:
// nothing while all are near their limits (one step costs a sync of its own, so it should be worth it), then a fifth, and at a tenth
// over its limit nearly twice the commit, each chore for itself, so that none waits behind another that is worse off. What is written
// slows down to what can be taken away before a limit is passed by a fifth. What is left waits until there was no commit for a moment,
// since a commit that comes during a step waits for it, and is then done a step at a time.
import type { Chore } from '../core/chore.js';
import { failpoint } from '../core/failpoint.js';
import type { Metrics } from '../core/metrics.js';

/** Limits are looked at after so much work: not after each of many small commits, and little can be written meanwhile. */
const lookAfterMs = 3;
/** Up to here a debt waits for company under load. */
const debtIgnored = 0.02;
const shareAtLeast = 0.2;
/** More share per debt: 10 % over a limit gives 1.8 times the commit. */
const sharePerDebt = 20;
/** A gap between two commits that is no shorter than this is none of a steady load. */
const quietMs = 20;
/** With a wrong clock, or a limit that was just made a tenth: the engine still goes on. */
const shareAtMost = 4;

export interface HousekeepingEnv {
  readonly chores: readonly Chore[];
  readonly metrics: Metrics;
  /** Wall clock, of retention. */
  readonly nowMs: () => number;
  /** Clock of the budget. */
  readonly monotonicMs?: () => number;
}

export class Housekeeping {
  readonly #env: HousekeepingEnv;
  readonly #monotonicMs: () => number;
  #commitEndMs = -Infinity;
  /** Of commits since limits were looked at. */
  #unlookedMs = 0;

  constructor(env: HousekeepingEnv) {
    this.#env = env;
    this.#monotonicMs = env.monotonicMs ?? (() => performance.now());
  }

  /** After a turn that has committed something, which took `tookMs`. */
  afterCommit(tookMs: number): void {
    this.#commitEndMs = this.#monotonicMs();
    this.#unlookedMs += tookMs;
    if (this.#unlookedMs < lookAfterMs) return;
    for (const chore of this.#env.chores) this.#takeShare(chore, this.#unlookedMs);
    this.#unlookedMs = 0;
  }

  #takeShare(chore: Chore, tookMs: number): void {
    let usedMs = 0;
    for (;;) {
      const debt = chore.debt(this.#env.nowMs());
      if (debt <= debtIgnored) return;
      usedMs += this.#step(chore);
      if (usedMs >= tookMs * Math.min(shareAtMost, shareAtLeast + (debt - debtIgnored) * sharePerDebt)) return;
    }
  }

  /** In a turn that has nothing else to do: in how many ms there may be something to do here, 0 at once; undefined: nothing is left. */
  idle(): number | undefined {
    const chore = this.#worst();
    if (chore === undefined) return undefined;
    const soonMs = Math.ceil(this.#commitEndMs + quietMs - this.#monotonicMs());
    if (soonMs > 0) return soonMs;
    this.#step(chore);
    return 0;
  }

  #worst(): Chore | undefined {
    const nowMs = this.#env.nowMs();
    let worst: Chore | undefined;
    let most = 0;
    for (const chore of this.#env.chores) {
      const debt = chore.debt(nowMs);
      if (debt <= most) continue;
      worst = chore;
      most = debt;
    }
    return worst;
  }

  /** How many ms it took. */
  #step(chore: Chore): number {
    const startMs = this.#monotonicMs();
    chore.step(this.#env.nowMs());
    failpoint('upkeep-after-step');
    const tookMs = this.#monotonicMs() - startMs;
    this.#env.metrics.count('writethrough_housekeeping_seconds_total', tookMs / 1000, { chore: chore.name });
    return tookMs;
  }

  /** For the metrics. */
  note(): void {
    const nowMs = this.#env.nowMs();
    for (const chore of this.#env.chores)
      this.#env.metrics.gauge('writethrough_housekeeping_debt_ratio', chore.debt(nowMs), { chore: chore.name });
  }
}
