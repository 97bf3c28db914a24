// `--source URL`: which connector it stands for. Names come from host, port and file, and those are no identity: one server has several
// addresses and moves, and another file lies under a like name. So, in this order:
//   1. a connector whose address it is goes on (its task checks the position by itself)
//   2. the connectors that an earlier `--source` made are asked one by one whether the source behind the new address is theirs: the one
//      whose it is gets the new address, and keeps its name, topics, tables and position
//   3. else it is a new source: a connector is made, under a name that is free
// The others of an earlier `--source` are paused, and that is said, since their tables stand still. While the new address does not answer
// nothing is decided and nothing is changed: a guess could read everything again into other tables. It is asked until it answers.
import { createBackoff, isAbort } from '../core/backoff.js';
import { toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ConnectorConfig } from './connect-facade.js';
import type { Herder } from './herder.js';
import type { SourceUrlConnector } from './source-url.js';
import type { SourceFreshness } from './source-freshness.js';
import type { StoredConnector } from './stored-connector.js';

export class SourceFollower {
  readonly #herder: Herder;
  readonly #freshness: SourceFreshness;
  readonly #logger: Logger;
  /** The name under which the source was told of while it had no connector. */
  #provisional: string | undefined;
  /** Why it is not known yet which connector it is. */
  undecided: string | undefined;

  constructor(herder: Herder, freshness: SourceFreshness, logger: Logger) {
    this.#herder = herder;
    this.#freshness = freshness;
    this.#logger = logger;
  }

  /** Resolves when it is decided, or when that has to wait for the source to answer: as long as the herder is open. */
  async follow(source: SourceUrlConnector): Promise<void> {
    try {
      await this.#decide(source);
    } catch (error) {
      const { retriable, message } = toAppError(error);
      if (!retriable) throw error;
      await this.#wait(source.name, message);
      void this.#askAgain(source);
    }
  }

  async #wait(connector: string, message: string): Promise<void> {
    if (!(await this.#herder.list()).includes(connector)) {
      this.#provisional = connector;
      this.#freshness.stands(connector, { kind: 'followed' });
      this.#freshness.heard(connector, { state: { phase: 'waiting', reason: message } });
    }
    if (this.undecided === message) return;
    this.undecided = message;
    this.#logger.warn('the source does not answer yet: whether it is one that was read before is asked until it does', {
      connector,
      error: message,
    });
  }

  async #askAgain(source: SourceUrlConnector): Promise<void> {
    const signal = this.#herder.closing;
    const backoff = createBackoff({ initialMs: 200, maxMs: 30_000 });
    while (!signal.aborted) {
      try {
        await backoff.wait(signal);
        await this.#decide(source);
        this.undecided = undefined;
        return;
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        // A final error too: who mends it need not start us again.
        await this.#wait(source.name, toAppError(error).message);
      }
    }
  }

  async #decide(source: SourceUrlConnector): Promise<void> {
    const chosen = await this.#choose(source);
    if (this.#provisional !== undefined && this.#provisional !== chosen.name) this.#freshness.forget(this.#provisional);
    await this.#herder.ensure(chosen.name, chosen.config, 'flag', chosen.identity);
    await this.#pauseOthers(chosen.name);
  }

  async #choose({ name, config }: SourceUrlConnector): Promise<Chosen> {
    const herder = this.#herder;
    const earlier = herder
      .stored()
      .filter((stored) => isLike(stored, config) && (stored.owner === 'flag' || stored.name === name));
    const there = earlier.find((stored) => !herder.known.isElsewhere(stored, movedTo(stored, config)));
    if (there !== undefined) return { name: there.name, config: movedTo(there, config), identity: there.identity };
    // The one that ran last first.
    for (const stored of earlier.toSorted((a, b) => Number(b.wanted === 'running') - Number(a.wanted === 'running'))) {
      const moved = movedTo(stored, config);
      const recognised = await herder.known.recognise(stored, moved);
      if (recognised === undefined) {
        // It has read nothing: its name is free for another address.
        if (stored.name === name) return { name, config: moved, identity: undefined };
      } else if (recognised.same) {
        this.#logger.info('the source has another address now: its connector goes on there', {
          connector: stored.name,
        });
        return { name: stored.name, config: moved, identity: recognised.identity };
      }
    }
    return this.#another(name, config);
  }

  #another(name: string, config: ConnectorConfig): Chosen {
    const taken = new Set(this.#herder.stored().map((stored) => stored.name));
    let free = name;
    let suffix = '';
    for (let n = 2; taken.has(free); n++) free = name + (suffix = `-${n}`);
    if (suffix === '') return { name, config, identity: undefined };
    this.#logger.warn('another source than the one that was read under this name: it gets a connector of its own', {
      connector: name,
      another: free,
      hint: `to read it in place of the first: \`writethrough connect delete ${name} --topics\`, or another folder with --data`,
    });
    return {
      name: free,
      config: { ...config, 'topic.prefix': `${config['topic.prefix']}${suffix}` },
      identity: undefined,
    };
  }

  async #pauseOthers(chosen: string): Promise<void> {
    for (const { name, owner, wanted } of this.#herder.stored()) {
      if (owner !== 'flag' || name === chosen) continue;
      if (wanted === 'running') await this.#herder.pause(name);
      const tables = await this.#herder.known.tablesOf(name);
      this.#logger.warn('the connector of an earlier --source is paused: its tables stand still', {
        connector: name,
        tables,
        hint: `\`writethrough connect resume ${name}\` lets it run beside this one, \`writethrough connect delete ${name} --topics\` takes its tables away`,
      });
    }
  }
}

interface Chosen {
  readonly name: string;
  readonly config: ConnectorConfig;
  readonly identity: string | undefined;
}

/** Of the same kind, and of the same database: another database of one server is another source here. */
function isLike({ config }: StoredConnector, wanted: ConnectorConfig): boolean {
  return ['connector.class', 'database.include.list'].every((name) => config[name] === wanted[name]);
}

/** The new address, under the connector's own topics. */
function movedTo({ config }: StoredConnector, wanted: ConnectorConfig): ConnectorConfig {
  return { ...wanted, ...(config['topic.prefix'] === undefined ? {} : { 'topic.prefix': config['topic.prefix'] }) };
}
