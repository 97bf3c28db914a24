// The source connector for MySQL and MariaDB: the port over the runs. A run ends when the connection does; here is decided
// whether another one follows (the trouble passes: with back-off, for ever) or the task ends with the reason.
import { createBackoff, isAbort } from '../../core/backoff.js';
import { toAppError, type AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Chunk } from '../../core/append.js';
import type {
  KnownSource,
  Recognition,
  SourceConfig,
  SourceConnector,
  SourceContext,
  SourceFactory,
  SourceFinding,
} from '../source-connector.js';
import { CaptureRun, type Resume } from './capture-run.js';
import { CapturedTables } from './captured-tables.js';
import { inspect } from './checks.js';
import { parseConfig, type MysqlConfig } from './config.js';
import { Session } from './connection.js';
import { TableFilter } from './filters.js';
import { recognise } from './identity.js';
import { parsePosition } from './position.js';
import { askServer, type Server } from './server.js';

export const createMysqlSource: SourceFactory = (config: SourceConfig, logger: Logger): SourceConnector =>
  new MysqlSource(parseConfig(config), logger);

class MysqlSource implements SourceConnector {
  readonly #config: MysqlConfig;
  readonly #logger: Logger;
  readonly #filter: TableFilter;
  #run: CaptureRun | undefined;
  readonly #closing = new AbortController();

  constructor(config: MysqlConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#filter = new TableFilter(config);
  }

  recognise(known: KnownSource): Promise<Recognition> {
    return this.#ask((session, server) => recognise(session, server, known));
  }

  validate(): Promise<readonly SourceFinding[]> {
    return this.#ask(async (session, server) => (await inspect(session, server, this.#config, this.#filter)).findings);
  }

  async #ask<T>(question: (session: Session, server: Server) => Promise<T>): Promise<T> {
    const { signal } = this.#closing;
    const session = await Session.open(this.#config, signal);
    const onAbort = () => session.close();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await question(session, await askServer(session));
    } finally {
      signal.removeEventListener('abort', onAbort);
      session.close();
    }
  }

  async *chunks(position: string | null, context: SourceContext): AsyncGenerator<Chunk, void, undefined> {
    const { signal } = context;
    const backoff = createBackoff({ initialMs: 200, maxMs: 30_000 });
    const captured = new CapturedTables(this.#filter, (table) => context.openTable(table), this.#logger);
    let from = resumeAt(position);
    while (!signal.aborted) {
      const run: CaptureRun = new CaptureRun({
        config: this.#config,
        context,
        captured,
        from,
        logger: this.#logger,
        onConnected: () => {
          if (backoff.attempt > 0) this.#logger.info('the source is connected again');
          backoff.reset();
        },
      });
      this.#run = run;
      let trouble: AppError | undefined;
      try {
        yield* run.chunks();
        return;
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        trouble = toAppError(error);
        if (!trouble.retriable && !this.#readsAnew(trouble, run.resume)) throw trouble;
      } finally {
        this.#run = undefined;
        await run.close();
      }
      if (!trouble.retriable) {
        this.#logger.warn('the position is lost: reading the tables anew', { reason: trouble.message });
        from = resumeAt(null);
        continue;
      }
      from = run.resume;
      if (backoff.attempt === 0) this.#logger.warn('the source is lost, trying again', { reason: trouble.message });
      context.reportState({ phase: 'waiting', reason: `${trouble.message} (attempt ${backoff.attempt + 1})` });
      try {
        await backoff.wait(signal);
      } catch (error) {
        if (isAbort(error) || signal.aborted) return;
        throw error;
      }
    }
  }

  /** A lost position is made good by a new snapshot when that is asked for, and no append is half handed over. */
  #readsAnew(trouble: AppError, { stream, halfSent }: Resume): boolean {
    return (
      trouble.code === 'source-position-lost' &&
      this.#config.snapshotMode === 'when_needed' &&
      stream !== undefined &&
      halfSent === undefined
    );
  }

  /** The binlog is kept by the server's own retention, so nothing is to be done here. */
  confirmed(_position: string): void {}

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#run?.close();
  }
}

function resumeAt(position: string | null): Resume {
  if (position === null) return { stream: undefined, cursor: undefined, halfSent: undefined };
  const { stream, snapshot } = parsePosition(position);
  return { stream, cursor: snapshot, halfSent: undefined };
}
