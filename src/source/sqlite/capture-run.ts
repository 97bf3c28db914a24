// One run over an opened file: from behind a position until the signal aborts. Order of steps:
//   1. prepare: install (no position yet), or check that the installation is the one that the position belongs to
//   2. poll: one read transaction takes all changes behind the last sequence number in order, and then, in the same cut, all rows
//      of tables that are to be read. A poll's changes are ONE append: a consistent cut of the file, in which several
//      transactions of the application may be together, never half of one
//   3. follow: when the schema of the file has changed, what has become of the tables (table-survey.ts). Rows of those that are gone
//      are deleted; the others are called for, and once that is durable their triggers are made anew. The next poll reads them
//   4. prune what is confirmed; wait for the next change
// A crash loses nothing: position and records are one append, changes behind the position are still in the file. A table that is
// called for stands in the position from before its triggers are made anew, so it is read whatever happens in between.
//
// Rows and changes come from the same read transaction, so a change is either in the rows or behind the cut: changes of a table that is
// to be read are passed over, and the reading tells all of them (table-reading.ts). The read transaction holds up checkpoints of the
// file, never its writers.
import type { AppendControl } from '../../core/append-control.js';
import { systemClock } from '../../core/clock.js';
import type { AppError } from '../../core/errors.js';
import { qualifiedName } from '../../core/table-name.js';
import { failpoint } from '../../core/failpoint.js';
import type { Chunk } from '../../core/append.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { AskedTables } from './asked-tables.js';
import { beginCapture, calledAtStart } from './beginning.js';
import { changesBetween, microsOfJulianDay, valuesAt, type ChangeRow } from './change-log.js';
import { ChangeSignal } from './change-signal.js';
import type { SqliteSourceConfig } from './config.js';
import { deleteHeld } from './emptying.js';
import {
  asInstalled,
  readInstallation,
  recordDigits,
  recordName,
  reinstall,
  schemaVersion,
  type Installation,
} from './install.js';
import { changeIdentity, checkHistory, checkPosition, identityAt } from './history.js';
import { OpenTables } from './open-tables.js';
import { printPosition, type SqlitePosition } from './position.js';
import { Pruner } from './pruner.js';
import { retrying } from './retrying.js';
import type { FileSession } from './session.js';
import { SchemaWatch } from './schema-watch.js';
import { TableCalls } from './table-calls.js';
import { chunkBytes, isOfOneTable, TableReading } from './table-reading.js';
import { isUnchanged, namesOfAltered, type Survey } from './table-survey.js';
import { changeOp } from './triggers.js';
import { Verifications } from './verifications.js';
import { Warnings } from './warnings.js';

export class CaptureRun {
  readonly #session: FileSession;
  #config: SqliteSourceConfig;
  readonly #context: SourceContext;
  readonly #confirmed: () => number;
  readonly #asked: AskedTables;
  readonly #tables: OpenTables;
  #installation: Installation = { capture: '', prunedSequence: 0, tables: [] };
  #sequence = 0;
  /** Identity of the change with that number. */
  #change: string | null = null;
  readonly #calls: TableCalls;
  /** Nothing of this capture is in the log yet. */
  #fresh = false;
  readonly #schema = new SchemaWatch();
  readonly verifications: Verifications;
  /** What is to be followed. */
  #survey: Survey | null = null;
  readonly #warnings: Warnings;

  constructor(
    session: FileSession,
    config: SqliteSourceConfig,
    context: SourceContext,
    { confirmed, asked }: { readonly confirmed: () => number; readonly asked: AskedTables },
  ) {
    this.#asked = asked;
    this.#session = session;
    this.#config = config;
    this.#context = context;
    this.#confirmed = confirmed;
    this.#warnings = new Warnings(context.logger);
    this.verifications = new Verifications({
      reader: session.reader,
      context,
      database: () => this.#config.database,
      writerOf: (name) => this.#tables.named(name),
      endAppend: () => this.#endAppend(systemClock.nowUs()),
    });
    this.#calls = new TableCalls(() => this.#config, context.logger);
    const { reader } = session;
    this.#tables = new OpenTables({ context, reader, config: () => this.#config, calls: this.#calls });
  }

