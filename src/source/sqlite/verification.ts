// A verification under way. A poll's read transaction is a cut of the file at exactly the place that it hands its changes over up to, so a
// page of rows that is read in it, in key order, is compared with what is held behind the poll, before the next one: then both sides are of
// one place, and nothing has to be recorded. In the end all keys are read in one cut, and what is held beside them is a row too many.
// Nothing that happens here ends the run.
import { systemClock } from '../../core/clock.js';
import { AppError, toAppError } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import { qualifiedName } from '../../core/table-name.js';
import type { SqliteDatabase, SqlValue } from '../../sqlite/database.js';
import { deleteRow } from '../held-deletes.js';
import type { SourceContext } from '../source-connector.js';
import type { RecordDifference, VerifyReport, VerifyRequest } from '../verification.js';
import { VerifyBook, type VerifiedEntry } from '../verify-book.js';
import { hasKeyOf, heldKey, KeySet } from './held-keys.js';
import { quoteName } from './names.js';
import type { TableWriter } from './table-writer.js';

const pageRows = 1000;

export interface VerificationOptions {
  readonly reader: SqliteDatabase;
  readonly context: SourceContext;
  /** The name of the file's database in those of tables. */
  readonly database: () => string;
  /** Of an open table; undefined: it is being read, or stands still. */
  readonly writerOf: (table: string) => TableWriter | undefined;
  readonly endAppend: () => void;
  readonly report: (so: VerifyReport) => void;
}

/** What was read in a cut. */
type Part =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly SqlValue[])[]; readonly isLast: boolean }
  | { readonly kind: 'keys'; readonly keys: KeySet };

export class Verification {
  readonly done: Promise<VerifyReport>;
  readonly #options: VerificationOptions;
  readonly #request: VerifyRequest;
  #settle!: { resolve: (report: VerifyReport) => void; reject: (error: AppError) => void };
  #book: VerifyBook | undefined;
  /** The table at hand, as it was opened. */
  #at: { readonly entry: VerifiedEntry; readonly writer: TableWriter } | undefined;
  /** The key behind which its next page begins; null: the first one. */
  #after: readonly SqlValue[] | null = null;
  #allRead = false;
  #part: Part | undefined;
  #error: AppError | undefined;
  #notBeforeMs = 0;

