// One table beside its source, in three rounds: its rows at the source, in key order; once more those that were written meanwhile; and then
// the rows that are held, looked up at the source for those that are gone. Each part is read in a view like that of a snapshot chunk
// (snapshot-view.ts), while the keys that the stream changes are recorded. When the stream has passed the view and all of it is applied,
// the part is compared with what is held. A row whose key was not recorded until then is at the source as the view has it, exactly there:
// so a difference in it is one, and the row as it was read is the state of the source at that place of the stream, which repairs it.
// Memory: the parts that are read ahead, a slice of one that is compared, and some keys.
import { AppError, toAppError } from '../../core/errors.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { RecordDifference, RowDifference } from '../verification.js';
import type { Counts } from '../verify-book.js';
import { AbsentRows, type AbsentPage, type AbsentRowsOptions } from './absent-rows.js';
import { readKeys } from './key-rereading.js';
import { SnapshotEmitter } from './snapshot-emitter.js';
import type { SnapshotChunk, SnapshotTable } from './snapshot-chunk.js';
import { Snapshotter } from './snapshotter.js';
import { sourceError } from './source-error.js';
import { isOtherTable } from './table-schema.js';
import type { TransactionReader } from './transaction-reader.js';
import { tableRefusal } from './unreadable.js';

export interface VerifiedTableOptions extends Omit<AbsentRowsOptions, 'held' | 'table' | 'onChanged'> {
  readonly context: SourceContext;
  readonly reader: TransactionReader;
  readonly sourceNowUs: () => number;
  readonly repair: boolean;
  readonly onDifference: (difference: Omit<RowDifference, 'table'>) => void;
  /** So many rows were compared. */
  readonly onCompared: (rows: number) => void;
  /** The table is not as it was described. */
  readonly onChanged: () => void;
}

/** Rows that were handed to the comparison, which has not answered yet or has. */
interface Slice {
  /** Of the part; each with the first of its records. */
  readonly rows: { readonly row: number; readonly record: number }[];
  readonly part: Part;
  answer: readonly RecordDifference[] | 'unknown' | undefined;
  error: AppError | undefined;
}

/** Rows that were read in one view. */
interface Part {
  readonly count: number;
  next: number;
  /** Writes it for the comparison. */
  write(row: number): void;
  isChanged(row: number): boolean;
  repair(row: number): void;
  /** What has come meanwhile was not compared. */
  again(row: number): void;
  release(): void;
}

const sliceRows = 500;
const roundsMax = 5;
const againMax = 5000;
const keysPerReading = 100;

export class VerifiedTable {
  readonly #counts: Counts;
  readonly table: SnapshotTable;
  readonly #options: VerifiedTableOptions;
  readonly #held: HeldTable;
  readonly #snapshotter: Snapshotter;
  readonly #stop = new AbortController();
  #absent: AbsentRows | undefined;
  #part: Part | undefined;
  #slice: Slice | undefined;
  /** Keys that have changed while they were compared, as literals. */
  #again: string[][] = [];
  #rounds = 0;
  /** Of the round at hand. */
  #left: string[][] = [];
  #reading: { chunk: SnapshotChunk | undefined; error: AppError | undefined } | undefined;

  /** `counts`: where it counts. */
  constructor(options: VerifiedTableOptions, table: SnapshotTable, held: HeldTable, counts: Counts) {
    this.#counts = counts;
    this.#options = options;
    this.table = table;
    this.#held = held;
    const cursor = { table: null, key: null };
    this.#snapshotter = new Snapshotter({ ...options, kind: 'incremental', tables: [table], cursor });
  }

