// One run over an opened file: from behind a position until the signal aborts. Order of steps:
//   1. prepare: install (no position yet), or check that the installation is the one that the position belongs to and that the
//      captured tables are what they were; add tables that are new
//   2. poll: one read transaction takes all changes behind the last sequence number in order, and then, in the same cut, all rows
//      of tables whose snapshot is pending. A poll's changes are ONE append: a consistent cut of the file, in which several
//      transactions of the application may be together, never half of one
//   3. prune what is confirmed; wait for the next change
// A crash loses nothing: position and records are one append, changes behind the position are still in the file.
//
// Snapshot: rows and changes come from the same read transaction, so a change is either in the rows or behind the cut. The
// first time, changes in front of the cut need not be told. When a snapshot is read again after a crash, rows of the earlier
// attempt may be in the log and gone from the file by now; their deletes are changes behind the earlier cut, which the
// position still names, so they are told before the rows are read anew.
// Rows are read in storage order, the cheapest; the read transaction holds up checkpoints of the file, never its writers.
import type { AppendControl } from '../../core/append-control.js';
import { systemClock } from '../../core/clock.js';
import { AppError } from '../../core/errors.js';
import { failpoint } from '../../core/failpoint.js';
import type { Chunk } from '../../core/append.js';
import type { SqlValue } from '../../sqlite/database.js';
import type { SnapshotProgress, SourceContext } from '../source-connector.js';
import { ChangeSignal } from './change-signal.js';
import type { SqliteSourceConfig } from './config.js';
import { selectTables, throwErrors } from './filter.js';
import {
  asInstalled,
  changeWidth,
  checkInstallation,
  install,
  installTables,
  readInstallation,
  recordDigits,
  recordName,
  removeTables,
  type Installation,
  type InstalledTable,
} from './install.js';
import { changeIdentity, checkHistory, checkPosition, identityAt } from './history.js';
import { quoteName } from './names.js';
import { printPosition, type SqlitePosition } from './position.js';
import { Pruner } from './pruner.js';
import { retrying } from './retrying.js';
import type { FileSession } from './session.js';
import type { TableDescription } from './table-description.js';
import { capturedColumns, sourceTableOf } from './table-types.js';
import { openTableWriter, type TableWriter } from './table-writer.js';
import { changeOp } from './triggers.js';

const chunkBytes = 256 * 1024;
/** time, tbl, op, seq; then the values. */
const valuesAt = 4;

export class CaptureRun {
  readonly #session: FileSession;
  #config: SqliteSourceConfig;
  readonly #context: SourceContext;
  readonly #confirmed: () => number;
  readonly #writers = new Map<number, TableWriter>();
  #installation: Installation = { capture: '', prunedSequence: 0, tables: [] };
  #sequence = 0;
  /** Identity of the change with that number. */
  #change: string | null = null;
  #pending: readonly string[] = [];
  /** Nothing of this capture is in the log yet. */
  #fresh = false;
  /** Visible tables are to be announced although no snapshot is read. */
  #announce: readonly string[] = [];
  #schemaCookie = -1;
  /** Tables that the lists ask for and that came after the start. */
  #newcomers: readonly TableDescription[] = [];

  constructor(session: FileSession, config: SqliteSourceConfig, context: SourceContext, confirmed: () => number) {
    this.#session = session;
    this.#config = config;
    this.#context = context;
    this.#confirmed = confirmed;
  }

