// The composition root: puts the threads, the pumps and the HTTP server together and starts and stops them in order. Start: lock the
// data folder, listen (503), engine, reads, connectors as they are stored; from then on requests are answered, and the process is
// ready when the source and the query files that it was given are there. Stop: not ready, connectors (each at a whole append), server
// streams with a hint to come back, engine between two commits, lock. A second life goes on where this one was.
import { mkdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commitsRetentionMs, shownConfig, topicRetention, type Config } from './config.js';
import type { ConnectFacade } from './connect/connect-facade.js';
import { FollowedConnectors } from './connect/followed-connectors.js';
import { connectorOfUrl } from './connect/source-url.js';
import { SourceFollower } from './connect/source-follower.js';
import { SourceFreshness } from './connect/source-freshness.js';
import { AnswerBudget } from './core/answer-budget.js';
import { systemClock } from './core/clock.js';
import { untilAborted } from './core/backoff.js';
import { AppError, toAppError } from './core/errors.js';
import { createLogger, type LogFields, type LogLevel, type LogTarget } from './core/logger.js';
import { createMetrics } from './core/metrics.js';
import { hideInFields, hideSecrets, keepSecrets, maskText } from './core/secrets.js';
import type { RegistryFacade } from './registry/registry-facade.js';
import { QueryService } from './query/query-service.js';
import { EngineLife } from './process/engine-life.js';
import { connectionsFor, fileLimit } from './process/file-limit.js';
import { serviceInUse, takeSeat } from './process/seat.js';
import { ServiceLives } from './process/service-lives.js';
import { connectorStore, openHerder } from './process/open-herder.js';
import { applyQueryFiles, readQueryFiles } from './process/query-files.js';
import { ReadableTables } from './query/readable.js';
import { Reconnects } from './connect/reconnects.js';
import { createServer } from './server/server.js';
import { readerOfLiving, ServiceFailure } from './process/service-failure.js';
import { sourcePositions } from './process/source-positions.js';
import { LeaderFacts } from './process/leader-facts.js';
import { LogLevels } from './process/log-levels.js';
import { StatusService } from './process/status-service.js';
import { lockFolder } from './sqlite/lock.js';
import type { Frontier, StateReader } from './store/state-store.js';
import { openStateReader } from './store/sqlite/state-reader.js';
import { tapOf } from './process/tap.js';
import { topicSettingsOf } from './process/topic-settings.js';
import { CheckpointerThread } from './threads/checkpointer-thread.js';
import type { EngineApi, StreamOptions } from './engine/engine-api.js';
import { startEngineThread } from './threads/engine-thread.js';
import { ReaderPool } from './threads/reader-pool.js';
import type { Remote } from './threads/rpc.js';
import { version } from './process/version.js';

