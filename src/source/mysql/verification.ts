// A verification under way: the tables that were asked for, one after the other (verified-table.ts), and what is told of them. A table that
// is not what it was when its comparison began is compared anew; one that cannot be compared is skipped, with the reason. Nothing that
// happens here ends the run.
import { systemClock } from '../../core/clock.js';
import { AppError, toAppError } from '../../core/errors.js';
import { sameSchema } from '../../core/schema-change.js';
import { splitName } from '../../core/table-name.js';
import type { VerifyReport, VerifyRequest } from '../verification.js';
import { VerifyBook, type VerifiedEntry } from '../verify-book.js';
import { keyLookup } from './key-lookup.js';
import type { Snapshots } from './snapshots.js';
import type { SnapshotsOptions } from './snapshots-options.js';
import type { StatementEffect } from './table-knowledge.js';
import { describeTable, sourceTable } from './table-schema.js';
import { VerifiedTable } from './verified-table.js';

export interface VerificationOptions extends SnapshotsOptions {
  readonly snapshots: Pick<Snapshots, 'isCalled' | 'isAltered' | 'isFirst'>;
  readonly report: (so: VerifyReport) => void;
}

/** A table that is being changed is asked for again. */
const againMs = 100;
const attemptsMax = 50;
/** Statements may change a table all the time. */
const restartsMax = 5;

export class Verification {
  readonly done: Promise<VerifyReport>;
  readonly #options: VerificationOptions;
  readonly #request: VerifyRequest;
  #settle!: { resolve: (report: VerifyReport) => void; reject: (error: AppError) => void };
  #book: VerifyBook | undefined;
  #at: { readonly entry: VerifiedEntry; readonly table: VerifiedTable } | undefined;
  #notBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Of the table at hand. */
  #attempts = 0;
  #restarts = 0;
  #ended = false;
  /** The table at hand is not as it was described. */
  #changed = false;

  constructor(options: VerificationOptions, request: VerifyRequest) {
    this.#options = options;
    this.#request = request;
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
  }

  /** Between two transactions. False: what is under construction has to go out first. */
  async step(): Promise<boolean> {
    const { reader, context } = this.#options;
    if (this.#ended || reader.inGroup || !this.#mayGoOn()) return true;
    try {
      if (this.#book === undefined || this.#at === undefined) {
        if (!context.chunks.isEmpty) return false;
        await this.#next();
        return true;
      }
      return this.#compare(this.#at);
    } catch (error) {
      const known = toAppError(error);
      if (this.#at === undefined || known.retriable) this.fail(known);
      else this.#skip(this.#at.entry, known.message);
      return context.chunks.isEmpty;
    }
  }

  /** A statement in the stream: what it does to rows no event tells. */
  follow({ emptied, ended, changed }: StatementEffect): void {
    const name = this.#at?.entry.name;
    if (name === undefined) return;
    const names = [...emptied.tables, ...ended, ...changed.map((each) => each.name)];
    if (names.includes(name) || emptied.databases.includes(splitName(name).database)) this.#changed = true;
  }

  fail(error: AppError): void {
    if (this.#ended) return;
    this.#end();
    this.#settle.reject(error);
  }

  #mayGoOn(): boolean {
    const waitMs = this.#notBeforeMs - systemClock.monotonicMs();
    if (waitMs <= 0) return true;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.wakeup.notify();
    }, waitMs);
    return false;
  }

  #compare({ entry, table }: { readonly entry: VerifiedEntry; readonly table: VerifiedTable }): boolean {
    const { captured, snapshots } = this.#options;
    if (snapshots.isCalled(entry.name)) this.#skip(entry, 'it is being read again');
    else if (this.#changed || captured.byName(entry.name) !== table.table.open) this.#restart(entry);
    else {
      const step = table.step();
      this.#book!.tell();
      if (step === 'out') return false;
      if (step === 'done') this.#finish(entry);
    }
    return true;
  }

  async #next(): Promise<void> {
    const { context, captured, report } = this.#options;
    const fold = (name: string): string => captured.known.fold(name);
    this.#book ??= new VerifyBook(await context.heldTables(), this.#request, { fold, tell: report });
    const entry = this.#book.next;
    if (entry !== undefined) return this.#begin(entry);
    const { report: whole } = this.#book;
    this.#end();
    this.#settle.resolve(whole);
  }

  /** The table has to be as it is captured: while a statement about it is on its way, it is not. */
  async #begin(entry: VerifiedEntry): Promise<void> {
    const { session, captured, config, context, opening, snapshots } = this.#options;
    const { known } = captured;
    entry.state = 'comparing';
    this.#changed = false;
    if (entry.held.schema === undefined) return this.#skip(entry, 'it is captured to its topic only');
    if (entry.held.stopped) return this.#skip(entry, 'it stands still');
    if (!known.matches(entry.name)) return this.#skip(entry, 'it is left out by the filters of the connector');
    if (known.isLeftOut(entry.name)) return this.#skip(entry, known.reasonOf(entry.name));
    if (snapshots.isCalled(entry.name)) return this.#skip(entry, 'it is being read again');
    const schema = await describeTable(session, entry.name, (text) => known.fold(text), config.modes);
    if (schema === 'gone') return this.#skip(entry, 'the source has no such table');
    if (schema instanceof AppError) return this.#skip(entry, schema.message);
    const held = (await context.heldTables()).find(({ name }) => name === entry.held.name);
    const isSame =
      schema !== 'changing' &&
      !snapshots.isAltered(entry.name) &&
      held?.schema !== undefined &&
      sameSchema(held.schema, context.recordsOf(sourceTable(schema, captured.filter)));
    if (!isSame) {
      if (++this.#attempts === attemptsMax) this.#skip(entry, 'its columns are being changed');
      else this.#pause(againMs);
      return;
    }
    const open = await opening.asItIs(schema);
    const { rowsPerSecond, repair } = this.#request;
    const chunkRows = Math.min(config.chunkRows, Math.max(100, rowsPerSecond ?? Infinity));
    const table = new VerifiedTable(
      {
        ...this.#options,
        config: { ...config, chunkRows },
        connection: session.options,
        repair,
        onDifference: (difference) => this.#book!.differs(entry, difference),
        onCompared: (rows) => {
          if (rowsPerSecond !== null) this.#pause((rows * 1000) / rowsPerSecond);
        },
        onChanged: () => {
          this.#changed = true;
          this.#options.wakeup.notify();
        },
      },
      { schema, open },
      held,
      entry.counts,
    );
    if (keyLookup(schema) === undefined)
      entry.reason = 'rows that the source does not have are not looked for: its key cannot be compared exactly';
    this.#at = { entry, table };
  }

  #pause(ms: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, systemClock.monotonicMs()) + ms;
    this.#options.wakeup.notify();
  }

  #finish(entry: VerifiedEntry): void {
    this.#leave();
    this.#book!.finish(entry);
    this.#goOn();
  }

  #skip(entry: VerifiedEntry, reason: string): void {
    this.#leave();
    this.#book!.skip(entry, reason);
    this.#goOn();
  }

  #restart(entry: VerifiedEntry): void {
    if (++this.#restarts > restartsMax) return this.#skip(entry, 'it is changed by statements all the time');
    this.#leave();
    this.#book!.restart(entry);
    this.#attempts = 0;
    this.#options.wakeup.notify();
  }

  #goOn(): void {
    this.#attempts = 0;
    this.#restarts = 0;
    this.#options.wakeup.notify();
  }

  #leave(): void {
    void this.#at?.table.close();
    this.#at = undefined;
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#leave();
  }
}
