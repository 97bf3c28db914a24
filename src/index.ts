// The public API for embedding: the same service inside a Node program.
import { startApp, type App } from './app.js';
import { loadConfig, type ConfigInput } from './config.js';
import { AppError } from './core/errors.js';
import type { LogTarget } from './core/logger.js';
import type { ChangeItem, Freshness, ReadRequest, SubscribeOptions } from './query/query-facade.js';
import { toEntity, type StatementEntity } from './server/ksql-entities.js';

export interface JsonAnswer extends Freshness {
  readonly json: string;
}

export interface WritethroughOptions extends ConfigInput {
  /** Receives log lines; silent by default. */
  readonly onLog?: LogTarget | undefined;
  /**
   * Called once when the service cannot go on: its disk is full or reports an error, or its engine has died. From then on every call
   * throws or rejects with this reason, and so do subscriptions; what was confirmed is safe. `stop()`, and `start()` to try again.
   */
  readonly onFailed?: ((reason: AppError) => void) | undefined;
}

export interface Writethrough {
  /** Resolves when requests are answered; a first snapshot may still run. Rejects with an AppError, such as `data-folder-in-use`. */
  start(): Promise<void>;
  /** Stops in order; idempotent. */
  stop(): Promise<void>;
  /** Address of the HTTP API, once started. */
  readonly url: string;
  /** Why the service could not go on; undefined while it can. */
  readonly failure: AppError | undefined;
  /**
   * Resolves when the table is there and its first snapshot is complete. Rejects with `unknown-table` or `snapshotting` when that
   * takes longer than `timeoutMs` (a minute by default).
   */
  whenReadable(table: string, timeoutMs?: number): Promise<void>;
  /** Several reads of one consistent cut: `{"results":[{"rows":[...]}]}` as JSON text, with its version. */
  read(reads: readonly ReadRequest[]): Promise<JsonAnswer>;
  /** One row by its key text (composite keys comma-separated, percent-encoded), or null. */
  pull(table: string, key: string): unknown;
  /** Changes of a table in order, in batches; see the HTTP API's `/v1/tables/{table}/changes`. */
  subscribe(options: SubscribeOptions): AsyncIterable<readonly ChangeItem[]>;
  /** Runs ksqlDB statements. */
  execute(sql: string): Promise<readonly StatementEntity[]>;
}

/** Options as in the configuration file, under their dotted names: `createWritethrough({ source: 'sqlite:app.db', port: 0 })`. */
export function createWritethrough(options: WritethroughOptions = {}): Writethrough {
  const { onLog, onFailed, ...flags } = options;
  let starting: Promise<App> | undefined;
  let app: App | undefined;
  let stopping = new AbortController();
  const running = (): App => {
    if (!app) throw new AppError('not-ready', 'writethrough is not started', { hint: 'await start() first' });
    app.failure.check();
    return app;
  };
  return {
    async start() {
      const { signal } = stopping;
      starting ??= loadConfig({ flags, env: {}, file: undefined }).then((config) =>
        startApp({ config, log: onLog ?? (() => {}), signal }),
      );
      try {
        const started = await starting;
        if (app === started) return;
        app = started;
        if (onFailed) started.failure.onFailed(onFailed);
      } catch (error) {
        starting = undefined; // it may be tried again
        throw error;
      }
    },
    async stop() {
      stopping.abort();
      stopping = new AbortController();
      // A start that has failed has closed what it had opened, and its caller knows.
      const started = await starting?.catch(() => undefined);
      starting = undefined;
      app = undefined;
      await started?.stop();
    },
    get url() {
      return running().url;
    },
    get failure() {
      return app?.failure.error;
    },
    whenReadable: async (table, timeoutMs = 60_000) => running().whenReadable(table, timeoutMs),
    async read(reads) {
      const { pages, etag: _etag, ...freshness } = await running().query.read(reads, {});
      return { json: pages.take().toString(), ...freshness };
    },
    pull(table, key) {
      const { json } = running().query.point(table, key, 'strings');
      return json === null ? null : JSON.parse(json);
    },
    subscribe: (subscription) => running().query.subscribe(subscription),
    execute: async (sql) => (await running().engine.execute({ sql, owner: 'api' })).map(toEntity),
  };
}

export { AppError };
export type { ChangeItem, ConfigInput, ReadRequest, StatementEntity, SubscribeOptions };