export interface App {
  readonly url: string;
  readonly query: QueryService;
  readonly engine: Remote<EngineApi>;
  readonly connectors: ConnectFacade;
  /** What happened when the service cannot go on; `stop` is then still to be called. */
  readonly failure: ServiceFailure;
  /** Resolves when the table is there and its first snapshot is complete. */
  whenReadable(table: string, timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}

export interface AppOptions {
  readonly config: Config;
  readonly log: LogTarget;
  /** Called once when lock and port are ours, before anything is made in the data folder. */
  readonly prepare?: (() => void) | undefined;
  /** Stops it while it starts, also while it waits for a source or for brokers. */
  readonly signal?: AbortSignal | undefined;
}

/** A version that another process has, and this one not yet, is waited for so long. */
const aheadWaitMs = 10_000;

export async function startApp({ config, log, prepare, signal }: AppOptions): Promise<App> {
  keepSecrets([config.source, config.stream]);
  const levels = new LogLevels(hidingTarget(log), { root: config['log.level'] as LogLevel, clock: systemClock });
  const logger = createLogger(levels.target);
  const failure = new ServiceFailure(logger);
  const metrics = createMetrics();
  metrics.gauge('writethrough_build_info', 1, { version });
  const files = config.queries === undefined ? [] : readQueryFiles(config.queries);
  const source = config.source === undefined ? undefined : connectorOfUrl(config.source);
  const stream = streamOptions(config.stream);
  const dataFolder = openDataFolder(config.data);
  const lock = lockFolder(dataFolder);
  const closers: (() => Promise<void> | void)[] = [() => lock.release()];
  const close = stopper(closers);
  const stopping = new AbortController();
  const stop = () => {
    stopping.abort();
    return close();
  };
  const onSignal = () => stopping.abort();
  signal?.addEventListener('abort', onSignal, { once: true });
  if (signal?.aborted === true) onSignal();
  try {
    const answers = new AnswerBudget(config['http.answers-bytes-max']);
    const server = createServer({
      logger,
      metrics,
      answers,
      options: {
        host: config.host,
        port: config.port,
        bodyBytesMax: config['http.body-bytes-max'],
        connectionsMax: config['http.connections-max'] || connectionsFor(fileLimit()),
        subscribersMax: config['http.subscribers-max'],
        // Followers ask for it by the name that it told them.
        allowedHosts: [...config['http.allowed-hosts'], ...advertisedName(config)],
        allowedOrigins: config['http.allowed-origins'],
        allowUnauthenticated: config['allow-unauthenticated'],
      },
    });
    const { url } = await server.listen();
    closers.push(() => server.close());
    prepare?.();

    const path = join(dataFolder, 'writethrough.db');
    const seat = await takeSeat({
      stream,
      follow: config.follow,
      serviceId: config['service.id'],
      dataFolder,
      url: advertisedUrl(config, url),
      logger,
      onChange: (leadership) => {
        if (config.follow === 'never' && leadership.role === 'follower')
          failure.fail(serviceInUse(config['service.id'], leadership.leader));
        else lives.follow();
      },
      onFailed: (error) => failure.fail(error),
      signal: stopping.signal,
    });
    // After the engine has ended: until then nobody else need try.
    closers.push(() => seat.leave());
    let committed: (seq: number, commitTimeUs: number) => void = () => {};
    const freshness = new SourceFreshness({
      clock: systemClock,
      frontier: () => frontierOf(reader),
      keep: (moment) => {
        lives.engine.keepMoment(moment).catch((error: unknown) => {
          logger.debug('a moment is not kept', { connector: moment.connector, error: toAppError(error).message });
        });
      },
    });
    const stillLeads = async () => {
      await seat.check();
      return seat.leadership.role === 'leader';
    };
    const reconnects = new Reconnects(metrics);
    const herderParts = { stream, freshness, stillLeads, reconnects, stopping: stopping.signal, metrics, log };
    let follower: SourceFollower | undefined;
    const lives: ServiceLives = new ServiceLives({
      role: () => seat.leadership.role,
      check: () => seat.check(),
      onFailed: (error) => failure.fail(error),
      logger,
      async begin(role, onFailed) {
        const engine = await startEngineThread(
          {
            dataFolder,
            durability: config.durability,
            serviceId: config['service.id'],
            strict: config['sql.strict'],
            failsOnTimestamp: config['sql.timestamp.throw-on-invalid'],
            stream,
            role,
            topicRetention: topicRetention(config),
            commitsRetentionMs: commitsRetentionMs(config),
            feed: { ms: config['feed.retention.ms'], bytes: config['feed.retention.bytes'] },
            compactionBytes: config['topic.compaction.bytes'],
            properties: shownConfig(config),
          },
          {
            log,
            failed: onFailed,
            committed: (seq, commitTimeUs) => committed(seq, commitTimeUs),
            tableSources: (tables) => freshness.tables(tables),
          },
          stopping.signal,
        );
        const leader = () => seat.leadership.leader ?? 'unknown';
        return new EngineLife(role, engine, {
          herder: () => openHerder(config, engine, herderParts),
          followed: (refusal) =>
            new FollowedConnectors({ store: connectorStore(engine), workerId: leader, version, freshness, refusal }),
        });
      },
      async work(life) {
        await life.work(async (connectors) => {
          follower = new SourceFollower(connectors, freshness, logger);
          if (source !== undefined) await follower.follow(source);
          await applyQueryFiles(files, life.engine);
        });
      },
    });
    const first = await lives.begin();
    closers.push(() => lives.close());

    const reader = openStateReader(path);
    closers.push(() => reader.close());
    const resultBytesMax = Math.min(config['read.bytes-max'], answers.bytesMax);
    const limits = { resultBytesMax, deadlineMs: config['read.deadline-ms'] };
    const pool = new ReaderPool({ data: { path, limits }, answers, size: config['read.threads'], logger });
    closers.push(() => pool.close());
    const checkpointer = new CheckpointerThread({ path, onFailed: (error) => failure.fail(error), logger });
    closers.push(() => checkpointer.close());
    freshness.restore(await lives.engine.moments());
    closers.push(() => freshness.close());
    const leaderFacts = new LeaderFacts({ freshness, leadership: () => seat.leadership, clock: systemClock, logger });
    closers.push(() => leaderFacts.close());
    const query = new QueryService({
      reader: readerOfLiving(reader, failure),
      runTask: async (task) => {
        failure.check();
        return pool.run(task);
      },
      ages: freshness,
      aheadWaitMs: stream.kind === 'kafka' ? aheadWaitMs : 0,
      positions: sourcePositions,
      strict: config['sql.strict'],
      logger,
    });
    const readable = new ReadableTables(query);
    committed = (seq) => {
      query.committed(seq);
      readable.changed();
      checkpointer.committed();
    };

    failure.onFailed((error) => {
      query.fail(error);
      readable.changed();
    });

    closers.push(() => lives.rest());
    const { engine, connectors } = lives;
    const status = new StatusService({
      failure,
      undecided: () => follower?.undecided,
      engine,
      connectors,
      query,
      path,
      logId: first.logId,
      leadership: () => seat.leadership,
      serviceId: config['service.id'],
      freshness,
      readyLagMs: config['ready.lag-ms'],
      readyStanding: config['ready.standing'],
    });
    closers.push(() => status.close());
    server.attach({
      query,
      statements: {
        execute: (r) => engine.execute(r),
        run: (r) => engine.run(r),
        rebuild: (t) => engine.rebuild(t),
        rebuilds: () => engine.rebuilds(),
        queries: () => engine.queries(),
      },
      connect: connectors,
      registry: registryOf(engine),
      tap: tapOf(engine),
      topics: topicSettingsOf(engine, topicRetention(config)),
      status,
      loggers: levels,
    });
    // First of all when it stops: whoever asks until then finds everything there, and afterwards a closed door.
    closers.push(() => server.close());
    await untilAborted(stopping.signal, lives.work());
    status.started();
    const { role, leader } = seat.leadership;
    logger.info('writethrough runs', { url, data: dataFolder, stream: stream.kind, role, leader, version });
    return {
      url,
      query,
      engine,
      connectors,
      failure,
      whenReadable: (table, timeoutMs) => readable.wait(table, timeoutMs),
      stop,
    };
  } catch (error) {
    const isStopped = stopping.signal.aborted;
    await stop();
    throw isStopped ? new AppError('not-ready', 'it was stopped while it started', { cause: error }) : error;
  } finally {
    signal?.removeEventListener('abort', onSignal);
  }
}

/** What this process was started with stays out of every line. */
function hidingTarget(log: LogTarget): LogTarget {
  return (level, message, fields) => log(level, hideSecrets(message), hideInFields(fields) as LogFields);
}

/** Closes in the reverse order of opening, once. What cannot be closed in order keeps nothing else from being closed. */
function stopper(closers: (() => Promise<void> | void)[]): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stopped ??= (async () => {
      const errors: unknown[] = [];
      for (const close of closers.toReversed()) {
        try {
          await close();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw toAppError(errors[0]);
    })();
    return stopped;
  };
}

/** Its absolute path; made when it is not there. */
export function openDataFolder(folder: string): string {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (!statSync(path).isDirectory()) throw new Error('it is not a folder');
  } catch (cause) {
    throw new AppError(
      'data-folder-unusable',
      `cannot use ${path} as data folder: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  return path;
}

function streamOptions(text: string): StreamOptions {
  if (text === 'embedded') return { kind: 'embedded' };
  if (text.startsWith('kafka://')) return { kind: 'kafka', url: text };
  throw new AppError('bad-config', `stream: "${maskText(text)}" is neither "embedded" nor a kafka:// URL`, {
    hint: 'kafka://broker:9092,broker2:9092',
  });
}

