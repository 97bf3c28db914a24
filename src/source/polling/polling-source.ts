// The connector that asks tables again and again, as the JDBC source of Confluent does: for tables whose changes cannot be captured (no
// binlog, no right to write triggers). Promised: every row that its mode can find is handed over once or more, in the order of its
// mode, with the exact values of the database. Not seen: deletes, and what polling-run.ts lists.
import { isAbort } from '../../core/backoff.js';
import type { Chunk } from '../../core/append.js';
import { toAppError, unreachable, type AppError } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type {
  Recognition,
  SourceConfig,
  SourceConnector,
  SourceContext,
  SourceFinding,
  WantedPosition,
} from '../source-connector.js';
import { isAsked, parseConfig, type PollingConfig } from './config.js';
import { placeOf } from './order.js';
import type { PolledDatabase, PolledOptions } from './polled-database.js';
import { namingOf, relationKey } from './relation-key.js';
import { Retries } from '../../core/retries.js';
import { PollingRun } from './polling-run.js';
import { adviseOnTopics } from '../topic-advice.js';
import { onlyAsItIs } from '../kept-position.js';
import { triedAgain } from '../try-again.js';
import { firstPosition, parsePosition, printPosition, type PolledPosition } from './position.js';

export function createPollingSource(config: SourceConfig, logger: Logger): SourceConnector {
  return new PollingSource(parseConfig(config), logger);
}

class PollingSource implements SourceConnector {
  readonly #config: PollingConfig;
  readonly #logger: Logger;
  readonly #closing = new AbortController();
  #database: PolledDatabase | undefined;

  constructor(config: PollingConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** Places say nothing of the database that they are of. */
  recognise(): Promise<Recognition> {
    return Promise.resolve({ identity: undefined, same: false });
  }

  async validate(): Promise<readonly SourceFinding[]> {
    const database = await this.#openDatabase(this.#closing.signal);
    try {
      const { tables, findings } = await database.tables();
      const named = tables.map(({ source }) => source);
      const all: SourceFinding[] = [...findings, deletesUnseen, ...adviseOnTopics(namingOf(this.#config), named)];
      if (tables.length === 0) all.push(nothingMatches);
      for (const table of tables) {
        try {
          placeOf(table, this.#config);
        } catch (error) {
          const { code, message, hint, place } = toAppError(error);
          all.push({ severity: 'error', code, property: place?.path, object: table.source.table, message, hint });
        }
      }
      return all;
    } finally {
      database.close();
    }
  }

  async place({ offset, current }: WantedPosition): Promise<string | null> {
    const anew = current === null ? null : printPosition(firstPosition());
    return onlyAsItIs({ offset, current }, anew, 'the places of tables that are polled are those of their own rows');
  }

  async *chunks(positionText: string | null, context: SourceContext): AsyncGenerator<Chunk> {
    const { signal } = context;
    const retries = new Retries(this.#config.retries);
    const first = positionText === null ? firstPosition() : parsePosition(positionText);
    let from: PolledPosition = first;
    while (!signal.aborted) {
      let trouble: AppError;
      let run: PollingRun | undefined;
      try {
        context.reportState({ phase: 'connecting' });
        const database = (this.#database = await this.#openDatabase(signal));
        run = new PollingRun(this.#config, context, from);
        yield* run.chunks(database, () => {
          if (retries.attempt > 0) this.#logger.info('the source is connected again');
          retries.reset();
        });
        return;
      } catch (error) {
        if (signal.aborted || isAbort(error)) return;
        trouble = toAppError(error);
        if (!trouble.retriable) throw trouble;
      } finally {
        this.#closeDatabase();
      }
      // A page is encoded only when all of it is here, so what was ended is what was handed over, or is about to be.
      from = run?.position ?? from;
      if (!(await triedAgain(retries, trouble, context))) return;
    }
  }

  /** Nothing is pruned. */
  confirmed(): void {}

  close(): Promise<void> {
    this.#closing.abort();
    this.#closeDatabase();
    return Promise.resolve();
  }

  #closeDatabase(): void {
    this.#database?.close();
    this.#database = undefined;
  }

  /** The driver of the database is loaded when it is needed. */
  async #openDatabase(signal: AbortSignal): Promise<PolledDatabase> {
    const { kind, place, zone, tables, views, query } = this.#config;
    const options: PolledOptions = {
      place,
      zone,
      tables,
      views,
      query,
      isAsked: (database, table) => isAsked(this.#config, database, table),
      keyOf: (relation) => relationKey(relation, this.#config),
    };
    switch (kind) {
      case 'mysql':
        return (await import('../mysql/polled-server.js')).PolledServer.open(options, this.#config.database!, signal);
      case 'sqlite':
        return new (await import('../sqlite/polled-file.js')).PolledFile(options);
      default:
        return unreachable(kind);
    }
  }
}

const deletesUnseen: SourceFinding = {
  severity: 'warning',
  code: 'deletes-unseen',
  property: 'mode',
  message: 'tables are asked again and again: deletes are not seen, and rows that are gone stay',
  hint: 'MySqlCdcSource and SqliteCdcSource capture every change, deletes too',
};

const nothingMatches: SourceFinding = {
  severity: 'error',
  code: 'filter-matches-nothing',
  property: 'table.whitelist',
  message: 'no table with a primary key, and no view with a stated key, is asked for',
  hint: 'table.whitelist takes names, TABLE or DATABASE.TABLE, with commas between',
};
