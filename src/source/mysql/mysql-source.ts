// The source connector for MySQL and MariaDB: the port over the runs. A run ends when the connection does; here is decided
// whether another one follows (the trouble passes: with back-off) or the task ends with the reason.
import { isAbort } from '../../core/backoff.js';
import { AppError, toAppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { Chunk } from '../../core/append.js';
import { Retries } from '../../core/retries.js';
import type {
  KnownSource,
  ReadSoFar,
  Recognition,
  SnapshotRequest,
  SourceConfig,
  SourceConnector,
  SourceContext,
  SourceFactory,
  SourceFinding,
  WantedPosition,
} from '../source-connector.js';
import type { VerifyReport, VerifyRequest } from '../verification.js';
import { AskedSnapshots } from './asked-snapshots.js';
import { CaptureRun } from './capture-run.js';
import { CapturedTables } from './captured-tables.js';
import { Cascades } from './cascades.js';
import { ColumnKnowledge } from './column-knowledge.js';
import { parseConfig, type MysqlConfig } from './config.js';
import { Session } from './connection.js';
import { TableFilter } from './filters.js';
import { examine } from './examination.js';
import { recognise } from './identity.js';
import { parsePosition } from './position.js';
import { withoutReturn } from './prepared.js';
import type { Resume } from './resume.js';
import { askServer, type Server } from './server.js';
import { wantedPosition } from './set-position.js';
import { notConnected } from './verifications.js';
import { triedAgain } from '../try-again.js';

export const createMysqlSource: SourceFactory = (config: SourceConfig, logger: Logger): SourceConnector =>
  new MysqlSource(parseConfig(config), logger);

class MysqlSource implements SourceConnector {
  readonly #config: MysqlConfig;
  readonly #logger: Logger;
  readonly #filter: TableFilter;
  #run: CaptureRun | undefined;
  #cascades: Cascades | undefined;
  readonly #closing = new AbortController();
  readonly #asked = new AskedSnapshots();

  constructor(config: MysqlConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    this.#filter = new TableFilter(config);
  }

  recognise(known: KnownSource): Promise<Recognition> {
    return this.#ask((session, server) => recognise(session, server, known));
  }

  validate(read?: ReadSoFar): Promise<readonly SourceFinding[]> {
    return this.#ask((session, server) => examine(session, server, this.#config, this.#filter, read));
  }

  async place({ offset, current }: WantedPosition): Promise<string | null> {
    if (offset === null) return null;
    return this.#ask((session, server) => wantedPosition(session, server, { offset, current }));
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

  snapshot(request: SnapshotRequest): Promise<readonly string[]> {
    return this.#asked.ask(request);
  }

  async *chunks(position: string | null, context: SourceContext): AsyncGenerator<Chunk, void, undefined> {
    const { signal } = context;
    const retries = new Retries(this.#config.retries);
    const captured = new CapturedTables(
      this.#filter,
      (table, options) => context.openTable(table, options),
      this.#logger,
    );
    const columns = new ColumnKnowledge(this.#config.modes, this.#filter, (name) => captured.known.fold(name));
    const cascades = (this.#cascades = new Cascades({ captured, context, logger: this.#logger }));
    let from = resumeAt(position);
    while (!signal.aborted) {
      const run: CaptureRun = new CaptureRun({
        config: this.#config,
        context,
        captured,
        cascades,
        columns,
        from,
        asked: this.#asked,
        logger: this.#logger,
        onConnected: () => {
          if (retries.attempt > 0) this.#logger.info('the source is connected again');
          retries.reset();
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
        if (!trouble.retriable && !withoutPrepared(trouble, from)) {
          if (!this.#readsAnew(trouble, run.resume)) throw trouble;
          // What is half handed over goes with the task, and the next one begins behind the last whole append.
          if (run.resume.halfSent)
            throw new AppError(trouble.code, trouble.message, { retriable: true, cause: trouble });
        }
      } finally {
        this.#run = undefined;
        await run.close();
      }
      const forgetful = withoutPrepared(trouble, from);
      if (forgetful) {
        this.#logger.warn(
          'rows of prepared XA transactions are lost: their tables are read again when they are committed',
          {
            reason: trouble.message,
          },
        );
        from = forgetful;
        continue;
      }
      if (!trouble.retriable) {
        this.#logger.warn('the source cannot go on at our position: reading the tables anew', {
          reason: trouble.message,
        });
        from = { ...resumeAt(null), stopped: run.resume.stopped };
        continue;
      }
      from = this.#goOn(run.resume, context, trouble);
      if (!(await triedAgain(retries, trouble, context))) return;
    }
  }

  /** An append whose rows cannot be counted begins anew: of what is not handed over yet here, else the whole task behind its position. */
  #goOn(resume: Resume, { chunks }: SourceContext, trouble: AppError): Resume {
    const { halfSent } = resume;
    if (halfSent?.uncounted !== true) return resume;
    if (halfSent.taken) throw trouble;
    chunks.discardOpenAppend();
    return { ...resume, halfSent: undefined };
  }

  /**
   * A position that the source cannot go on at, because it has purged what follows or lost what lies before, is made good by a new snapshot
   * when that is asked for.
   */
  #readsAnew(trouble: AppError, { stream }: Resume): boolean {
    return (
      (trouble.code === 'source-position-lost' || trouble.code === 'source-rewound') &&
      this.#config.snapshotMode === 'when_needed' &&
      stream !== undefined
    );
  }

  async verify(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport> {
    if (!this.#run) throw notConnected();
    return this.#run.verifications.verify(request, report);
  }

  /** The binlog is kept by the server's own retention, so nothing is to be done here. */
  confirmed(_position: string): void {}

  async close(): Promise<void> {
    this.#closing.abort();
    this.#asked.close();
    await this.#run?.close();
    this.#cascades?.close();
  }
}

/** Without the transactions that are prepared, whose rows lie further back, the position may still be good. */
function withoutPrepared(trouble: AppError, from: Resume): Resume | undefined {
  if (trouble.code !== 'source-position-lost' || from.prepared.every((each) => each.from === null)) return undefined;
  return { ...from, prepared: withoutReturn(from.prepared) };
}

function resumeAt(position: string | null): Resume {
  if (position === null)
    return {
      stream: undefined,
      cursor: undefined,
      prepared: [],
      halfSent: undefined,
      stopped: [],
      altered: [],
      moved: false,
    };
  const { stream, snapshot, prepared = [], stopped = [], altered = [], moved = false } = parsePosition(position);
  return { stream, cursor: snapshot, prepared, halfSent: undefined, stopped, altered, moved };
}
