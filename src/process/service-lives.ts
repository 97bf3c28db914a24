// The lives of the service in one process: as the leader it runs the engine that writes and the connectors, as a follower only the engine
// that applies. A role is a life of the engine thread: when the group decides otherwise, the one ends between two commits and the other
// begins on the same data file, so nothing in memory is carried over from a role into another. Reads and subscriptions stand on the file
// and go on meanwhile; calls to engine and connectors are answered not-ready.
//
// A leader that was fenced (it slept, and another has taken over) does not know it from the group yet: its life ends, the group is asked,
// and the next life is what the group says.
import type { ConnectFacade } from '../connect/connect-facade.js';
import { isAbort, untilAborted } from '../core/backoff.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { EngineApi, EngineRole } from '../engine/engine-api.js';
import type { Remote } from '../threads/rpc.js';
import type { EngineLife } from './engine-life.js';

export interface ServiceLivesEnv {
  /** Opens the engine; `onFailed` when it cannot go on. */
  readonly begin: (role: EngineRole, onFailed: (error: AppError) => void) => Promise<EngineLife>;
  /** What a life does once its engine is there; a failure ends the process. */
  readonly work: (life: EngineLife) => Promise<void>;
  /** What the group says now. */
  readonly role: () => EngineRole;
  readonly check: () => Promise<void>;
  readonly onFailed: (error: AppError) => void;
  readonly logger: Logger;
}

/** Fenced again so soon although the group had just said that this process leads: two groups write one log. */
const fencedAgainMs = 60_000;

export class ServiceLives {
  readonly #env: ServiceLivesEnv;
  #life: EngineLife | undefined;
  #turn: Promise<void> = Promise.resolve();
  #working = false;
  readonly #closing = new AbortController();
  #fencedAtMs = Number.NEGATIVE_INFINITY;
  /** Calls go to the life of the moment. */
  readonly engine: Remote<EngineApi> = forwarding(() => this.#now().engine);
  readonly connectors: ConnectFacade = {
    list: async () => this.#now().connectors.list(),
    statuses: async () => this.#now().connectors.statuses(),
    create: async (...args) => this.#now().connectors.create(...args),
    update: async (...args) => this.#now().connectors.update(...args),
    info: async (name) => this.#now().connectors.info(name),
    status: async (name) => this.#now().connectors.status(name),
    pause: async (name) => this.#now().connectors.pause(name),
    resume: async (name) => this.#now().connectors.resume(name),
    stop: async (name) => this.#now().connectors.stop(name),
    restart: async (name) => this.#now().connectors.restart(name),
    snapshot: async (...args) => this.#now().connectors.snapshot(...args),
    delete: async (...args) => this.#now().connectors.delete(...args),
    topics: async (name) => this.#now().connectors.topics(name),
    offsets: async (name) => this.#now().connectors.offsets(name),
    resetOffsets: async (...args) => this.#now().connectors.resetOffsets(...args),
    alterOffsets: async (...args) => this.#now().connectors.alterOffsets(...args),
    plugins: (all) => this.#now().connectors.plugins(all),
    pluginConfig: (name) => this.#now().connectors.pluginConfig(name),
    validate: async (...args) => this.#now().connectors.validate(...args),
    verify: async (...args) => this.#now().connectors.verify(...args),
    verification: async (name) => this.#now().connectors.verification(name),
    diagnose: async (name) => this.#now().connectors.diagnose(name),
  };

  constructor(env: ServiceLivesEnv) {
    this.#env = env;
  }

  /** The first one; rejects when its engine cannot be opened. */
  async begin(): Promise<EngineLife> {
    return (this.#life = await this.#open(this.#env.role()));
  }

  /** Its work, and from then on the group decides; rejects when the work cannot be done. */
  async work(): Promise<void> {
    await this.#env.work(this.#life!);
    this.#working = true;
    this.follow();
  }

  /** The group may have decided otherwise. */
  follow(): void {
    this.#inTurn(() => this.#become(this.#env.role()));
  }

  /** No role is taken any more, and the connectors end, each at a whole append. */
  async rest(): Promise<void> {
    this.#closing.abort();
    await this.#turn;
    await this.#life?.rest();
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#end();
  }

  #open(role: EngineRole): Promise<EngineLife> {
    return this.#env.begin(role, (error) => {
      if (error.code === 'producer-fenced') this.#fenced(error);
      else this.#env.onFailed(error);
    });
  }

  #fenced(error: AppError): void {
    this.#inTurn(async () => {
      const nowMs = performance.now();
      if (nowMs - this.#fencedAtMs < fencedAgainMs) throw error;
      this.#env.logger.warn('another process has taken over', { code: error.code, error: error.message });
      await this.#end();
      await untilAborted(this.#closing.signal, this.#env.check());
      // One that was only asleep hears that another leads, however often it sleeps.
      this.#fencedAtMs = this.#env.role() === 'leader' ? nowMs : Number.NEGATIVE_INFINITY;
      await this.#become(this.#env.role());
    });
  }

  async #become(role: EngineRole): Promise<void> {
    if (this.#closing.signal.aborted || !this.#working || this.#life?.role === role) return;
    const begun = performance.now();
    await this.#end();
    this.#life = await this.#open(role);
    this.#env.logger.info(role === 'leader' ? 'this process leads now' : 'this process follows now', {
      afterMs: Math.round(performance.now() - begun),
    });
    await this.#env.work(this.#life);
  }

  async #end(): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    await life?.close();
  }

  #inTurn(work: () => Promise<void>): void {
    this.#turn = this.#turn.then(async () => {
      if (this.#closing.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // An end waits for no broker.
        if (this.#closing.signal.aborted && isAbort(error)) return;
        this.#env.onFailed(
          error instanceof AppError ? error : new AppError('internal', String(error), { cause: error }),
        );
      }
    });
  }

  #now(): EngineLife {
    if (this.#life) return this.#life;
    throw new AppError('not-ready', 'the service changes its role', { retriable: true });
  }
}

/** An engine whose calls go to the one that is there then. */
function forwarding(target: () => Remote<EngineApi>): Remote<EngineApi> {
  return new Proxy({} as Remote<EngineApi>, {
    get: (_target, method) => {
      if (typeof method !== 'string' || method === 'then') return undefined;
      return async (...args: unknown[]) =>
        (target()[method as keyof EngineApi] as (...args: unknown[]) => Promise<unknown>)(...args);
    },
  });
}
