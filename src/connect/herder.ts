// Looks after the connectors, as Kafka Connect's herder: which exist, what each should do, what each does. A connector's life is a
// small state machine; the invariants:
//   1. at most one task of a connector runs at a time (a new one starts only after the old one has ended)
//   2. the task runs exactly when the wanted state is `running` and no final error stands
//   3. a retriable failure is tried again by back-off for ever; a final one stays FAILED, reason visible, until restart or update
//   4. configuration and wanted state are durable before a call resolves
// It knows neither threads nor databases: tasks are started, and configurations kept, by what it is given.
import { isDeepStrictEqual } from 'node:util';
import { createBackoff, isAbort, untilAborted } from '../core/backoff.js';
import { AppError, toAppError } from '../core/errors.js';
import type { SourceReport, SourceState } from '../source/source-connector.js';
import { validationResult } from './config-validation.js';
import { infoOf, positionValue, statusOf } from './connector-answers.js';
import { checkConfig } from './connector-config.js';
import { createRedact, redactError, unmaskSecrets, type Redact } from './connector-secrets.js';
import type {
  ConnectFacade,
  ConnectorConfig,
  ConnectorInfo,
  ConnectorState,
  ConnectorStatus,
  DeleteOptions,
} from './connect-facade.js';
import type { ConnectorTask, HerderEnv } from './herder-env.js';
import { KnownSources } from './known-source.js';
import { LiveSource } from './live-source.js';
import { findPlugin, pluginClasses } from './plugins.js';
import type { StoredConnector } from './stored-connector.js';
import { Turns } from './turns.js';

interface Held {
  stored: StoredConnector;
  state: ConnectorState;
  source: SourceState;
  error: AppError | undefined;
  task: ConnectorTask | undefined;
  /** Aborted to leave a back-off wait. */
  stopping: AbortController;
  loop: Promise<void> | undefined;
  readonly redact: Redact;
}

const idleState: SourceState = { phase: 'connecting' };

export class Herder implements ConnectFacade {
  readonly known: KnownSources;
  readonly #env: HerderEnv;
  readonly #live: LiveSource;
  readonly #held = new Map<string, Held>();
  readonly #turns = new Turns();
  readonly #closing = new AbortController();