  get position(): SqlitePosition {
    const { capture } = this.#installation;
    return { capture, sequence: this.#sequence, change: this.#change, pending: this.#pending };
  }

  /** Ends when the signal aborts, or with true when the file was replaced by another and has to be opened again. */
  async *chunks(start: SqlitePosition | null): AsyncGenerator<Chunk, boolean> {
    const { signal, logger } = this.#context;
    const { reader, writer } = this.#session;
    await retrying(this.#context, this.#config.file, () => this.#prepare(start));
    const changes = new ChangeSignal(this.#config.file, this.#config.idlePollMs, logger);
    const pruner = new Pruner(writer, this.#config.prefix, this.#installation.prunedSequence);
    try {
      let seen: unknown = null;
      while (!signal.aborted) {
        // Read before the poll: what is committed between the two costs one look in vain, and nothing is missed.
        const lookedMs = systemClock.monotonicMs();
        const version = reader.raw.pragma('data_version', { simple: true });
        if (version !== seen || this.#pending.length > 0) {
          seen = version;
          const before = this.#sequence;
          await this.#openTables();
          yield* this.#poll();
          if (this.#sequence !== before) changes.changed();
          if (await this.#addNewTables()) seen = null;
        }
        if (this.#pending.length === 0 && !signal.aborted) this.#confirm(lookedMs);
        pruner.step(this.#confirmed(), changes.atRest);
        if (seen !== null) await changes.wait(signal);
        if (changes.atRest && this.#session.replaced()) return true;
      }
      return false;
    } finally {
      changes.close();
    }
  }

  #prepare(start: SqlitePosition | null): void {
    const { writer } = this.#session;
    const { prefix } = this.#config;
    if (start !== null) this.#config = asInstalled(writer, this.#config) ?? this.#config;
    const { tables, findings } = selectTables(writer, this.#config);
    throwErrors(findings);
    for (const { message, hint } of findings) this.#context.logger.warn(message, { hint });
    if (start === null) {
      install(writer, this.#config, tables);
      this.#fresh = true;
      this.#sequence = 0;
    } else {
      const installed = checkPosition(writer, this.#config, start);
      recordDigits(writer, this.#config);
      recordName(writer, this.#config);
      const wanted = new Set(tables.map((table) => table.name));
      const kept = installed.tables.filter((table) => wanted.has(table.description.name));
      checkInstallation(writer, prefix, kept);
      this.#checkColumns(kept);
      this.#checkDigits(kept);
      const unwanted = installed.tables.filter((table) => !kept.includes(table));
      this.#refuseDropped(unwanted);
      if (unwanted.length > 0) removeTables(writer, prefix, unwanted);
      this.#sequence = start.sequence;
      this.#change = start.change ?? identityAt(writer, prefix, start.sequence);
    }
    this.#adopt(tables, start);
  }

  /** Installs what is missing of `tables`, and makes it pending. */
  #adopt(tables: readonly TableDescription[], start: SqlitePosition | null): void {
    const { writer } = this.#session;
    const known = new Set(readInstallation(writer, this.#config)!.tables.map((table) => table.description.name));
    const added = tables.filter((table) => !known.has(table.name));
    if (added.length > 0) installTables(writer, this.#config, added);
    this.#installation = readInstallation(writer, this.#config)!;
    const names = start === null && this.#fresh ? tables.map((table) => table.name) : added.map((table) => table.name);
    const here = new Set(this.#installation.tables.map((table) => table.description.name));
    const pending = (start?.pending ?? []).filter((name) => here.has(name));
    if (this.#config.readSnapshot) this.#pending = [...pending, ...names];
    else this.#announce = [...pending, ...names];
  }

  #checkColumns(kept: readonly InstalledTable[]): void {
    for (const { description, captured } of kept) {
      if (String(capturedColumns(description, this.#config)) === String(captured)) continue;
      throw new AppError(
        'unsupported-change',
        `column.exclude.list gives other columns of table ${description.name} than before`,
        {
          hint: 'set it back, or `writethrough connect delete NAME --topics` and create it again',
        },
      );
    }
  }

  /** Records of both units in one topic could not be told apart. */
  #checkDigits(kept: readonly InstalledTable[]): void {
    const { timestampDigits } = this.#config;
    if (timestampDigits === null) return;
    for (const { description, digits } of kept) {
      const [before, now] = [digits, timestampDigits].map((d) =>
        JSON.stringify(sourceTableOf(description, this.#config, d)),
      );
      if (before === now) continue;
      throw new AppError(
        'unsupported-change',
        `sqlite.timestamp.digits is ${timestampDigits}, and table ${description.name} is captured with ${digits}`,
        { hint: `set it to ${digits}, or \`writethrough connect delete NAME --topics\` and create it again` },
      );
    }
  }

  /** A table that is not selected any more was taken out of the lists, or it is not there. */
  #refuseDropped(unwanted: readonly InstalledTable[]): void {
    const excluded = unwanted.filter(({ description }) => {
      const here = this.#session.writer.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
      return here.get(description.name) !== undefined;
    });
    checkInstallation(
      this.#session.writer,
      this.#config.prefix,
      unwanted.filter((table) => !excluded.includes(table)),
    );
  }

  async #openTables(): Promise<void> {
    for (const table of this.#installation.tables) {
      if (this.#writers.has(table.id)) continue;
      this.#writers.set(table.id, await openTableWriter(table, this.#config, this.#context, this.#session.reader));
    }
  }

  /** True when there were tables to add. */
  async #addNewTables(): Promise<boolean> {
    const tables = this.#newcomers;
    if (tables.length === 0) return false;
    this.#newcomers = [];
    await retrying(this.#context, this.#config.file, () => this.#adopt(tables, this.position));
    return true;
  }

  async *#poll(): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const { chunks } = this.#context;
    const top = await retrying(this.#context, this.#config.file, () => {
      reader.exec('BEGIN');
      try {
        this.#checkSchema();
        return checkHistory(reader, this.#config, this.position);
      } catch (error) {
        reader.exec('ROLLBACK');
        throw error;
      }
    });
    try {
      this.#context.reportState({ phase: this.#pending.length > 0 ? 'snapshot' : 'streaming', caughtUp: false });
      if (top > this.#sequence) {
        if (this.#fresh && this.#pending.length > 0) {
          this.#sequence = top;
          this.#change = identityAt(reader, this.#config.prefix, top);
        } else yield* this.#readChanges(top);
        if (this.#context.signal.aborted) return;
      }
      if (this.#announce.length > 0) {
        this.#endAppend(systemClock.nowUs(), this.#completed(this.#announce));
        this.#announce = [];
      }
      if (this.#pending.length > 0) yield* this.#readSnapshot();
    } finally {
      reader.exec('COMMIT');
    }
    const last = chunks.take();
    failpoint('sqlite-after-read');
    if (last) yield last;
    this.#fresh = false;
    if (this.#pending.length === 0) this.#context.reportState({ phase: 'streaming', caughtUp: true });
  }

  /** The writers' clock is that of this machine. */
  #confirm(lookedMs: number): void {
    this.#context.sourceClock(systemClock.nowMs() * 1000, systemClock.monotonicMs());
    this.#context.confirm(lookedMs);
  }

  /** Inside the read transaction, so that what is checked is what is read. */
  #checkSchema(): void {
    const { reader } = this.#session;
    const cookie = Number(reader.raw.pragma('schema_version', { simple: true }));
    if (cookie === this.#schemaCookie) return;
    // First, since a restored file may have other tables too, and that is then not what is wrong with it.
    checkPosition(reader, this.#config, this.position);
    checkInstallation(reader, this.#config.prefix, this.#installation.tables);
    const { tables, findings } = selectTables(reader, this.#config);
    throwErrors(findings);
    const known = new Set(this.#installation.tables.map((table) => table.description.name));
    this.#newcomers = tables.filter((table) => !known.has(table.name));
    this.#schemaCookie = cookie;
  }

  /** The changes behind the last sequence number up to `top`, as one append. */
  async *#readChanges(top: number): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const { chunks, signal } = this.#context;
    const width = changeWidth(reader, this.#config.prefix);
    const values = Array.from({ length: width }, (_, i) => `c${i}`).join(', ');
    const changes = quoteName(`${this.#config.prefix}changes`);
    const rows = reader
      .statement(`SELECT time, tbl, op, seq, ${values} FROM ${changes} WHERE seq > ? AND seq <= ? ORDER BY seq`)
      .safeIntegers(true)
      .iterate(this.#sequence, top);
    // The time of the newest statement, by the writer's clock: SQLite knows no time of a commit.
    let newest = 0;
    let last: readonly SqlValue[] = [];
    for (const row of rows) {
      this.#writeChange(row);
      if ((row[0] as number) > newest) newest = row[0] as number;
      last = row;
      if (chunks.byteLength < chunkBytes) continue;
      yield chunks.take()!;
      if (signal.aborted) return;
    }
    this.#sequence = top;
    this.#change = changeIdentity(last);
    this.#endAppend(microsOfJulianDay(newest));
  }

  #writeChange(row: readonly SqlValue[]): void {
    const writer = this.#writers.get(Number(row[1]));
    // A table that was taken out of the lists.
    if (!writer) return;
    const op = Number(row[2]);
    if (op === changeOp.delete) writer.writeDelete(row, valuesAt);
    else writer.writeRow(op === changeOp.update ? 'u' : 'c', row, valuesAt);
  }

  /** All rows of the pending tables, in appends of a chunk each; the last one completes the snapshot. */
  async *#readSnapshot(): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const { chunks, signal } = this.#context;
    const progress: { table: string; rows: number; rowsEstimated: number; done: boolean }[] = [];
    const writers = this.#pending.map((name) => this.#writerOf(name));
    for (const { source } of writers) {
      const count = reader.prepare(`SELECT count(*) FROM ${quoteName(source.table)}`).get()!;
      progress.push({ table: source.table, rows: 0, rowsEstimated: Number(count[0]), done: false });
    }
    const report = () => this.#context.reportState({ phase: 'snapshot', snapshot: copyOf(progress) });
    report();
    for (const [i, writer] of writers.entries()) {
      const at = progress[i]!;
      const columns = writer.source.columns.map((column) => quoteName(column.name)).join(', ');
      const rows = reader.prepareExact(`SELECT ${columns} FROM ${quoteName(writer.source.table)}`).iterate();
      for (const row of rows) {
        writer.writeRow('r', row, 0);
        at.rows++;
        if (chunks.byteLength < chunkBytes) continue;
        this.#endAppend(systemClock.nowUs());
        report();
        yield chunks.take()!;
        if (signal.aborted) return;
      }
      at.done = true;
    }
    report();
    const completed = this.#completed(this.#pending);
    this.#pending = [];
    this.#endAppend(systemClock.nowUs(), completed);
  }

  #writerOf(table: string): TableWriter {
    for (const writer of this.#writers.values()) if (writer.source.table === table) return writer;
    throw new AppError('internal', `table ${table} is not open`);
  }

  #completed(tables: readonly string[]): AppendControl {
    const topics = tables.map((table) => this.#writerOf(table).topic);
    return { kind: 'snapshot-completed', connector: this.#config.connector, topics };
  }

  #endAppend(commitTimeUs: number, control?: AppendControl): void {
    this.#context.chunks.endAppend({ position: printPosition(this.position), commitTimeUs, control });
  }
}

function copyOf(progress: SnapshotProgress['tables']): SnapshotProgress {
  return { tables: progress.map((table) => ({ ...table })) };
}

/** Precise to the millisecond, as SQLite's clock is. */
function microsOfJulianDay(day: number): number {
  return Math.round((day - 2_440_587.5) * 86_400_000) * 1000;
}
