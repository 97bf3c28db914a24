// What a topic holds, for the connector that fills it without a table (connect/held-rows.ts): the newest state of each key. The topic is
// read beside the engine's loop, page by page, into a table of its own in a file without a name; so memory stays bounded, and the loop
// waits for nothing. A reading goes on with what has come to the topic meanwhile at each page that is asked for. It is a copy: one that
// has been let go is made again, so nothing has to be told when nobody needs it any more.
import { setImmediate as turn } from 'node:timers/promises';
import type { HeldRowsRequest } from '../connect/held-rows.js';
import type { Row, RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { ClaimedForm } from '../projector/captured-definitions.js';
import type { RecordDecoder } from '../runtime/source-node.js';
import { exactKeyJson } from '../schema/formats/exact-json.js';
import { openTemporary } from '../sqlite/database.js';
import type { EventLog, TapRecord } from '../stream/event-log.js';

export interface TopicForm {
  readonly topic: string;
  readonly form: ClaimedForm;
}

export interface TopicRowsEnv {
  readonly log: Pick<EventLog, 'partitionEnds' | 'readTopic'>;
  readonly decoderOf: (form: ClaimedForm) => RecordDecoder;
  readonly logger: Logger;
}

export interface TopicRowsPage {
  readonly schema: RowSchema;
  readonly rows: readonly Row[];
}

/** Of one connector and table each; a connector reads its tables one after the other. */
const readingsMax = 8;
const pageRecordsFirst = 100;
const pageRecordsMax = 2000;
/** Of records that are read at once, by those before them. */
const pageBytes = 1024 * 1024;

export class TopicRows {
  readonly #env: TopicRowsEnv;
  /** The one that was begun last comes last. */
  readonly #readings = new Map<string, TopicReading>();
  readonly #begun = new Set<string>();
  readonly #closing = new AbortController();

  constructor(env: TopicRowsEnv) {
    this.#env = env;
  }

  /**
   * The reading that the request goes on with is one of the topic. So is that of an append that is open, where the one before was: rows that
   * have been deleted in it come first again, in the same order.
   */
  isReading(request: HeldRowsRequest): boolean {
    const name = nameOf(request);
    return request.after === null ? request.isOpen && this.#begun.has(name) : this.#readings.has(name);
  }

  /** `of`: undefined where it is not known how its records are read. */
  async page(request: HeldRowsRequest, of: TopicForm | undefined): Promise<TopicRowsPage | null> {
    const name = nameOf(request);
    let reading = request.after === null ? undefined : this.#readings.get(name);
    if (reading === undefined) {
      if (of === undefined) return null;
      reading = new TopicReading(this.#env, of, this.#closing.signal);
      this.#keep(name, reading);
    }
    let isOver = true;
    try {
      const rows = await reading.page(request);
      isOver = rows.length < request.limit;
      return { schema: reading.schema, rows };
    } finally {
      if (isOver && this.#readings.get(name) === reading) this.#letGo(name);
    }
  }

  close(): void {
    this.#closing.abort();
    for (const name of this.#readings.keys()) this.#letGo(name);
  }

  #keep(name: string, reading: TopicReading): void {
    this.#letGo(name);
    this.#begun.add(name);
    this.#readings.set(name, reading);
    for (const oldest of this.#readings.keys()) {
      if (this.#readings.size <= readingsMax) return;
      this.#letGo(oldest);
    }
  }

  #letGo(name: string): void {
    this.#readings.get(name)?.close();
    this.#readings.delete(name);
  }
}

class TopicReading {
  readonly schema: RowSchema;
  readonly #env: TopicRowsEnv;
  readonly #of: TopicForm;
  readonly #signal: AbortSignal;
  readonly #database = openTemporary();
  readonly #decoder: RecordDecoder;
  readonly #keys: ReturnType<typeof exactKeyJson>;
  /** A delete needs what the row was before. */
  readonly #keepsValues: boolean;
  /** Per partition, up to where it was read. */
  #reached: number[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #pageRecords = pageRecordsFirst;
  /** Records that are not of the present form. */
  readonly #odd = { keys: 0, values: 0 };
  /** Calls that are under way or wait. */
  #calls = 0;
  #isClosed = false;

  constructor(env: TopicRowsEnv, of: TopicForm, signal: AbortSignal) {
    const { form } = of;
    this.#env = env;
    this.#of = of;
    this.#signal = signal;
    this.schema = form.schema;
    this.#decoder = env.decoderOf(form);
    this.#keys = exactKeyJson(form.schema);
    this.#keepsValues = form.captured.envelope !== undefined || form.captured.deletedField;
    this.#database.exec('CREATE TABLE held (key TEXT NOT NULL UNIQUE, value BLOB)');
  }

  /** Rows behind a key. One call after the other. */
  page(request: HeldRowsRequest): Promise<readonly Row[]> {
    this.#calls++;
    const page = this.#turn
      .then(() => this.#page(request))
      .finally(() => {
        this.#calls--;
        this.#closeAtRest();
      });
    this.#turn = page.catch(() => {});
    return page;
  }

  /** At once, or when the last call has been answered. */
  close(): void {
    this.#isClosed = true;
    this.#closeAtRest();
  }

  #closeAtRest(): void {
    if (this.#isClosed && this.#calls === 0) this.#database.close();
  }

  async #page({ after, limit, isOpen }: HeldRowsRequest): Promise<readonly Row[]> {
    const isFirst = after === null;
    // What is not decided waits for its markers, unless it is the open append of who asks: that one waits for this answer.
    await this.#follow(isFirst && !isOpen);
    if (isFirst) this.#tellOdd();
    const behind = after === null ? '' : this.#keys.print(plain(after));
    return this.#database
      .statement('SELECT key, value FROM held WHERE key > ? ORDER BY key LIMIT ?')
      .all(behind, limit)
      .map(([key, value]) => this.#row(this.#keys.read(key as string), value as Buffer | null));
  }

  /** Takes what has come to the topic. */
  async #follow(waits: boolean): Promise<void> {
    const { log } = this.#env;
    const { topic } = this.#of;
    const ends = await log.partitionEnds(topic);
    for (const [partition, end] of ends.entries()) {
      while ((this.#reached[partition] ??= 0) < end) {
        this.#signal.throwIfAborted();
        const limit = this.#pageRecords;
        const offset = this.#reached[partition];
        const records = await log.readTopic(topic, partition, offset, limit, waits ? end : undefined);
        this.#signal.throwIfAborted();
        this.#database.transaction(() => this.#take(records));
        this.#reached[partition] = (records.at(-1)?.offset ?? offset - 1) + 1;
        if (records.length < limit) break;
        this.#pageRecords = recordsOfPage(records);
        // The engine's loop goes on between two pages.
        await turn();
      }
    }
  }

  #take(records: readonly TapRecord[]): void {
    const set = this.#database.statement('INSERT OR REPLACE INTO held VALUES (?, ?)');
    const remove = this.#database.statement('DELETE FROM held WHERE key = ?');
    for (const { key, value } of records) {
      const row = this.#key(key);
      if (row === undefined) continue;
      const text = this.#keys.print(row);
      if (value === null || (this.#keepsValues && this.#isDelete(row, value))) remove.run(text);
      else set.run(text, this.#keepsValues ? value : null);
    }
  }

  /** Undefined: it is a key of earlier columns. */
  #key(key: Buffer | null): Row | undefined {
    try {
      const row = this.#decoder.key(key && whole(key));
      if (row.every((part) => part !== null)) return row;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    this.#odd.keys++;
    return undefined;
  }

  #isDelete(key: Row, value: Buffer): boolean {
    try {
      return this.#decoder.row(key, whole(value)) === null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.#odd.values++;
      return false;
    }
  }

  #row(key: Row, value: Buffer | null): Row {
    if (value !== null) {
      try {
        const row = this.#decoder.row(key, whole(value));
        if (row !== null) return row;
      } catch (error) {
        // It was counted when it was taken: its columns are others by now.
        if (!(error instanceof AppError)) throw error;
      }
    }
    const { columns, keyColumns } = this.schema;
    const row: Row[number][] = columns.map(() => null);
    for (const [k, at] of keyColumns.entries()) row[at] = key[k]!;
    return row;
  }

  #tellOdd(): void {
    const { keys, values } = this.#odd;
    if (keys === 0 && values === 0) return;
    this.#env.logger.warn('a topic has records of other columns than its table has now', {
      topic: this.#of.topic,
      ...(keys === 0 ? {} : { staying: keys }),
      ...(values === 0 ? {} : { knownByKey: values }),
    });
  }
}

function nameOf({ connector, table }: HeldRowsRequest): string {
  return JSON.stringify([connector, table]);
}

function whole(buffer: Buffer) {
  return { buffer, start: 0, end: buffer.length };
}

/** How many records like these are read at once. */
function recordsOfPage(records: readonly TapRecord[]): number {
  const bytes = records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0);
  return Math.max(1, Math.min(pageRecordsMax, Math.floor((records.length * pageBytes) / Math.max(1, bytes))));
}

/** From another thread a Buffer comes as the array that it is. */
function plain(key: Row): Row {
  return key.map((part) => (part instanceof Uint8Array ? Buffer.from(part) : part));
}
