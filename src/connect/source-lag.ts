// How old answers may be. A source is *current* while it says that it has handed over everything it has committed and the last position
// that it handed over is applied. Otherwise the answer contains at least what was committed before the newest applied commit, and before
// the moment at which the source was last seen current; the later of the two is what it is measured from, so the lag is an upper bound,
// also for a source that cannot be reached. A table that stands still is as old as what it contained when it stopped, however current the
// sources have been since. Reports come at most every 100 ms, so shorter lags may go unseen.
import type { SourceReport } from '../source/source-connector.js';
import type { Frontier, TableFrontier } from '../store/state-store.js';

export interface SourceLagEnv {
  readonly nowUs: () => number;
  /** The newest one known. */
  readonly frontier: () => Frontier;
}

interface Heard {
  readonly producer: string;
  /** Newest position handed over, once the source has nothing more; undefined while it has, or cannot be asked. */
  readonly caughtUpAt: { readonly position: string | null } | undefined;
  /** Last seen current, µs; 0 when never. */
  readonly currentUntilUs: number;
}

export class SourceLag {
  readonly #env: SourceLagEnv;
  readonly #heard = new Map<string, Heard>();

  constructor(env: SourceLagEnv) {
    this.#env = env;
  }

  /** What the connector's source said last; undefined: it cannot be asked (not connected yet, or failed). */
  heard(connector: string, producer: string, report: SourceReport | undefined): void {
    const earlier = this.#heard.get(connector);
    const wasCurrent = earlier !== undefined && isCurrent(earlier, this.#env.frontier());
    this.#heard.set(connector, {
      producer,
      caughtUpAt: report?.state.caughtUp === true ? { position: report.position } : undefined,
      currentUntilUs: wasCurrent ? this.#env.nowUs() : (earlier?.currentUntilUs ?? 0),
    });
  }

  /** It stands still because somebody wants it to: paused, stopped, deleted. */
  forget(connector: string): void {
    this.#heard.delete(connector);
  }

  /** Of the connector that is furthest behind, ms. */
  worstMs(frontier: TableFrontier): number {
    if (frontier.stopped) return this.#stoppedMs(frontier);
    let worst = 0;
    for (const heard of this.#heard.values()) {
      if (!isCurrent(heard, frontier)) worst = Math.max(worst, this.#lagMs(heard, frontier));
    }
    return worst;
  }

  /**
   * Counted from the newest commit in its rows, or from an older one where a source may have had more to give than it had given. Without
   * any commit of a source, from the newest append of this service's own.
   */
  #stoppedMs(at: TableFrontier): number {
    let sinceUs = at.commitTimeUs > 0 ? at.commitTimeUs : Math.max(0, ...Object.values(at.commitTimesUs));
    for (const heard of this.#heard.values()) {
      const newestUs = at.commitTimesUs[heard.producer];
      if (newestUs !== undefined && !isCurrent(heard, at)) sinceUs = Math.min(sinceUs, newestUs);
    }
    return Math.max(0, Math.round((this.#env.nowUs() - sinceUs) / 1000));
  }

  /** Undefined for a connector that stands still. */
  ofConnector(connector: string): number | undefined {
    const heard = this.#heard.get(connector);
    if (heard === undefined) return undefined;
    const frontier = this.#env.frontier();
    return isCurrent(heard, frontier) ? 0 : this.#lagMs(heard, frontier);
  }

  #lagMs({ producer, currentUntilUs }: Heard, { commitTimesUs }: Frontier): number {
    const sinceUs = Math.max(currentUntilUs, commitTimesUs[producer] ?? 0);
    // Nothing of it was ever applied, so no answer contains anything of it.
    return sinceUs === 0 ? 0 : Math.max(0, Math.round((this.#env.nowUs() - sinceUs) / 1000));
  }
}

function isCurrent({ caughtUpAt, producer }: Heard, { positions }: Frontier): boolean {
  return caughtUpAt !== undefined && (positions[producer] ?? null) === caughtUpAt.position;
}