  /** Between two transactions. `out`: what is under construction has to go out first. */
  step(): 'waits' | 'out' | 'done' {
    for (;;) {
      if (this.#slice !== undefined) {
        if (this.#slice.error !== undefined) throw this.#slice.error;
        if (this.#slice.answer === undefined) return 'waits';
        this.#settle(this.#slice);
        this.#slice = undefined;
        return this.#options.context.chunks.isEmpty ? 'waits' : 'out';
      }
      this.#part ??= this.#nextPart();
      if (this.#part === undefined) return this.#isDone ? 'done' : 'waits';
      if (!this.#options.context.chunks.isEmpty) return 'out';
      if (this.#part.next < this.#part.count) this.#ask(this.#part);
      else {
        this.#part.release();
        this.#part = undefined;
      }
    }
  }

  get #isDone(): boolean {
    return this.#absent?.done === true;
  }

  #nextPart(): Part | undefined {
    const chunk = this.#snapshotter.peek();
    const { reader } = this.#options;
    if (chunk) {
      if (!reader.reached(chunk.high)) return undefined;
      if (chunk.refusal) throw chunk.refusal;
      this.#counts.rows += chunk.rows.count;
      return this.#partOf(chunk, () => this.#snapshotter.shift());
    }
    if (!this.#snapshotter.done) return undefined;
    const part = this.#rereading();
    if (part !== 'done') return part;
    this.#absent ??= new AbsentRows({ ...this.#options, held: this.#held, table: this.table });
    const page = this.#absent.peek(reader);
    return page && this.#partOfAbsent(this.#absent, page);
  }

  /** Rows that had changed while they were compared, some at a time. */
  #rereading(): Part | undefined | 'done' {
    const { reader, wakeup } = this.#options;
    if (this.#reading === undefined) {
      if (this.#left.length === 0) {
        if (this.#again.length === 0 || this.#rounds === roundsMax) {
          this.#counts.moving += this.#again.length;
          this.#again = [];
          return 'done';
        }
        this.#rounds++;
        this.#left = this.#again.splice(0);
      }
      const keys = this.#left.splice(0, keysPerReading);
      const reading = (this.#reading = {
        chunk: undefined as SnapshotChunk | undefined,
        error: undefined as AppError | undefined,
      });
      readKeys({ ...this.#options, signal: this.#stop.signal }, this.table, keys)
        .then((chunk) => {
          if (this.#stop.signal.aborted) chunk.release();
          else reading.chunk = chunk;
        })
        .catch((error: unknown) => {
          reading.error =
            tableRefusal(error, this.table.open.name) ??
            sourceError(error, 'reading rows again', this.#options.config.user);
          if (isOtherTable(error)) this.#options.onChanged();
        })
        .finally(() => wakeup.notify());
      return undefined;
    }
    const { chunk, error } = this.#reading;
    if (error !== undefined) throw error;
    if (!chunk || !reader.reached(chunk.high)) return undefined;
    return this.#partOf(chunk, () => {
      this.#reading = undefined;
      chunk.release();
    });
  }

  #partOf(chunk: SnapshotChunk, release: () => void): Part {
    const { context, columns } = this.#options;
    const rows = new SnapshotEmitter(chunk, columns.charsets, context.chunks.origin);
    const { encoder, name } = chunk.table.open;
    return {
      count: chunk.rows.count,
      next: 0,
      write: (row) => rows.writeTo(context.comparison.encoderOf(name), row),
      isChanged: (row) => rows.isChanged(row),
      repair: (row) => rows.writeTo(encoder, row),
      again: (row) => {
        if (this.#again.length < againMax) this.#again.push(rows.keyOf(row));
        else this.#counts.moving++;
      },
      release,
    };
  }

  #partOfAbsent(absent: AbsentRows, page: AbsentPage): Part {
    const { context } = this.#options;
    const { name } = this.table.open;
    return {
      count: page.rows.length,
      next: 0,
      write: (row) => absent.delete(page.rows[row]!, context.comparison.encoderOf(name).held),
      isChanged: (row) => absent.isChanged(page, row),
      repair: (row) => absent.delete(page.rows[row]!),
      // The stream has told what became of it.
      again: () => {},
      release: () => absent.shift(),
    };
  }

  #ask(part: Part): void {
    const { context, wakeup } = this.#options;
    const { comparison } = context;
    const slice: Slice = { rows: [], part, answer: undefined, error: undefined };
    const end = Math.min(part.count, part.next + sliceRows);
    const from = part.next;
    for (; part.next < end; part.next++) {
      slice.rows.push({ row: part.next, record: comparison.recordCount });
      part.write(part.next);
    }
    this.#slice = slice;
    comparison
      .compare(this.table.open.name)
      .then((answer) => {
        slice.answer = answer;
      })
      .catch((error: unknown) => {
        slice.error = toAppError(error);
      })
      .finally(() => wakeup.notify());
    this.#options.onCompared(end - from);
  }

  #settle({ rows, part, answer }: Slice): void {
    if (answer === 'unknown')
      throw new AppError('detached', `table ${this.table.open.name} is not known here, or stands still`);
    const { repair, context, reader, sourceNowUs } = this.#options;
    const told = new Set<number>();
    context.chunks.origin.read('incremental', reader.place);
    for (const { record, ...difference } of answer!) {
      const { row } = rows.findLast((each) => each.record <= record)!;
      if (told.has(row)) continue;
      told.add(row);
      if (part.isChanged(row)) {
        part.again(row);
        continue;
      }
      this.#options.onDifference(difference);
      if (!repair) continue;
      part.repair(row);
      this.#counts.repaired++;
    }
    if (!context.chunks.isEmpty)
      context.chunks.endAppend({ position: reader.positionText, commitTimeUs: sourceNowUs() });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#reading?.chunk?.release();
    this.#options.context.comparison.discard();
    await this.#snapshotter.close();
    await this.#absent?.close();
  }
}
