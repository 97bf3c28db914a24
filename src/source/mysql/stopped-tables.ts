// The tables that stand still alone: a value of theirs has no form here, or their rows follow those of such a table. Nothing of them is
// captured until a statement, another configuration or somebody who asks has them read again. Which they are is part of the position, so
// that what makes one stand still, and the place of the stream from which on it does, become durable as one: a restart knows it.
import { hash } from 'node:crypto';
import { AppError, errorCodes, fromErrorMessage, toErrorMessage, type ErrorMessage } from '../../core/errors.js';
import type { SourceConfig, SourceState } from '../source-connector.js';

export interface StoppedTable {
  /** Folded. */
  readonly table: string;
  readonly error: ErrorMessage;
  /** The table (folded) whose rows it follows, which stands still itself. */
  readonly because?: string | undefined;
  /** Of the configuration under which it came to that. */
  readonly config: string;
}

/** Of the configuration: what decides which values are read, and as what; and which tables are. */
export interface Fingerprints {
  readonly values: string;
  readonly filters: string;
}

/** What matters of the configuration at hand. */
export interface StoppedConfig {
  readonly fingerprints: Fingerprints;
  readonly newTables: 'capture' | 'ask' | 'ignore';
}

const newTable = 'new-table';

export class StoppedTables {
  readonly #tables: Map<string, StoppedTable>;
  readonly #now: StoppedConfig;
  /** Called when there is another text of them. */
  changed: () => void = () => {};

  /** `now`: of the configuration at hand. */
  constructor(stored: readonly StoppedTable[], now: StoppedConfig) {
    this.#tables = new Map(stored.map((each) => [each.table, each]));
    this.#now = now;
  }

  /** New tables that are to be let in, or not, for the state of the source; nothing where none are. */
  get waitingTables(): Pick<SourceState, 'waitingTables'> {
    if (this.#now.newTables !== 'ask' || this.#tables.size === 0) return {};
    const waiting = this.all.filter(({ error }) => error.code === newTable).map(({ table }) => table);
    return waiting.length === 0 ? {} : { waitingTables: waiting };
  }

  isNew(table: string): boolean {
    return this.#tables.get(table)?.error.code === newTable;
  }

  addNew(table: string, error: AppError): void {
    this.#tables.set(table, { table, error: toErrorMessage(error), config: this.#now.fingerprints.filters });
    this.changed();
  }

  get all(): readonly StoppedTable[] {
    return [...this.#tables.values()];
  }

  /** Those that came to it under another configuration: this one may be what they waited for. New ones that are ignored wait for nothing. */
  get callsOfOtherConfig(): readonly { readonly name: string; readonly cause: string; readonly asked: true }[] {
    const cause = 'the configuration of its connector has changed';
    const { fingerprints, newTables } = this.#now;
    const isLetIn = (config: string): boolean =>
      newTables === 'capture' || (newTables === 'ask' && config !== fingerprints.filters);
    const others = this.all.filter(({ config, error }) =>
      error.code === newTable ? isLetIn(config) : config !== fingerprints.values,
    );
    return others.map(({ table }) => ({ name: table, cause, asked: true }));
  }

  errorOf(table: string): AppError | undefined {
    const stopped = this.#tables.get(table);
    return stopped && fromErrorMessage(stopped.error);
  }

  has(table: string): boolean {
    return this.#tables.has(table);
  }

  add(table: string, error: AppError, because?: string): void {
    this.#tables.set(table, { table, error: toErrorMessage(error), because, config: this.#now.fingerprints.values });
    this.changed();
  }

  /** It is read again, and so are those that stand still because of it: all of them. */
  release(table: string): readonly string[] {
    if (!this.#tables.delete(table)) return [];
    const others = this.all.filter(({ because }) => because === table).map((each) => each.table);
    for (const other of others) this.#tables.delete(other);
    this.changed();
    return [table, ...others];
  }
}

export function followsStopped(name: string, of: string): AppError {
  return new AppError('detached', `rows of ${name} follow those of ${of}, which stands still`, {
    hint: `let ${of} go on, and both are read again`,
  });
}

/** As a part of the text of a position; nothing where there are none. */
export function printStopped(stopped: readonly StoppedTable[]): string {
  return stopped.length === 0 ? '' : `,"stopped":${JSON.stringify(stopped)}`;
}

/** Undefined: it is not what `printStopped` prints. */
export function parseStopped(json: unknown): readonly StoppedTable[] | undefined {
  if (json === undefined) return [];
  return Array.isArray(json) && json.every(isStopped) ? json : undefined;
}

function isStopped(json: unknown): json is StoppedTable {
  const { table, error, because, config } = fieldsOf(json);
  const { code, message } = fieldsOf(error);
  return (
    typeof table === 'string' &&
    typeof code === 'string' &&
    Object.hasOwn(errorCodes, code) &&
    typeof message === 'string' &&
    (because === undefined || typeof because === 'string') &&
    typeof config === 'string'
  );
}

function fieldsOf(json: unknown): Record<string, unknown> {
  return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
}

export function fingerprintsOf(config: SourceConfig): Fingerprints {
  const of = (names: RegExp): string => {
    const parts = Object.entries(config).filter(([name]) => names.test(name) && name !== 'database.ssl.mode');
    return hash('sha1', JSON.stringify(parts.toSorted(([a], [b]) => (a < b ? -1 : 1)))).slice(0, 12);
  };
  return {
    values: of(/\.(list|mode)$|^message\.key\.columns$/),
    filters: of(/^(database|table)\.(in|ex)clude\.list$|^topics\.unwanted$/),
  };
}
