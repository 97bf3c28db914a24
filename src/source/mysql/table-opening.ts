// Opening tables at connect: what the server is asked for first, since table maps do not tell it; which tables cannot be captured, and are
// left out alone; and which have to be read because of how they are found.
import { AppError, fromErrorMessage } from '../../core/errors.js';
import type { RowSchema } from '../../core/data-type.js';
import { sameSchema } from '../../core/schema-change.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { CapturedTables, OpenTable } from './captured-tables.js';
import type { Cascades } from './cascades.js';
import { checkNewTable, type Inspection } from './checks.js';
import type { ColumnKnowledge } from './column-knowledge.js';
import type { Logger } from '../../core/logger.js';
import type { MysqlConfig } from './config.js';
import { NewTables } from './new-tables.js';
import type { Session } from './connection.js';
import type { Server } from './server.js';
import type { SnapshotCalls } from './snapshot-calls.js';
import type { SnapshotTable } from './snapshot-chunk.js';
import type { StoppedTables } from './stopped-tables.js';
import { keylessTable, type TableDescription } from './table-knowledge.js';
import type { TableMap } from './table-map.js';
import { readSchema, sourceTable, tableName, type TableSchema } from './table-schema.js';

export interface TableOpeningOptions {
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly cascades: Cascades;
  readonly columns: ColumnKnowledge;
  readonly session: Session;
  readonly server: Server;
  readonly stopped: StoppedTables;
  readonly logger: Logger;
}

export class TableOpening {
  readonly #options: TableOpeningOptions;
  /** What was captured before, by folded name, as it stood at the start. */
  #heldAtStart: ReadonlyMap<string, HeldTable> = new Map();
  readonly newTables: NewTables;
  readonly #stopped: StoppedTables;

  constructor(options: TableOpeningOptions) {
    this.#options = options;
    this.#stopped = options.stopped;
    this.newTables = new NewTables(options);
  }

  /** What is known of the source at the start. `held`: what was captured before. */
  async learn({ tables, unreadable, foldsCase }: Inspection, held: readonly HeldTable[]): Promise<void> {
    const { captured, columns } = this.#options;
    this.#heldAtStart = new Map(held.map((each) => [captured.known.fold(each.name), each]));
    captured.known.start(
      foldsCase,
      held.map(({ name }) => name),
    );
    for (const schema of unreadable) {
      const trouble = columns.unreadable(schema);
      captured.known.leaveOut(this.#name(schema), trouble?.message ?? 'a column cannot be read', trouble?.hint);
    }
    for (const { table, error } of this.#stopped.all) {
      if (captured.known.isLeftOut(table)) continue;
      if (this.#stopped.isNew(table)) captured.known.waits(table);
      else captured.known.stop(table, fromErrorMessage(error));
    }
    for (const schema of tables) columns.learn(schema);
    await this.#loadCharsets(tables);
  }

  #loadCharsets(tables: readonly (TableSchema | TableMap)[]): Promise<void> {
    const { columns, session, server } = this.#options;
    const described = tables.flatMap((table) => columns.captured(table));
    return columns.charsets.load(session, server.version, described);
  }

  #name(table: { readonly database: string; readonly table: string }): string {
    return this.#options.captured.known.fold(tableName(table));
  }

