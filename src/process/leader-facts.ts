// What a process that follows the log knows of the sources: what the leader says in its status, asked about once a second. The two have
// the same seqs, and times come as ages, so neither clock matters. While the leader does not answer nothing is confirmed, and rows grow
// old here as they would there.
import type { Condition } from '../connect/source-facts.js';
import type { SourceFreshness } from '../connect/source-freshness.js';
import type { Clock } from '../core/clock.js';
import type { Logger } from '../core/logger.js';
import type { Standing } from '../core/freshness.js';
import { parseEventId } from '../core/version.js';
import type { Leadership, ServiceStatus } from '../server/status-facade.js';

const intervalMs = 700;
const answerMsDefault = 5_000;

export interface LeaderFactsEnv {
  readonly freshness: SourceFreshness;
  readonly leadership: () => Leadership;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long the leader may take to answer. */
  readonly answerMs?: number | undefined;
}

type Heard = Pick<ServiceStatus, 'version' | 'connectors'>;

export class LeaderFacts {
  readonly #env: LeaderFactsEnv;
  readonly #timer: NodeJS.Timeout;
  #asking = false;
  #silent = false;

  constructor(env: LeaderFactsEnv) {
    this.#env = env;
    this.#timer = setInterval(() => void this.#ask(), intervalMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #ask(): Promise<void> {
    const { leadership, clock, logger, answerMs = answerMsDefault } = this.#env;
    const { role, leader } = leadership();
    if (role !== 'follower' || leader === null || this.#asking) return;
    this.#asking = true;
    const askedMs = clock.monotonicMs();
    try {
      const answer = await fetch(`${leader}/v1/status`, { signal: AbortSignal.timeout(answerMs) });
      if (!answer.ok) throw new Error(`it answers ${answer.status}`);
      const heard = (await answer.json()) as Heard;
      // It may lead here since.
      if (leadership().role === 'follower') this.heard(heard, askedMs);
      if (this.#silent) logger.info('the leader answers again', { leader });
      this.#silent = false;
    } catch (error) {
      if (!this.#silent)
        logger.warn('the leader does not answer: how fresh the tables are is not known, so the lag grows', {
          leader,
          error: String(error),
        });
      this.#silent = true;
    } finally {
      this.#asking = false;
    }
  }

  /** All that it says was so when it was asked, or later. */
  heard({ version, connectors }: Heard, askedMs: number): void {
    const { freshness } = this.#env;
    const { seq } = parseEventId(version);
    for (const { name, lagMs, standing, source, error } of connectors) {
      if (lagMs === undefined || standing === undefined) continue;
      const phase = standing === 'unreachable' || standing === 'never-reached' ? 'waiting' : source.phase;
      const state = { ...source, phase, caughtUp: standing === 'current' };
      const confirmed = standing === 'never-reached' ? undefined : { atMs: askedMs - lagMs, seq };
      freshness.heard(name, { state, confirmed });
      freshness.stands(name, conditionOf(standing, error?.message));
    }
    freshness.only(connectors.map(({ name }) => name));
  }
}

function conditionOf(standing: Standing, reason: string | undefined): Condition {
  switch (standing) {
    case 'paused':
    case 'stopped':
    case 'completed':
    case 'deleted':
      return { kind: standing };
    case 'failed':
      return { kind: standing, reason: reason ?? 'its leader says no more' };
    default:
      return { kind: 'followed' };
  }
}
