// Whether a connector's source is the one that it has read, whatever the address says: the source tells it itself (source-connector.ts,
// `recognise`). Who it is is kept with the connector once it streams.
import { delay, passed } from '../core/backoff.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Recognition } from '../source/source-connector.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { LiveSource, Wanted } from './live-source.js';
import type { StoredConnector } from './stored-connector.js';

/** Between two looks whether a source can be asked. */
const turnMs = 250;

export interface KnownSourceEnv {
  readonly live: LiveSource;
  readonly store: {
    /** Position of the connector's newest applied append, and what it has captured. */
    progress(name: string): Promise<{ readonly position: string | null; readonly tables: readonly string[] }>;
  };
  readonly logger: Logger;
}

export class KnownSources {
  readonly #env: KnownSourceEnv;

  constructor(env: KnownSourceEnv) {
    this.#env = env;
  }

  isElsewhere(stored: StoredConnector, config: ConnectorConfig): boolean {
    return this.#env.live.isElsewhere({ ...stored, config }, stored.config);
  }

  /** Names of the tables that hold its rows. */
  async tablesOf(connector: string): Promise<readonly string[]> {
    return (await this.#env.store.progress(connector)).tables;
  }

  /** Whether the source behind `config` is the one that this connector has read; undefined when it has read nothing yet. */
  async recognise(stored: StoredConnector, config: ConnectorConfig): Promise<Recognition | undefined> {
    const { name, identity } = stored;
    const { position } = await this.#env.store.progress(name);
    return position === null ? undefined : this.#env.live.recognise({ ...stored, config }, { identity, position });
  }

  /**
   * Who it is under a configuration that is to take the connector's place. Another address is another way to the same source, or it is
   * refused (other-source): position and rows belong to the one that was read.
   */
  async identityAt(stored: StoredConnector, config: ConnectorConfig): Promise<string | undefined> {
    const { name } = stored;
    if (!this.isElsewhere(stored, config)) return stored.identity;
    const recognised = await this.recognise(stored, config);
    if (recognised === undefined) return this.identify({ ...stored, config });
    if (!recognised.same) {
      throw new AppError(
        'other-source',
        `the address leads to another source than the one that connector ${name} has read`,
        {
          detail: 'its position and the rows of its tables belong to the source that was read',
          hint: `make a connector of another name for it, or \`writethrough connect delete ${name} --topics\` and create it again: it then begins with a new snapshot`,
        },
      );
    }
    this.#env.logger.info('the source has another address now: its connector goes on there', { connector: name });
    return recognised.identity;
  }

  /** Who the source behind a configuration is; undefined where it cannot be asked now: a task asks again once it reads. */
  async identify(wanted: Wanted): Promise<string | undefined> {
    try {
      return await this.#identify(wanted);
    } catch (error) {
      return this.#unknown(wanted, error);
    }
  }

  /** As `identify`, for as long as too many other sources are being asked. */
  async learn(wanted: Wanted, signal: AbortSignal): Promise<string | undefined> {
    for (;;) {
      try {
        return await this.#identify(wanted);
      } catch (error) {
        if (toAppError(error).code !== 'overloaded') return this.#unknown(wanted, error);
        if (!(await passed(delay(turnMs, signal), signal))) return undefined;
      }
    }
  }

  async #identify(wanted: Wanted): Promise<string | undefined> {
    return (await this.#env.live.recognise(wanted, { identity: undefined, position: null })).identity;
  }

  #unknown({ name }: Wanted, error: unknown): undefined {
    this.#env.logger.debug('the source does not say who it is', { connector: name, error: toAppError(error).message });
    return undefined;
  }
}
