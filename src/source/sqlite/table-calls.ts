// Which tables are to be read, and why, and which stand still: what the position says of tables, and what appends tell of them.
import type { AppendControl } from '../../core/append-control.js';
import { toErrorMessage, type AppError } from '../../core/errors.js';
import { qualifiedName } from '../../core/table-name.js';
import type { Logger } from '../../core/logger.js';
import type { SqliteSourceConfig } from './config.js';
import { StandingTables } from './standing-tables.js';

export class TableCalls {
  readonly #config: () => SqliteSourceConfig;
  readonly #logger: Logger;
  /** To be read. */
  readonly pending = new Set<string>();
  readonly standing = new StandingTables();
  /** Stand still because they cannot be captured as they are in the file: when they are gone from it, so are their rows. */
  readonly refused = new Set<string>();
  /** Why tables are read again, for people. */
  readonly #causes = new Map<string, string>();
  #controls: AppendControl[] = [];
  #announced: string[] = [];

  constructor(config: () => SqliteSourceConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** The table is read, from its beginning. `isAsked`: whatever the mode of the snapshot. */
  call(table: string, cause: string, isAsked = false): void {
    const { readSnapshot, database, connector } = this.#config();
    this.standing.forget(table);
    this.#causes.set(table, cause);
    if (!readSnapshot && !isAsked) {
      const message = 'a table is not read, as snapshot.mode asks: rows of it, or changes since, may be missing';
      this.#logger.warn(message, { table, cause });
      this.announce([table]);
      return;
    }
    this.#logger.info('a table is read', { table, cause });
    this.pending.add(table);
    this.#controls.push({
      kind: 'tables-called',
      connector,
      tables: [{ table: qualifiedName({ database, table }), cause }],
    });
  }

  causeOf(table: string): string | undefined {
    return this.#causes.get(table);
  }

  /** They are captured. */
  installed(tables: readonly string[]): void {
    for (const name of tables) this.refused.delete(name);
  }

  /** It was read. */
  done(table: string): void {
    this.pending.delete(table);
    this.#causes.delete(table);
  }

  /** It is gone. */
  forget(table: string): void {
    this.done(table);
    this.refused.delete(table);
    this.standing.forget(table);
  }

  /** It cannot be captured. One that only the filters leave out stays as it is, whatever becomes of it. */
  fail(table: string, error: AppError): void {
    this.#standStill(table, error);
    if (error.code !== 'detached') this.refused.add(table);
  }

  /** It cannot be captured until a value in it is another. */
  stop(table: string, error: AppError): void {
    this.#standStill(table, error);
    this.standing.add(table);
  }

  #standStill(table: string, error: AppError): void {
    const { database, connector } = this.#config();
    this.#logger.error('a table stands still', { table, reason: error.message, hint: error.hint });
    this.forget(table);
    const failed = { table: qualifiedName({ database, table }), error: toErrorMessage(error) };
    this.#controls.push({ kind: 'table-failed', connector, ...failed });
  }

  /** Visible tables that are told to be complete although they are not read. */
  announce(tables: readonly string[]): void {
    this.#announced.push(...tables);
  }

  get announced(): readonly string[] {
    return this.#announced;
  }

  takeAnnounced(): readonly string[] {
    const announced = this.#announced;
    this.#announced = [];
    return announced;
  }

  /** What is to be told, each at the end of an append. */
  takeControls(): readonly AppendControl[] {
    const controls = this.#controls;
    this.#controls = [];
    return controls;
  }
}
