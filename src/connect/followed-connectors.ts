// The connectors as a process sees them that does not run them: those of the sequence, with how far each is. What they do at the moment
// only the process knows that runs them.
import { AppError } from '../core/errors.js';
import type { ConnectFacade, ConnectorStatus } from './connect-facade.js';
import { infoOf, statusOf } from './connector-answers.js';
import type { ConnectorStore } from './herder-env.js';
import { offsetsOf } from './offsets.js';
import { pluginDefinitions } from './plugin-definitions.js';
import { pluginInfos } from './plugin-infos.js';
import type { SourceFreshness } from './source-freshness.js';
import type { StoredConnector } from './stored-connector.js';

export interface FollowedConnectorsEnv {
  readonly store: Pick<ConnectorStore, 'load' | 'progress'>;
  /** Of the process that runs them. */
  readonly workerId: () => string;
  readonly version: string;
  readonly freshness: SourceFreshness;
  /** What is not done here. */
  readonly refusal: () => AppError;
}

export class FollowedConnectors implements ConnectFacade {
  readonly #env: FollowedConnectorsEnv;

  constructor(env: FollowedConnectorsEnv) {
    this.#env = env;
  }

  async list(): Promise<readonly string[]> {
    return (await this.#env.store.load()).map(({ name }) => name).toSorted();
  }

  async statuses(): Promise<readonly ConnectorStatus[]> {
    return Promise.all((await this.list()).map((name) => this.status(name)));
  }

  async info(name: string) {
    return infoOf(await this.#find(name));
  }

  async status(name: string): Promise<ConnectorStatus> {
    const stored = await this.#find(name);
    const { wanted } = stored;
    const state = wanted === 'paused' ? 'PAUSED' : wanted === 'stopped' ? 'STOPPED' : 'UNASSIGNED';
    const held = { state, source: { phase: 'connecting' }, error: undefined, stored } as const;
    const age = this.#env.freshness.ofConnector(name);
    return statusOf(name, { ...held, age }, this.#env.workerId(), await this.#env.store.progress(name));
  }

  async topics(name: string): Promise<readonly string[]> {
    await this.#find(name);
    return (await this.#env.store.progress(name)).topics;
  }

  async offsets(name: string) {
    const stored = await this.#find(name);
    return offsetsOf(stored, (await this.#env.store.progress(name)).position);
  }

  pluginConfig = pluginDefinitions;

  plugins(all = false) {
    return pluginInfos(this.#env.version, all);
  }

  create = () => this.#refuse();
  update = () => this.#refuse();
  pause = () => this.#refuse();
  resume = () => this.#refuse();
  stop = () => this.#refuse();
  restart = () => this.#refuse();
  delete = () => this.#refuse();
  snapshot = () => this.#refuse();
  resetOffsets = () => this.#refuse();
  alterOffsets = () => this.#refuse();
  /** It would ask the source, which need not be reached from here. */
  validate = () => this.#refuse();
  diagnose = () => this.#refuse();
  verify = () => this.#refuse();
  verification = () => this.#refuse();

  #refuse(): Promise<never> {
    return Promise.reject(this.#env.refusal());
  }

  async #find(name: string): Promise<StoredConnector> {
    const found = (await this.#env.store.load()).find((stored) => stored.name === name);
    if (!found) throw new AppError('unknown-connector', `no connector ${name}`);
    return found;
  }
}