  get position(): SqlitePosition {
    return {
      capture: this.#installation.capture,
      sequence: this.#sequence,
      change: this.#change,
      pending: [...this.#calls.pending],
      stopped: this.#calls.standing.names,
      refused: [...this.#calls.refused],
      schema: this.#schema.moves.version,
    };
  }

  /** Ends when the signal aborts, or with true when the file was replaced by another and has to be opened again. */
  async *chunks(start: SqlitePosition | null): AsyncGenerator<Chunk, boolean> {
    const { signal, logger } = this.#context;
    const { reader, writer } = this.#session;
    const held = await this.#context.heldTables();
    await retrying(this.#context, this.#config, () => this.#prepare(start, held));
    if (this.#fresh && held.length > 0) yield* this.#placed();
    const changes = new ChangeSignal(this.#config.file, this.#config.idlePollMs, logger);
    const pruner = new Pruner(writer, this.#config.prefix, this.#installation.prunedSequence);
    try {
      let seen: unknown = null;
      while (!signal.aborted) {
        if (this.#survey) {
          yield* this.#follow(this.#survey);
          seen = null;
        }
        // Read before the poll: what is committed between the two costs one look in vain, and nothing is missed.
        const lookedMs = systemClock.monotonicMs();
        const version = reader.raw.pragma('data_version', { simple: true });
        if (this.#asked.waits) yield* this.#serveAsked();
        for (const name of this.#calls.standing.due())
          this.#calls.call(name, 'rows of it have changed since it stands still');
        const verifies = this.verifications.isDue;
        if (version !== seen || this.#calls.pending.size > 0 || verifies) {
          seen = version;
          const before = this.#sequence;
          yield* this.#poll();
          if (this.#sequence !== before) changes.changed();
          if (this.#survey) continue;
        }
        if (this.#calls.pending.size === 0 && !signal.aborted) this.#confirm(lookedMs);
        pruner.step(this.#confirmed(), changes.atRest);
        if (seen !== null && !verifies) await changes.wait(signal);
        if (changes.atRest && this.#session.replaced()) return true;
      }
      return false;
    } finally {
      changes.close();
      this.verifications.close();
    }
  }

  async *#serveAsked(): AsyncGenerator<Chunk> {
    const tables = this.#installation.tables.map(({ description }) => description.name);
    const answers = this.#asked.serve(this.#config.database, tables, (name) =>
      this.#calls.call(name, 'it was asked for', true),
    );
    this.#tell();
    yield* this.#handOver();
    for (const answer of answers) answer();
  }

  #prepare(start: SqlitePosition | null, held: readonly HeldTable[]): void {
    if (start === null) return this.#begin(held);
    const { writer } = this.#session;
    const { prefix } = this.#config;
    this.#config = asInstalled(writer, this.#config) ?? this.#config;
    checkPosition(writer, this.#config, start);
    const version = schemaVersion(writer);
    recordDigits(writer, this.#config);
    recordName(writer, this.#config);
    this.#installation = readInstallation(writer, this.#config)!;
    this.#sequence = start.sequence;
    this.#change = start.change ?? identityAt(writer, prefix, start.sequence);
    for (const name of start.pending) this.#calls.pending.add(name);
    this.#schema.moves.begin(start.schema);
    this.#schema.moves.ours(schemaVersion(writer) - version);
    for (const name of start.refused) this.#calls.refused.add(name);
    for (const name of start.stopped) this.#calls.call(name, 'it stood still');
    for (const { name, cause } of calledAtStart(this.#installation.tables, this.#config, this.#context, held))
      if (!this.#calls.pending.has(name)) this.#calls.call(name, cause);
  }

  /** What was captured before is gone on with only behind an append that has a place. */
  async *#placed(): AsyncGenerator<Chunk> {
    this.#endAppend(systemClock.nowUs());
    yield* this.#handOver();
  }

  /** Everything is in the log when it ends, unless the signal aborts. */
  async *#handOver(): AsyncGenerator<Chunk> {
    const chunk = this.#context.chunks.take();
    if (chunk) yield chunk;
    await this.#context.heldTables();
  }

  #begin(held: readonly HeldTable[]): void {
    const begun = beginCapture(this.#session.writer, this.#config, held);
    this.#config = begun.config;
    this.#installation = begun.installation;
    this.#fresh = true;
    this.#warnings.say(begun.ended.findings);
    for (const { table, error } of begun.uncapturable) {
      this.#schema.uncapturable({ table, error });
      this.#warnings.say([{ severity: 'warning', code: error.code, message: error.message, hint: error.hint }]);
    }
    for (const name of begun.again) this.#calls.call(name, 'the place in the file was given up');
    if (!this.#config.readSnapshot) this.#calls.announce(begun.first);
    else for (const name of begun.first) this.#calls.pending.add(name);
    if (!isUnchanged(begun.ended)) this.#survey = begun.ended;
  }

  #stop(name: string, error: AppError): void {
    this.#calls.stop(name, error);
    this.#tables.close(name);
  }

  /** What a change of the schema comes to. */
  async *#follow({ called, gone, refused, findings }: Survey): AsyncGenerator<Chunk> {
    const context = this.#context;
    this.#survey = null;
    this.#warnings.say(findings);
    for (const name of gone) {
      yield* deleteHeld(context, qualifiedName({ database: this.#config.database, table: name }), {
        endAppend: (topic) => {
          this.#calls.forget(name);
          this.#endAppend(systemClock.nowUs(), this.#completed([topic]));
        },
      });
      this.#calls.forget(name);
    }
    for (const { name, error } of refused) this.#calls.fail(name, error);
    for (const { table, cause } of called)
      if (!this.#calls.pending.has(table.name)) this.#calls.call(table.name, cause);
    this.#tell();
    const chunk = context.chunks.take();
    if (chunk) yield chunk;
    if (context.signal.aborted) return;
    // From here on what is called for is read whatever happens, so the earlier triggers' changes may be given up.
    await context.heldTables();
    const remove = [...gone, ...refused.map(({ name }) => name)];
    const add = called.map(({ table }) => table.name);
    const { uncapturable, schemaMoves } = await retrying(context, this.#config, () =>
      reinstall(this.#session.writer, this.#config, { add, remove }),
    );
    for (const { table, error } of uncapturable) {
      this.#schema.uncapturable({ table, error });
      this.#calls.fail(table.name, error);
    }
    this.#schema.moves.ours(schemaMoves);
    this.#installation = readInstallation(this.#session.writer, this.#config)!;
    this.#calls.installed(this.#installation.tables.map(({ description }) => description.name));
    this.#tables.keep(this.#installation.tables);
  }

  async *#poll(): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const { chunks, signal } = this.#context;
    const top = await retrying(this.#context, this.#config, () => {
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
      const isFirst = this.#calls.pending.size > 0 && this.#calls.pending.size === this.#installation.tables.length;
      this.#context.reportState({ phase: isFirst ? 'snapshot' : 'streaming', caughtUp: false });
      await this.#tables.open(this.#installation.tables, this.#survey);
      if (top > this.#sequence) {
        if (this.#fresh && this.#calls.pending.size > 0) {
          this.#sequence = top;
          this.#change = identityAt(reader, this.#config.prefix, top);
        } else yield* this.#readChanges(top);
        if (signal.aborted) return;
      }
      this.#schema.moves.take();
      const announced = this.#calls.takeAnnounced();
      if (announced.length > 0) this.#endAppend(systemClock.nowUs(), this.#completed(this.#tables.topicsOf(announced)));
      this.#tell();
      yield* this.#readTables(isFirst ? 'snapshot' : 'streaming');
      if (signal.aborted) return;
      this.#tell();
      if (!this.#survey && this.#calls.pending.size === 0) this.verifications.read();
    } finally {
      reader.exec('COMMIT');
    }
    const last = chunks.take();
    failpoint('sqlite-after-read');
    if (last) yield last;
    yield* this.verifications.compare();
    this.#fresh = false;
    if (this.#calls.pending.size === 0) this.#context.reportState({ phase: 'streaming', caughtUp: true });
  }

  /** The writers' clock is that of this machine. */
  #confirm(lookedMs: number): void {
    this.#context.sourceClock(systemClock.nowMs() * 1000, systemClock.monotonicMs());
    this.#context.confirm(lookedMs);
  }

  #checkSchema(): void {
    const others = { pending: [...this.#calls.pending], refused: [...this.#calls.refused] };
    const [config, position, installed] = [this.#config, this.position, this.#installation.tables];
    const seen = this.#schema.look(this.#session.reader, { config, position, installed, others });
    if (seen && isUnchanged(seen)) this.#warnings.say(seen.findings);
    else if (seen) this.#survey = seen;
  }

  /** The changes behind the last sequence number up to `top`, as one append. */
  async *#readChanges(top: number): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const { chunks, signal } = this.#context;
    const rows = changesBetween(reader, this.#config.prefix, this.#sequence, top);
    // The time of the newest statement, by the writer's clock: SQLite knows no time of a commit.
    let newest = 0;
    let last: ChangeRow = [];
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
    this.#tables.callAgain(this.#schema.moves.take(), this.#survey);
    this.#endAppend(microsOfJulianDay(newest));
  }

  #writeChange(row: ChangeRow): void {
    const id = Number(row[1]);
    this.#schema.moves.wrote(id);
    const writer = this.#tables.get(id);
    if (!writer) {
      // Of a table that is read, stands still, or is captured no more.
      const table = this.#installation.tables.find((each) => each.id === id);
      if (table) this.#calls.standing.touched(table.description.name);
      return;
    }
    const { chunks } = this.#context;
    const mark = chunks.mark();
    const op = Number(row[2]);
    try {
      if (op === changeOp.delete) writer.writeDelete(row, valuesAt);
      else writer.writeRow(op === changeOp.update ? 'u' : 'c', row, valuesAt);
    } catch (error) {
      if (!isOfOneTable(error)) throw error;
      chunks.rewind(mark);
      const { table } = writer.source;
      // Of one that is read again the values may be of other columns already.
      if (namesOfAltered(this.#survey).has(table)) this.#tables.close(table);
      else this.#stop(table, error);
    }
  }

  /** The pending tables that are as they were installed. */
  async *#readTables(phase: 'snapshot' | 'streaming'): AsyncGenerator<Chunk> {
    const { reader } = this.#session;
    const others = new Set([...namesOfAltered(this.#survey), ...(this.#survey?.gone ?? [])]);
    const tables = this.#installation.tables.filter(
      ({ description: { name } }) => this.#calls.pending.has(name) && !others.has(name),
    );
    if (tables.length === 0) return;
    const reading = new TableReading({
      reader,
      config: this.#config,
      context: this.#context,
      tables,
      causeOf: (name) => this.#calls.causeOf(name),
      endAppend: (commitTimeUs) => this.#endAppend(commitTimeUs),
      report: (snapshot) => this.#context.reportState({ phase, snapshot, caughtUp: false }),
      onOpened: (writer) => this.#tables.add(writer),
      onFailed: (name, error) => this.#stop(name, error),
    });
    yield* reading.chunks();
    if (this.#context.signal.aborted) return;
    this.#tell();
    for (const { description } of tables) this.#calls.done(description.name);
    this.#endAppend(systemClock.nowUs(), this.#completed(reading.topics));
  }

  #completed(topics: readonly string[]): AppendControl {
    return { kind: 'snapshot-completed', connector: this.#config.connector, topics };
  }

  #tell(): void {
    for (const control of this.#calls.takeControls()) this.#endAppend(systemClock.nowUs(), control);
  }

  #endAppend(commitTimeUs: number, control?: AppendControl): void {
    this.#context.chunks.endAppend({ position: printPosition(this.position), commitTimeUs, control });
  }
}
