// How old a follower's answers may be. What a source has beyond the log only the leader knows, so the follower asks it each second: its
// version, and how far behind its sources that version is. An answer of the follower that contains that version is as fresh as the
// leader's was, and has aged since the question was asked. So the lag is an upper bound as everywhere, needs no clock that agrees with
// the leader's, and grows while the follower is behind the log or while the leader is not heard: nothing is fresh because all is silent.
import { delay } from '../core/backoff.js';
import type { Logger } from '../core/logger.js';
import { parseEventId } from '../core/version.js';
import type { Leadership } from '../server/status-facade.js';
import type { TableFrontier } from '../store/state-store.js';

export interface LeaderReportsEnv {
  readonly leadership: () => Leadership;
  /** What the leader at the address says of itself; rejects when it does not answer. */
  readonly ask: (url: string, signal: AbortSignal) => Promise<LeaderReport>;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly logger: Logger;
}

export interface LeaderReport {
  readonly version: string;
  readonly lagMs: number;
}

interface Heard {
  readonly seq: number;
  /** Everything committed until then is in that version; on our monotonic clock. */
  readonly freshUntilMs: number;
}

const askIntervalMs = 1_000;
const askTimeoutMs = 5_000;
/** A follower that is behind by more counts from its newest commit. */
const heardMax = 600;

export class LeaderReports {
  readonly #env: LeaderReportsEnv;
  readonly #stop = new AbortController();
  readonly #startedMs: number;
  #heard: Heard[] = [];
  #silent = false;
  #running: Promise<void> = Promise.resolve();

  constructor(env: LeaderReportsEnv) {
    this.#env = env;
    this.#startedMs = env.nowMs();
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Of an answer with this frontier. */
  lagMs(frontier: TableFrontier): number {
    const { nowMs, wallMs } = this.#env;
    const newest = this.#heard.findLast(({ seq }) => seq <= frontier.seq);
    if (newest !== undefined) return Math.max(0, Math.round(nowMs() - newest.freshUntilMs));
    if (frontier.commitTimeUs > 0) return Math.max(0, Math.round(wallMs() - frontier.commitTimeUs / 1000));
    return Math.round(nowMs() - this.#startedMs);
  }

  /** One question; nothing to ask where this process leads. */
  async askOnce(): Promise<void> {
    const { leadership, ask, nowMs, logger } = this.#env;
    const { role, leader } = leadership();
    if (role === 'leader' || leader === null) return;
    const askedMs = nowMs();
    const timeout = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(askTimeoutMs)]);
    try {
      const { version, lagMs } = await ask(leader, timeout);
      this.#note({ seq: parseEventId(version).seq, freshUntilMs: askedMs - lagMs });
      if (this.#silent) logger.info('the leader answers again', { leader });
      this.#silent = false;
    } catch (error) {
      if (this.#stop.signal.aborted || this.#silent) return;
      this.#silent = true;
      logger.warn('the leader does not answer: how fresh the tables are is not known, so the lag grows', {
        leader,
        error: String(error),
      });
    }
  }

  #note(heard: Heard): void {
    // Of one version the best that was heard of it.
    const last = this.#heard.at(-1);
    if (last !== undefined && last.seq >= heard.seq && last.freshUntilMs >= heard.freshUntilMs) return;
    this.#heard = this.#heard.filter(({ seq }) => seq < heard.seq);
    this.#heard.push(heard);
    if (this.#heard.length > heardMax) this.#heard.shift();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.askOnce();
      await delay(askIntervalMs, signal).catch(() => {}); // aborted: the loop ends
    }
  }
}

export async function askLeader(url: string, signal: AbortSignal): Promise<LeaderReport> {
  const response = await fetch(`${url}/v1/status`, { signal });
  if (!response.ok) throw new Error(`GET ${url}/v1/status: ${response.status}`);
  return (await response.json()) as LeaderReport;
}