function advertisedName(config: Config): readonly string[] {
  const url = config['advertised.url'];
  if (url !== undefined && !URL.canParse(url))
    throw new AppError('bad-config', `advertised.url: "${maskText(url)}" is not a URL`, { hint: 'http://host:8088' });
  if (url !== undefined && new URL(url).password !== '')
    throw new AppError('bad-config', 'advertised.url has a password in it, and is told to everybody', {
      hint: 'give the address alone',
    });
  if (url !== undefined) return [new URL(url).hostname];
  return isWildcard(config.host) ? [hostname()] : [];
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** Where the others reach this process: an address that stands for all of them is none to be sent to. */
function advertisedUrl(config: Config, url: string): string {
  if (config['advertised.url'] !== undefined) return config['advertised.url'].replace(/\/$/, '');
  const { port } = new URL(url);
  return isWildcard(config.host) ? `http://${hostname()}:${port}` : url;
}

function frontierOf(reader: StateReader): Frontier {
  const session = reader.session();
  session.close();
  return session.frontier;
}

function registryOf(engine: Remote<EngineApi>): RegistryFacade {
  return new Proxy({} as RegistryFacade, {
    get: (_target, method) =>
      typeof method === 'string'
        ? (...args: unknown[]) => engine.registry(method as keyof RegistryFacade, args)
        : undefined,
  });
}

/** The shipped queries, for the demo. */
export function shippedQueries(): string {
  return join(dirname(dirname(fileURLToPath(import.meta.url))), 'queries');
}