  constructor(options: VerificationOptions, request: VerifyRequest) {
    this.#options = options;
    this.#request = request;
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** There is something to read now. */
  get isDue(): boolean {
    return systemClock.monotonicMs() >= this.#notBeforeMs;
  }

  /** In the read transaction of a poll, behind its changes. */
  read(): void {
    if (!this.#book || !this.isDue) return;
    const { writerOf, database } = this.#options;
    const entry = this.#book.next;
    if (!entry) return;
    const prefix = qualifiedName({ database: database(), table: '' });
    const writer = writerOf(entry.name.slice(prefix.length));
    if (!writer) return this.#skip(entry, 'it is being read, or stands still');
    // It was opened anew meanwhile: its columns may be others.
    if (this.#at?.writer !== writer) this.#begin(entry, writer);
    try {
      this.#part = this.#allRead ? { kind: 'keys', keys: this.#keysOf(writer) } : this.#pageOf(writer);
    } catch (error) {
      this.#error = toAppError(error);
    }
  }

  /** Behind that poll; nothing else is handed over before it ends. */
  async *compare(): AsyncGenerator<Chunk> {
    const { context } = this.#options;
    const part = this.#part;
    this.#part = undefined;
    try {
      if (this.#error) throw this.#error;
      if (!this.#book) {
        const tell = this.#options.report;
        this.#book = new VerifyBook(await context.heldTables(), this.#request, { fold: (name) => name, tell });
      } else if (part?.kind === 'rows') yield* this.#compareRows(part);
      else if (part?.kind === 'keys') yield* this.#compareKeys(part.keys);
      if (this.#book.next === undefined) this.#settle.resolve(this.#book.report);
      else this.#book.tell();
    } catch (error) {
      this.#error = undefined;
      const known = toAppError(error);
      context.comparison.discard();
      if (this.#at && this.#book && !known.retriable) this.#skip(this.#at.entry, known.message);
      else this.fail(known);
    } finally {
      if (part?.kind === 'keys') part.keys.close();
    }
  }

  fail(error: AppError): void {
    this.#settle.reject(error);
  }

  #begin(entry: VerifiedEntry, writer: TableWriter): void {
    if (this.#at?.entry === entry) this.#book!.restart(entry);
    entry.state = 'comparing';
    this.#at = { entry, writer };
    this.#after = null;
    this.#allRead = false;
  }

  #skip(entry: VerifiedEntry, reason: string): void {
    this.#book!.skip(entry, reason);
    this.#at = undefined;
  }

  #pageOf({ source }: TableWriter): Part {
    const { reader } = this.#options;
    const columns = source.columns.map(({ name }) => quoteName(name));
    const key = source.keyColumns.map((i) => columns[i]!).join(', ');
    const places = source.keyColumns.map(() => '?').join(', ');
    const behind = this.#after ? ` WHERE (${key}) > (${places})` : '';
    const sql = `SELECT ${columns.join(', ')} FROM ${quoteName(source.table)}${behind} ORDER BY ${key} LIMIT ${pageRows}`;
    const rows = reader.prepareExact(sql).all(...(this.#after ?? [])) as SqlValue[][];
    return { kind: 'rows', rows, isLast: rows.length < pageRows };
  }

  #keysOf(writer: TableWriter): KeySet {
    const { source } = writer;
    const isKey = new Set(source.keyColumns);
    const columns = source.columns.map(({ name }, i) => (isKey.has(i) ? quoteName(name) : 'NULL'));
    const keys = new KeySet();
    const sql = `SELECT ${columns.join(', ')} FROM ${quoteName(source.table)}`;
    for (const row of this.#options.reader.prepareExact(sql).iterate()) keys.add(writer.keyText(row, 0));
    return keys;
  }

  async *#compareRows({ rows, isLast }: Part & { kind: 'rows' }): AsyncGenerator<Chunk> {
    const { entry, writer } = this.#at!;
    const { comparison } = this.#options.context;
    const starts: number[] = [];
    for (const row of rows) {
      starts.push(comparison.recordCount);
      writer.writeRow('r', row, 0, comparison.encoderOf(entry.held.name));
    }
    yield* this.#settled(starts, (i) => writer.writeRow('r', rows[i]!, 0));
    entry.counts.rows += rows.length;
    const last = rows.at(-1);
    this.#after = last ? writer.source.keyColumns.map((i) => last[i]!) : this.#after;
    this.#allRead = isLast;
    const { rowsPerSecond } = this.#request;
    if (rowsPerSecond !== null) this.#notBeforeMs = systemClock.monotonicMs() + (rows.length * 1000) / rowsPerSecond;
  }

  async *#compareKeys(keys: KeySet): AsyncGenerator<Chunk> {
    const { entry, writer } = this.#at!;
    const { comparison } = this.#options.context;
    const held = await entry.held.read();
    if (!held) throw unknownHere(entry);
    const { schema } = held;
    if (hasKeyOf(schema, writer.source)) {
      for await (const page of held.pages) {
        const gone = page.filter((row) => !keys.has(heldKey(schema, row)));
        const starts: number[] = [];
        for (const row of gone) {
          starts.push(comparison.recordCount);
          deleteRow(comparison.encoderOf(entry.held.name).held, schema, row);
        }
        yield* this.#settled(starts, (i) => deleteRow(writer.held, schema, gone[i]!));
      }
    } else entry.reason = 'rows that the source does not have are not looked for: the records have another key';
    this.#book!.finish(entry);
    this.#at = undefined;
  }

  /** `starts`: of each row its first record. */
  async *#settled(starts: readonly number[], repair: (row: number) => void): AsyncGenerator<Chunk> {
    if (starts.length === 0) return;
    const { entry } = this.#at!;
    const { context, endAppend } = this.#options;
    const answer: readonly RecordDifference[] | 'unknown' = await context.comparison.compare(entry.held.name);
    if (answer === 'unknown') throw unknownHere(entry);
    const told = new Set<number>();
    for (const { record, ...difference } of answer) {
      const row = starts.findLastIndex((start) => start <= record);
      if (told.has(row)) continue;
      told.add(row);
      this.#book!.differs(entry, difference);
      if (!this.#request.repair) continue;
      repair(row);
      entry.counts.repaired++;
    }
    if (told.size === 0 || !this.#request.repair) return;
    endAppend();
    const chunk = context.chunks.take();
    if (chunk) yield chunk;
  }
}

function unknownHere({ held }: VerifiedEntry): AppError {
  return new AppError('detached', `table ${held.name} is captured to its topic only, or stands still`);
}
