// Looks after the connectors, as Kafka Connect's herder: which exist, what each should do, what each does. A connector's life is a
// small state machine; the invariants:
//   1. at most one task of a connector runs at a time (a new one starts only after the old one has ended)
//   2. the task runs exactly when the wanted state is `running` and no final error stands
//   3. a failure that may pass is tried again by back-off (restarts.ts says which); a final one stays FAILED, reason visible, until restart
//      or update
//   4. configuration and wanted state are durable before a call resolves
// It knows neither threads nor databases: tasks are started, and configurations kept, by what it is given.
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../core/clock.js';
import { AppError, toAppError } from '../core/errors.js';
import type { VerifyRequest } from '../source/verification.js';
import type { SnapshotRequest } from '../source/source-connector.js';
import { validate } from './config-validation.js';
import { infoOf, statusOf } from './connector-answers.js';
import { createRedact, redactError, unmaskSecrets } from './connector-secrets.js';
import type {
  ConnectFacade,
  ConnectorConfig,
  ConnectorInfo,
  ConnectorOffset,
  ConnectorStatus,
  DeleteOptions,
  InitialState,
  VerifySummary,
} from './connect-facade.js';
import type { HerderEnv } from './herder-env.js';
import { holdConnector, type HeldConnector } from './held-connector.js';
import { KnownSources } from './known-source.js';
import { LiveSource } from './live-source.js';
import { offsetsOf, wantedOffset } from './offsets.js';
import { pluginDefinitions } from './plugin-definitions.js';
import { pluginInfos } from './plugin-infos.js';
import { askSnapshot } from './snapshot-requests.js';
import type { StoredConnector } from './stored-connector.js';
import { TaskLoop } from './task-loop.js';
import { runSchedules, type SchedulesEnv } from './schedules.js';
import { Turns } from './turns.js';
import { logVerification, VerifyRuns } from './verify-runs.js';

export class Herder implements ConnectFacade {
  readonly known: KnownSources;
  readonly #env: HerderEnv;
  readonly #live: LiveSource;
  readonly #held = new Map<string, HeldConnector>();
  readonly #turns = new Turns();
  readonly #verifyRuns: VerifyRuns;
  readonly #closing = new AbortController();
  readonly #schedules: SchedulesEnv;