  /** At a fresh start and while a first snapshot runs all tables are opened at once, in the order of their names. */
  async all({ tables }: Inspection): Promise<SnapshotTable[]> {
    const { captured } = this.#options;
    const running = tables.filter((schema) => !captured.known.isLeftOut(this.#name(schema)));
    // Side by side: each is a definition, and those that wait together become durable together.
    return Promise.all(running.map(async (schema) => ({ schema, open: await captured.open(schema) })));
  }

  /** What has to be read whatever the stream says: all, when it does not go on where it was left; else what is not as it was captured. */
  callFor(
    { tables }: Inspection,
    held: readonly HeldTable[],
    whyAll: string | undefined,
    snapshots: SnapshotCalls,
  ): void {
    const { known } = this.#options.captured;
    const heldBy = new Map(held.map((each) => [known.fold(each.name), each]));
    const calls = new Map<string, string>();
    for (const schema of tables.filter((each) => !known.isLeftOut(this.#name(each)))) {
      const before = heldBy.get(this.#name(schema));
      if (!before) calls.set(this.#name(schema), 'it was not captured before');
      else if (before.schema && this.#isOther(before.schema, schema))
        calls.set(this.#name(schema), 'it has other columns than before');
    }
    const ours = [...heldBy.keys()].filter((name) => known.matches(name) && !known.isLeftOut(name));
    if (whyAll !== undefined) for (const name of [...calls.keys(), ...ours]) calls.set(name, whyAll);
    for (const [name, each] of heldBy) {
      if (!known.matches(name)) snapshots.fail(each.name, filteredOut(each.name));
      else if (known.isLeftOut(name))
        snapshots.fail(each.name, this.#stopped.errorOf(name) ?? cannotBeRead(each.name, known.reasonOf(name)));
    }
    const called = [...calls].filter(([name]) => !snapshots.isCalled(name) && !snapshots.isAltered(name));
    if (called.length > 0) {
      // Rows that are held are read again whatever was to be read at first: else they would stay as they were there.
      const asked = (name: string): true | undefined =>
        whyAll !== undefined && heldBy.has(name) && !this.#stopped.has(name) ? true : undefined;
      snapshots.call(called.map(([name, cause]) => ({ name, cause, asked: asked(name) })));
    }
  }

  isAsHeld({ schema }: HeldTable, now: TableDescription): boolean {
    return schema !== undefined && !this.#isOther(schema, now);
  }

  /** It was captured with other columns. */
  #isOther(schema: RowSchema, now: TableDescription): boolean {
    const { context, captured } = this.#options;
    return !sameSchema(schema, context.recordsOf(sourceTable(now, captured.filter)));
  }

  /**
   * A table that appeared while the stream runs, or has other columns than before. Unless a statement has called for it, rows of it may have
   * been written that no event has shown. Gives its folded name when it was opened.
   */
  async ofMap(map: TableMap, snapshots: SnapshotCalls): Promise<string | undefined> {
    const { captured, columns, config, session } = this.#options;
    const name = this.#name(map);
    const before = captured.get(map.database, map.table);
    if (before && captured.isAs(before, map)) {
      await this.#loadCharsets([map]);
      return undefined;
    }
    if (!this.newTables.admits(name)) return undefined;
    const schema = await readSchema(session, map.database, map.table, config.modes);
    if (schema) columns.learn(schema);
    const whole = columns.complete(map);
    const refusal = this.refusal(whole, schema);
    if (refusal) {
      captured.known.leaveOut(name, refusal.message, refusal.hint);
      const stopped = await this.#held(name);
      if (stopped) snapshots.fail(stopped.name, refusal);
      return undefined;
    }
    const held = await this.#heldNow(name, whole);
    await this.#loadCharsets([whole]);
    await captured.open(whole, held ? {} : { hidden: true });
    if (snapshots.isReading(name)) {
      // What is being read of it is described otherwise, and its changes are not recorded any more.
      snapshots.call([{ name, cause: 'its rows came with other columns' }]);
    } else if (!snapshots.ofAltered(name, held?.schema, whole) && !snapshots.isCalled(name) && !snapshots.isFirst) {
      // A statement that was never logged, or lies behind a place that was lost.
      const isOther = held?.schema !== undefined && this.#isOther(held.schema, whole);
      if (!held) snapshots.call([{ name, cause: 'rows of it came, and it was not known' }]);
      else if (before || isOther) snapshots.call([{ name, cause: 'its rows came with other columns' }]);
    }
    return name;
  }

  /** What is held of the table. Where its columns change, everything that was encoded for it is in the log then. */
  async #heldNow(name: string, now: TableMap): Promise<HeldTable | undefined> {
    const { captured } = this.#options;
    const held = this.#heldAtStart.get(name);
    // The common case behind a start, once for each table: nothing of it is on its way, and it is as it was captured.
    if (held?.schema && !captured.wasOpened(name) && !this.#isOther(held.schema, now)) return held;
    return this.#held(name);
  }

  async #held(name: string): Promise<HeldTable | undefined> {
    const { captured, context } = this.#options;
    return (await context.heldTables()).find((each) => captured.known.fold(each.name) === name);
  }

  /** As the server describes it now, to be read again. */
  async toReadAgain(schema: TableSchema, cause: string): Promise<OpenTable> {
    const { captured, columns } = this.#options;
    columns.learn(schema);
    await this.#loadCharsets([schema]);
    return captured.open(schema, { hidden: true, cause });
  }

  /** Nothing of it is to be read again. */
  async asItIs(schema: TableSchema): Promise<OpenTable> {
    const { captured, columns } = this.#options;
    columns.learn(schema);
    await this.#loadCharsets([schema]);
    return captured.open(schema);
  }

  /** Why the table cannot be captured. */
  refusal(described: TableMap | TableSchema, schema: TableSchema | undefined): AppError | undefined {
    const { cascades, columns } = this.#options;
    if (described.keyColumns.length === 0 || schema?.keyColumns.length === 0) return keylessTable(tableName(described));
    const otherKey = (schema && columns.keyProblem(schema)) ?? columns.keyProblem(described);
    if (otherKey) return otherKey;
    const unreadable = (schema && columns.unreadable(schema)) ?? columns.unreadable(described);
    const refused = unreadable ?? cascades.refused.get(this.#name(described));
    if (refused || !schema) return refused;
    try {
      checkNewTable(schema);
      return undefined;
    } catch (error) {
      if (error instanceof AppError && !error.retriable) return error;
      throw error;
    }
  }
}

function filteredOut(name: string): AppError {
  return new AppError('detached', `table ${name} is left out by the filters of its connector`, {
    hint: 'let it in again, and it is read again; or DROP TABLE',
  });
}

function cannotBeRead(name: string, reason: string): AppError {
  return new AppError('detached', `table ${name} cannot be captured any more: ${reason}`);
}