  constructor(env: HerderEnv) {
    this.#env = env;
    this.#live = new LiveSource({ ...env, closing: this.#closing.signal });
    this.known = new KnownSources({ live: this.#live, store: env.store, logger: env.logger });
  }

  /** Starts what was running. */
  async open(): Promise<void> {
    for (const stored of await this.#env.store.load()) {
      const held = this.#hold(stored);
      if (stored.wanted === 'running') this.#start(held);
    }
    this.#env.freshness.only([...this.#held.keys()]);
  }

  /** Aborts when it closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#held.values()].map((held) => this.#halt(held)));
  }

  /** All connectors with their state, for status. */
  async statuses(): Promise<readonly ConnectorStatus[]> {
    return Promise.all([...this.#held.keys()].map((name) => this.status(name)));
  }

  /** As they are kept. */
  stored(): readonly StoredConnector[] {
    return [...this.#held.values()].map((held) => held.stored);
  }

  list(): Promise<readonly string[]> {
    return Promise.resolve([...this.#held.keys()].toSorted());
  }

  create(name: string, config: ConnectorConfig, owner: 'flag' | 'file' | 'api'): Promise<ConnectorInfo> {
    return this.#turns.take(name, async () => {
      if (this.#held.has(name)) {
        throw new AppError('already-exists', `connector ${name} exists`, { hint: 'update it, or delete it first' });
      }
      await this.#live.check(name, config);
      const identity = await this.known.identify(name, config);
      return this.#put({ name, config, wanted: 'running', owner, identity });
    });
  }

  /**
   * For `--source`: makes it, or lets it run again; an unreachable server is tried for ever instead of refused. One that runs as
   * it should is left alone: its task checks the source by itself.
   */
  ensure(name: string, config: ConnectorConfig, owner: 'flag' | 'file', identity?: string): Promise<ConnectorInfo> {
    return this.#turns.take(name, async () => {
      const held = this.#held.get(name);
      if (held?.loop !== undefined && held.stored.owner === owner && isDeepStrictEqual(held.stored.config, config))
        return infoOf(held.stored);
      let told = identity ?? held?.stored.identity;
      try {
        await this.#live.check(name, config);
        told ??= await this.known.identify(name, config);
      } catch (error) {
        if (!toAppError(error).retriable) throw error;
        this.#env.logger.warn('source does not answer yet', { connector: name, error: toAppError(error).message });
      }
      return this.#put({ name, config, wanted: 'running', owner, identity: told });
    });
  }

  update(name: string, config: ConnectorConfig): Promise<{ readonly info: ConnectorInfo; readonly created: boolean }> {
    return this.#turns.take(name, async () => {
      const existing = this.#held.get(name);
      const full = unmaskSecrets(config, existing?.stored.config);
      await this.#live.check(name, full);
      if (existing !== undefined && (await this.#env.store.progress(name)).position !== null)
        this.#live.checkChange(name, existing.stored.config, full);
      const identity = existing
        ? await this.known.identityAt(existing.stored, full)
        : await this.known.identify(name, full);
      const info = await this.#put({
        name,
        config: full,
        wanted: existing?.stored.wanted ?? 'running',
        owner: existing?.stored.owner ?? 'api',
        identity,
      });
      return { info, created: existing === undefined };
    });
  }

  info(name: string): Promise<ConnectorInfo> {
    return Promise.resolve(infoOf(this.#find(name).stored));
  }

  async status(name: string): Promise<ConnectorStatus> {
    const held = this.#find(name);
    const progress = await this.#env.store.progress(name);
    const { workerId, freshness } = this.#env;
    return statusOf(name, { ...held, age: freshness.ofConnector(name) }, workerId, progress);
  }

  pause(name: string): Promise<void> {
    return this.#want(name, 'paused');
  }

  resume(name: string): Promise<void> {
    return this.#want(name, 'running');
  }

  stop(name: string): Promise<void> {
    return this.#want(name, 'stopped');
  }

  restart(name: string): Promise<void> {
    return this.#turns.take(name, async () => {
      const held = this.#find(name);
      await this.#halt(held);
      if (held.stored.wanted === 'running') this.#start(held);
    });
  }

  /** Position and tables stay: a connector made again under this name goes on where it was, as in Kafka Connect. */
  delete(name: string, { uninstall = false, topics = false }: DeleteOptions = {}): Promise<void> {
    return this.#turns.take(name, async () => {
      const held = this.#find(name);
      await this.#halt(held);
      try {
        await this.#env.store.remove(name, topics ? 'nothing' : uninstall ? 'topics' : 'all');
      } catch (error) {
        // Refused: it stays as it was.
        if (held.stored.wanted === 'running') this.#start(held);
        throw error;
      }
      if (topics) this.#env.freshness.forget(name);
      else this.#env.freshness.stands(name, { kind: 'deleted' });
      this.#held.delete(name);
      // Last, because it cannot be undone.
      if (uninstall) await this.#live.uninstall(held.stored);
    });
  }

  async topics(name: string): Promise<readonly string[]> {
    this.#find(name);
    return (await this.#env.store.progress(name)).topics;
  }

  async offsets(name: string) {
    this.#find(name);
    const { position } = await this.#env.store.progress(name);
    return { offsets: position === null ? [] : [{ partition: { server: name }, offset: positionValue(position) }] };
  }

  plugins() {
    return pluginClasses.map((plugin) => ({ class: plugin.name, type: 'source' as const, version: this.#env.version }));
  }

  async validate(pluginClass: string, config: ConnectorConfig) {
    const plugin = findPlugin(config['connector.class'] ?? pluginClass);
    const given = { 'connector.class': plugin.name, ...config };
    const redact = createRedact(given, this.#env.resolveReferences);
    return validationResult(plugin, { given, resolved: this.#env.resolveReferences(given), redact }, (checked) =>
      this.#live.findings(checked),
    );
  }

  async #put(stored: StoredConnector): Promise<ConnectorInfo> {
    await this.#env.store.put(stored);
    const earlier = this.#held.get(stored.name);
    if (earlier) await this.#halt(earlier);
    const held = this.#hold(stored);
    if (stored.wanted === 'running') this.#start(held);
    return infoOf(stored);
  }

  #want(name: string, wanted: StoredConnector['wanted']): Promise<void> {
    return this.#turns.take(name, async () => {
      const held = this.#find(name);
      await this.#keep(held, { ...held.stored, wanted });
      if (wanted === 'running') {
        if (held.loop === undefined) this.#start(held);
        return;
      }
      await this.#halt(held);
      this.#env.freshness.stands(name, { kind: wanted });
      held.state = wanted === 'paused' ? 'PAUSED' : 'STOPPED';
      held.error = undefined;
    });
  }

  #hold(stored: StoredConnector): Held {
    const state = stored.wanted === 'paused' ? 'PAUSED' : stored.wanted === 'stopped' ? 'STOPPED' : 'UNASSIGNED';
    const held: Held = {
      stored,
      state,
      source: idleState,
      error: undefined,
      task: undefined,
      stopping: new AbortController(),
      loop: undefined,
      redact: createRedact(stored.config, this.#env.resolveReferences),
    };
    this.#held.set(stored.name, held);
    this.#env.freshness.stands(stored.name, { kind: stored.wanted === 'running' ? 'followed' : stored.wanted });
    return held;
  }

  #start(held: Held): void {
    // A call that was under way when the service began to stop: what it wanted is stored, and runs from the next start.
    if (this.closing.aborted) return;
    held.stopping = new AbortController();
    held.loop = this.#run(held, held.stopping.signal).finally(() => {
      held.loop = undefined;
    });
  }

  async #run(held: Held, signal: AbortSignal): Promise<void> {
    const { name } = held.stored;
    const backoff = createBackoff({ initialMs: 200, maxMs: 30_000 });
    while (!signal.aborted) {
      let learning: Promise<void> | undefined;
      try {
        held.error = undefined;
        this.#env.freshness.stands(name, { kind: 'followed' });
        this.#heard(held, { state: idleState });
        const checked = checkConfig(name, this.#env.resolveReferences(held.stored.config));
        held.task = this.#env.startTask(name, checked, (report) => {
          if (signal.aborted) return;
          this.#heard(held, report);
          const { phase } = report.state;
          if (phase === 'streaming') backoff.reset();
          // It reads from behind the position, so this is the source that was read, or one that has taken its history over.
          if (phase === 'streaming' || phase === 'snapshot') learning ??= this.#learn(held, signal);
        });
        held.state = 'RUNNING';
        await held.task.done;
        // `initial_only` comes to its end by itself.
        if (!signal.aborted) {
          held.state = 'PAUSED';
          this.#env.freshness.stands(name, { kind: 'completed' });
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        held.error = redactError(toAppError(error), held.redact);
        if (!held.error.retriable) {
          if (!(await this.#stillLeads(signal))) return;
          held.state = 'FAILED';
          this.#env.freshness.stands(name, { kind: 'failed', reason: held.error.message });
          const { code, message, detail, hint } = held.error;
          this.#env.logger.error('connector failed', { connector: name, code, error: message, detail, hint });
          return;
        }
        held.state = 'RESTARTING';
        this.#heard(held, { state: { phase: 'waiting', reason: held.error.message } });
        if (backoff.attempt === 0)
          this.#env.logger.warn('connector is tried again', { connector: name, error: held.error.message });
        try {
          await backoff.wait(signal);
        } catch (abort) {
          if (!isAbort(abort)) throw abort;
        }
      }
    }
  }

  async #stillLeads(signal: AbortSignal): Promise<boolean> {
    try {
      return await untilAborted(signal, this.#env.stillLeads());
    } catch (abort) {
      if (!isAbort(abort)) throw abort;
      return false;
    }
  }

  #heard(held: Held, report: SourceReport): void {
    const { reason } = report.state;
    const state = reason === undefined ? report.state : { ...report.state, reason: held.redact(reason) };
    held.source = this.#env.freshness.heard(held.stored.name, { ...report, state });
  }

  async #learn(held: Held, signal: AbortSignal): Promise<void> {
    const { name, config } = held.stored;
    const identity = await this.known.identify(name, config);
    if (identity === undefined || signal.aborted) return;
    await this.#turns
      .take(name, async () => {
        if (!signal.aborted && identity !== held.stored.identity) await this.#keep(held, { ...held.stored, identity });
      })
      .catch((error: unknown) => {
        this.#env.logger.warn('who the source is was not kept', { connector: name, error: toAppError(error).message });
      });
  }

  async #keep(held: Held, stored: StoredConnector): Promise<void> {
    await this.#env.store.put(stored);
    held.stored = stored;
  }

  async #halt(held: Held): Promise<void> {
    held.stopping.abort();
    await held.task?.stop();
    await held.loop;
    held.task = undefined;
  }

  #find(name: string): Held {
    const held = this.#held.get(name);
    if (!held)
      throw new AppError('unknown-connector', `no connector ${name}`, {
        hint: `there are: ${[...this.#held.keys()].join(', ') || 'none'}`,
      });
    return held;
  }
}