  constructor(env: HerderEnv) {
    this.#env = env;
    const { signal } = this.#closing;
    const closing = env.stopping === undefined ? signal : AbortSignal.any([signal, env.stopping]);
    this.#live = new LiveSource({ ...env, closing });
    this.#verifyRuns = new VerifyRuns({
      nowMs: () => systemClock.nowMs(),
      onEnded: (name, summary) => this.#verified(name, summary),
      redact: (name, error) => redactError(error, this.#held.get(name)?.redact ?? ((text) => text)),
    });
    this.#schedules = {
      nowMs: () => systemClock.nowMs(),
      keep: ({ stored: { name } }, begun) => this.#note(name, (stored) => ({ ...stored, begun })),
      verify: (name, request) => void this.#verifyRuns.begin(name, () => this.#held.get(name)?.task, request),
      logger: env.logger,
    };
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

  create(
    name: string,
    config: ConnectorConfig,
    owner: 'flag' | 'file' | 'api',
    initially: InitialState = 'running',
    offsets?: readonly ConnectorOffset[],
  ): Promise<ConnectorInfo> {
    return this.#turns.take(name, async () => {
      if (this.#held.has(name)) {
        throw new AppError('already-exists', `connector ${name} exists`, { hint: 'update it, or delete it first' });
      }
      const wanted = { name, config, owner };
      await this.#live.check(wanted);
      const identity = await this.known.identify(wanted);
      const stored: StoredConnector = { name, config, wanted: initially, owner, identity };
      // Before the connector is there, so that it never begins elsewhere.
      if (offsets !== undefined) await this.#place(stored, wantedOffset(stored, offsets));
      return this.#put(stored);
    });
  }

  /**
   * For `--source`: makes it, or lets it run again; an unreachable server is tried for ever instead of refused. One that runs as
   * it should is left alone: its task checks the source by itself.
   */
  ensure(name: string, config: ConnectorConfig, owner: 'flag' | 'file', identity?: string): Promise<ConnectorInfo> {
    return this.#turns.take(name, async () => {
      const held = this.#held.get(name);
      const isUnder = held?.loop !== undefined && held.state !== 'FAILED';
      if (isUnder && held.stored.owner === owner && isDeepStrictEqual(held.stored.config, config))
        return infoOf(held.stored);
      let told = identity ?? held?.stored.identity;
      try {
        await this.#live.check({ name, config, owner });
        told ??= await this.known.identify({ name, config, owner });
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
      // Whoever made it: it is theirs who change it.
      const wanted = { name, config: full, owner: 'api' } as const;
      await this.#live.check(wanted);
      if (existing !== undefined && (await this.#env.store.progress(name)).position !== null)
        this.#live.checkChange(wanted, existing.stored.config);
      const identity = existing
        ? await this.known.identityAt(existing.stored, full)
        : await this.known.identify(wanted);
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

  snapshot = (name: string, request: SnapshotRequest) => askSnapshot(name, this.#find(name), request);

  /** Position and tables stay: a connector made again under this name goes on where it was, as in Kafka Connect. */
  delete(name: string, { uninstall = false, topics = false, cascade = false }: DeleteOptions = {}): Promise<void> {
    const keep = topics ? (cascade ? 'nothing' : 'derived') : uninstall ? 'topics' : 'all';
    return this.#turns.take(name, async () => {
      const held = this.#find(name);
      await this.#halt(held);
      try {
        await this.#env.store.remove(name, keep);
      } catch (error) {
        // Refused: it stays as it was.
        if (held.stored.wanted === 'running') this.#start(held);
        throw error;
      }
      if (topics) this.#env.freshness.forget(name);
      else this.#env.freshness.stands(name, { kind: 'deleted' });
      this.#held.delete(name);
      this.#verifyRuns.forget(name);
      // Last, because it cannot be undone.
      if (uninstall) await this.#live.uninstall(held.stored);
    });
  }

  async topics(name: string): Promise<readonly string[]> {
    this.#find(name);
    return (await this.#env.store.progress(name)).topics;
  }

  async offsets(name: string) {
    const { stored } = this.#find(name);
    return offsetsOf(stored, (await this.#env.store.progress(name)).position);
  }

  alterOffsets(name: string, offsets: readonly ConnectorOffset[]): Promise<void> {
    return this.#turns.take(name, async () => {
      const stored = this.#stopped(name);
      await this.#place(stored, wantedOffset(stored, offsets));
    });
  }

  resetOffsets(name: string, { topics = false }: Pick<DeleteOptions, 'topics'> = {}): Promise<void> {
    return this.#turns.take(name, async () => {
      const stored = this.#stopped(name);
      if (!topics) return this.#place(stored, null);
      await this.#env.store.remove(name, 'derived');
      this.#env.freshness.forget(name);
      await this.#env.store.put(stored);
      this.#hold(stored);
    });
  }

  #stopped(name: string): StoredConnector {
    const { stored } = this.#find(name);
    if (stored.wanted === 'stopped') return stored;
    throw new AppError('bad-request', `connector ${name} is not stopped`, { hint: 'stop it first: PUT .../stop' });
  }

  async #place(stored: StoredConnector, offset: ConnectorOffset['offset']): Promise<void> {
    const { name } = stored;
    const { position: current } = await this.#env.store.progress(name);
    const position = await this.#live.place(stored, { offset, current });
    if (position === current) return;
    this.#env.logger.info('the position of a connector is set', { connector: name, from: current, to: position });
    await this.#env.store.setPosition(name, position);
  }

  pluginConfig = pluginDefinitions;

  plugins(all = false) {
    return pluginInfos(this.#env.version, all);
  }

  validate(pluginClass: string, config: ConnectorConfig) {
    return validate(pluginClass, config, {
      resolve: (part) => this.#env.resolveReferences(part, 'api'),
      problems: (inspection) => this.#live.problems(inspection),
    });
  }

  async diagnose(name: string) {
    const { stored } = this.#find(name);
    const { position } = await this.#env.store.progress(name);
    const lagMs = this.#env.freshness.ofConnector(name)?.lagMs;
    return this.#live.diagnose(stored, position === null ? undefined : { position, lagMs });
  }

  async verify(name: string, request: VerifyRequest) {
    const held = this.#find(name);
    return this.#verifyRuns.begin(name, () => held.task, request);
  }

  async verification(name: string) {
    this.#find(name);
    return this.#verifyRuns.of(name);
  }

  /** Of schedules and verifications nothing is lost by another configuration. */
  #kept(stored: StoredConnector): StoredConnector {
    const { begun, verified } = this.#held.get(stored.name)?.stored ?? {};
    return { ...stored, ...(begun && { begun }), ...(verified && { verified }) };
  }

  #verified(name: string, summary: VerifySummary): void {
    logVerification(this.#env.logger, name, summary);
    this.#env.onVerified(name, summary);
    void this.#note(name, (stored) => ({ ...stored, verified: summary }));
  }

  /** Keeps something about a connector beside what was asked of it, in its turn. */
  async #note(name: string, change: (stored: StoredConnector) => StoredConnector): Promise<void> {
    await this.#turns
      .take(name, async () => {
        const held = this.#held.get(name);
        if (held === undefined || this.closing.aborted) return;
        const changed = change(held.stored);
        if (!isDeepStrictEqual(changed, held.stored)) await this.#keep(held, changed);
      })
      .catch((error: unknown) => {
        this.#env.logger.warn('what is known of a connector was not kept', {
          connector: name,
          error: toAppError(error).message,
        });
      });
  }

  async #put(given: StoredConnector): Promise<ConnectorInfo> {
    const stored = this.#kept(given);
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
      if (wanted === 'running' && held.loop !== undefined && held.state !== 'FAILED') return;
      await this.#halt(held);
      if (wanted === 'running') return this.#start(held);
      this.#env.freshness.stands(name, { kind: wanted });
      held.state = wanted === 'paused' ? 'PAUSED' : 'STOPPED';
      held.error = undefined;
    });
  }

  #hold(stored: StoredConnector): HeldConnector {
    const resolve = (part: ConnectorConfig) => this.#env.resolveReferences(part, stored.owner);
    const held = holdConnector(stored, createRedact(stored.config, resolve));
    this.#held.set(stored.name, held);
    this.#env.freshness.stands(stored.name, { kind: stored.wanted === 'running' ? 'followed' : stored.wanted });
    return held;
  }

  #start(held: HeldConnector): void {
    // A call that was under way when the service began to stop: what it wanted is stored, and runs from the next start.
    if (this.closing.aborted) return;
    held.stopping = new AbortController();
    const { signal } = held.stopping;
    const loop = new TaskLoop({ ...this.#env, reached: (...of) => this.#learn(...of) }, held, signal);
    held.loop = loop.run().finally(() => {
      held.loop = undefined;
    });
    // Not waited for by who ends it, whose turn it may be waiting for itself.
    void runSchedules(this.#schedules, held, signal);
  }

  async #learn(held: HeldConnector, signal: AbortSignal): Promise<void> {
    const { name } = held.stored;
    const identity = await this.known.learn(held.stored, signal);
    if (identity === undefined || signal.aborted) return;
    await this.#note(name, (stored) => (signal.aborted ? stored : { ...stored, identity }));
  }

  async #keep(held: HeldConnector, stored: StoredConnector): Promise<void> {
    await this.#env.store.put(stored);
    held.stored = stored;
  }

  async #halt(held: HeldConnector): Promise<void> {
    held.stopping.abort();
    await held.task?.stop();
    await held.loop;
    held.task = undefined;
  }

  #find(name: string): HeldConnector {
    const held = this.#held.get(name);
    if (!held)
      throw new AppError('unknown-connector', `no connector ${name}`, {
        hint: `there are: ${[...this.#held.keys()].join(', ') || 'none'}`,
      });
    return held;
  }
}
