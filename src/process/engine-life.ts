// One life of the service: the engine of a role, and the connectors with it. A leader first applies all that is in the log (its engine's
// producer has fenced the leader of before, so nothing of that one comes any more): only then are its connectors, positions and tables
// those of the sequence, whatever the data folder held. Until then it changes nothing.
import type { ConnectFacade } from '../connect/connect-facade.js';
import type { Herder } from '../connect/herder.js';
import { AppError } from '../core/errors.js';
import type { EngineApi, EngineRole } from '../engine/engine-api.js';
import type { EngineThread } from '../threads/engine-thread.js';
import type { Remote } from '../threads/rpc.js';

export interface ConnectorViews {
  readonly herder: () => Herder;
  /** What is not run here, as the sequence tells it; `refusal` for what would change something. */
  readonly followed: (refusal: () => AppError) => ConnectFacade;
}

/** What changes something waits for no catching up: the caller tries again. */
const changing: ReadonlySet<string> = new Set(['execute', 'run', 'rebuild']);

export class EngineLife {
  readonly role: EngineRole;
  readonly engine: Remote<EngineApi>;
  readonly logId: string;
  readonly #thread: EngineThread;
  readonly #views: ConnectorViews;
  #connectors: ConnectFacade;
  #herder: Herder | undefined;
  #ready = false;
  #closed = false;

  constructor(role: EngineRole, thread: EngineThread, views: ConnectorViews) {
    this.role = role;
    this.logId = thread.logId;
    this.#thread = thread;
    this.#views = views;
    this.#connectors = views.followed(() => this.#refusal());
    this.engine = new Proxy(thread.remote, {
      get: (remote, method: keyof EngineApi) =>
        changing.has(method) && role === 'leader' && !this.#ready
          ? () => Promise.reject(this.#refusal())
          : remote[method],
    });
  }

  get connectors(): ConnectFacade {
    return this.#connectors;
  }

  /** Resolves when everything is applied that was in the log; a leader then runs what it is to run, and `begin`. */
  async work(begin: (herder: Herder) => Promise<void>): Promise<void> {
    await this.#thread.remote.caughtUp();
    if (this.role === 'follower' || this.#closed) return;
    const herder = this.#views.herder();
    await herder.open();
    this.#herder = herder;
    this.#connectors = herder;
    this.#ready = true;
    await begin(herder);
  }

  /** The connectors end. */
  async rest(): Promise<void> {
    this.#closed = true;
    await this.#herder?.close();
  }

  async close(): Promise<void> {
    try {
      await this.rest();
    } finally {
      await this.#thread.stop();
    }
  }

  #refusal(): AppError {
    if (this.role === 'follower')
      return new AppError('not-leader', 'this process follows the log and changes nothing', {
        hint: 'GET /v1/status tells which process leads',
      });
    return new AppError('not-ready', 'the log is being caught up with', { retriable: true });
  }
}
