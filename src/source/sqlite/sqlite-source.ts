// The connector for a SQLite file that another program writes: triggers record every change of the captured tables into a change
// table, in the application's own transaction, and we read them from there. Promised: every committed change of a captured
// table is handed over, in the order of the writers, with the file's own exact values; the application's statements never
// fail because of what we installed. Not seen: what bypasses triggers (incremental BLOB writes, `writable_schema`, triggers
// switched off by SQLITE_DBCONFIG_ENABLE_TRIGGER, an AFTER trigger of the application that ends by RAISE(IGNORE)).
import type { Logger } from '../../core/logger.js';
import type { Chunk } from '../../core/append.js';
import type {
  KnownSource,
  Recognition,
  SourceConfig,
  SourceConnector,
  SourceContext,
  SnapshotRequest,
  SourceFinding,
  WantedPosition,
} from '../source-connector.js';
import type { VerifyReport, VerifyRequest } from '../verification.js';
import { AskedTables } from './asked-tables.js';
import { CaptureRun } from './capture-run.js';
import { parseConfig, type SqliteSourceConfig } from './config.js';
import { uninstall } from './install.js';
import { parsePosition, type SqlitePosition } from './position.js';
import { onlyAsItIs } from '../kept-position.js';
import { retrying } from './retrying.js';
import { openSession, sourceError, type FileSession } from './session.js';
import { captureOf, validateFile } from './validate.js';
import { notConnected } from './verifications.js';

export function createSqliteSource(config: SourceConfig, logger: Logger): SourceConnector {
  return new SqliteSource(parseConfig(config), logger);
}

class SqliteSource implements SourceConnector {
  readonly #config: SqliteSourceConfig;
  readonly #logger: Logger;
  #session: FileSession | null = null;
  #run: CaptureRun | undefined;
  #confirmed: SqlitePosition | null = null;
  readonly #asked = new AskedTables();

  constructor(config: SqliteSourceConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** The capture that lies in the file: it moves with the file, and a copy of it goes on like the file itself. */
  async recognise({ position }: KnownSource): Promise<Recognition> {
    try {
      const { id, keepsName } = captureOf(this.#config);
      if (position === null) return { identity: id, same: false };
      return { identity: id, same: id === parsePosition(position).capture && keepsName };
    } catch (error) {
      throw sourceError(error, this.#config.file);
    }
  }

  /** Its changes lie in the file as long as they are not read: there is no other place than the one that was reached. */
  async place({ offset, current }: WantedPosition): Promise<string | null> {
    return onlyAsItIs(
      { offset, current },
      null,
      'an SQLite file holds the changes that were not read yet, and no others',
    );
  }

  async validate(): Promise<readonly SourceFinding[]> {
    try {
      return validateFile(this.#config);
    } catch (error) {
      throw sourceError(error, this.#config.file);
    }
  }

  async *chunks(positionText: string | null, context: SourceContext): AsyncGenerator<Chunk> {
    const { file } = this.#config;
    let position = positionText === null ? null : parsePosition(positionText);
    for (;;) {
      context.reportState({ phase: 'connecting' });
      const session = await retrying(context, this.#config, () => openSession(this.#config));
      this.#session = session;
      const run: CaptureRun = new CaptureRun(session, this.#config, context, {
        confirmed: () => this.#confirmedSequence(run.position),
        asked: this.#asked,
      });
      this.#run = run;
      try {
        const replaced = yield* run.chunks(position);
        if (!replaced) return;
        this.#logger.warn('another file lies under the path now', { file });
        position = run.position;
      } catch (error) {
        throw sourceError(error, file);
      } finally {
        this.#run = undefined;
        this.#closeSession();
      }
    }
  }

  async verify(request: VerifyRequest, report: (so: VerifyReport) => void): Promise<VerifyReport> {
    if (!this.#run) throw notConnected();
    return this.#run.verifications.verify(request, report);
  }

  confirmed(position: string): void {
    this.#confirmed = parsePosition(position);
  }

  snapshot(request: SnapshotRequest): Promise<readonly string[]> {
    return this.#asked.ask(request);
  }

  async close(): Promise<void> {
    this.#asked.close();
    this.#closeSession();
  }

  async uninstall(): Promise<void> {
    let session: FileSession | null = null;
    try {
      session = openSession(this.#config);
      uninstall(session.writer, this.#config.prefix);
    } catch (error) {
      throw sourceError(error, this.#config.file);
    } finally {
      session?.close();
    }
  }

  #confirmedSequence(current: SqlitePosition): number {
    return this.#confirmed?.capture === current.capture ? this.#confirmed.sequence : 0;
  }

  #closeSession(): void {
    this.#session?.close();
    this.#session = null;
  }
}
