// Reads the tables of a snapshot in the order of their names, several at once, ahead of the stream. It hands over nothing itself: a chunk
// that has been read waits here, with its window and its place in the binlog, until the run finds that the stream has passed that place.
// Chunks are handed over in the order in which they were read, so those of one table in key order. What waits and what is being read is
// bounded for all tables together.
import { systemClock } from '../../core/clock.js';
import type { SnapshotProgress, TableProgress } from '../source-connector.js';
import { ReadAhead } from './read-ahead.js';
import type { SnapshotChunk, SnapshotTable, SnapshotterOptions } from './snapshot-chunk.js';
import { SnapshotReader } from './snapshot-reader.js';
import { hasNoConnectionLeft, sourceError } from './source-error.js';
import { tableName } from './table-schema.js';
import { TablesUnderWay } from './tables-under-way.js';

/** Of all chunks together. Of small tables many wait, so their number is bounded, too. */
const aheadBytes = 24 << 20;
const chunksPerReader = 2;
/** What a chunk aims at where few readers leave it as much. */
const chunkBytes = 8 << 20;

export class Snapshotter {
  readonly #options: SnapshotterOptions;
  readonly #ahead: ReadAhead<SnapshotChunk>;
  readonly #readers: readonly SnapshotReader[];
  /** To be begun, in this order. */
  readonly #tables: SnapshotTable[];
  readonly #underWay: TablesUnderWay;
  readonly #rowCounts = new Map<string, number>();
  readonly #begunMs = new Map<string, number>();
  readonly #doneTables = new Set<string>();
  readonly #skipped = new Set<string>();
  #haveJoined = false;

  constructor(options: SnapshotterOptions) {
    this.#options = options;
    const { tables, cursor, config } = options;
    const names = tables.map(({ schema }) => tableName(schema)).toSorted();
    this.#underWay = new TablesUnderWay(cursor, names);
    const byName = new Map(tables.map((table) => [tableName(table.schema), table]));
    for (const name of names) if (this.#underWay.keyOf(name) === undefined) this.#doneTables.add(name);
    this.#tables = names.filter((name) => !this.#doneTables.has(name)).map((name) => byName.get(name)!);
    const count = readerCount(options, this.#tables.length);
    this.#ahead = new ReadAhead({
      ahead: chunksPerReader * count,
      bytesMax: aheadBytes,
      wakeup: options.wakeup,
      release: (chunk) => chunk.release(),
      failure: (error) => sourceError(error, 'reading the snapshot', config.user),
    });
    const readerOptions = {
      ...options,
      ahead: this.#ahead,
      chunkBytes: Math.min(chunkBytes, Math.trunc(aheadBytes / (count + 1))),
      isSkipped: (table: SnapshotTable) => this.#skipped.has(this.#fold(table)),
      changed: (table: SnapshotTable) => {
        this.#underWay.end(tableName(table.schema));
        options.onChanged(this.#fold(table));
      },
    };
    this.#readers = Array.from({ length: count }, () => new SnapshotReader(readerOptions));
    this.#ahead.begin(() => this.#readWith(this.#readers[0]!));
  }

  /** The oldest chunk that waits; throws what ended the reading. */
  peek(): SnapshotChunk | undefined {
    const chunk = this.#ahead.peek();
    // Where connections are scarce, the stream and the first reader come first: they have theirs by now.
    if (chunk && !this.#haveJoined) {
      this.#haveJoined = true;
      for (const reader of this.#readers.slice(1)) this.#ahead.begin(() => this.#join(reader));
    }
    return chunk;
  }

  /** The oldest chunk has been handed over. */
  shift(): void {
    const chunk = this.#ahead.shift();
    chunk?.release();
    if (!chunk?.last) return;
    this.#doneTables.add(chunk.table.open.name);
    this.#underWay.end(tableName(chunk.table.schema));
  }

  /** So many more rows of the table, up to this key, have been handed over. */
  handedOver({ schema, open }: SnapshotTable, rows: number, key: readonly string[]): void {
    this.#rowCounts.set(open.name, (this.#rowCounts.get(open.name) ?? 0) + rows);
    this.#underWay.reached(tableName(schema), key);
  }

  /** How far it has come. */
  get cursor(): TablesUnderWay['cursor'] {
    return this.#underWay.cursor;
  }

  /** Nothing more is handed over of this table (folded name). */
  skip(name: string): void {
    this.#skipped.add(name);
    for (const table of this.#options.tables)
      if (this.#fold(table) === name) this.#underWay.end(tableName(table.schema));
    this.#ahead.drop((chunk) => this.#fold(chunk.table) === name);
  }

  #fold({ schema }: SnapshotTable): string {
    return this.#options.captured.known.fold(tableName(schema));
  }

  /** True when all tables have been read and handed over. */
  get done(): boolean {
    return this.#ahead.done;
  }

  get progress(): SnapshotProgress {
    return {
      tables: this.#options.tables.map(({ schema, open }) => ({
        table: open.name,
        rows: this.#rowCounts.get(open.name) ?? 0,
        rowsEstimated: schema.rowsEstimated,
        done: this.#doneTables.has(open.name),
        ...this.#pace(open.name, schema.rowsEstimated),
      })),
    };
  }

  /** How fast it comes; nothing before its first rows. */
  #pace(table: string, estimated: number | null): Pick<TableProgress, 'rowsPerSecond' | 'secondsLeft'> {
    const begun = this.#begunMs.get(table);
    const rows = this.#rowCounts.get(table) ?? 0;
    if (begun === undefined || rows === 0) return {};
    const rowsPerSecond = Math.round((rows * 1000) / Math.max(1, systemClock.monotonicMs() - begun));
    if (estimated === null || estimated < rows || rowsPerSecond === 0) return { rowsPerSecond };
    return { rowsPerSecond, secondsLeft: Math.ceil((estimated - rows) / rowsPerSecond) };
  }

  close(): Promise<void> {
    // What the readers ask at this moment is asked for nobody.
    return this.#ahead.close(() => {
      for (const reader of this.#readers) reader.close();
    });
  }

  async #readWith(reader: SnapshotReader): Promise<void> {
    try {
      for (let table = this.#tables.shift(); table !== undefined; table = this.#tables.shift()) {
        if (this.#skipped.has(this.#fold(table))) continue;
        const name = tableName(table.schema);
        this.#underWay.begin(name);
        this.#begunMs.set(table.open.name, systemClock.monotonicMs());
        await reader.read(table, this.#underWay.keyOf(name) ?? null);
        this.#options.wakeup.notify();
      }
    } finally {
      reader.close();
    }
  }

  /** Where the server admits no more connections, those that there are read all tables. */
  async #join(reader: SnapshotReader): Promise<void> {
    if (this.#tables.length === 0) return;
    try {
      await reader.connect();
    } catch (error) {
      if (!hasNoConnectionLeft(error)) throw error;
      const { logger } = this.#options;
      logger.warn('the source has no connection left: fewer tables than snapshot.max.threads are read at once');
      return;
    }
    await this.#readWith(reader);
  }
}

/** Without GTIDs each table takes a global read lock for a moment, behind which writers would wait for what other readers ask. */
function readerCount({ config, server }: SnapshotterOptions, tables: number): number {
  return server.position === 'file' ? 1 : Math.max(1, Math.min(config.snapshotThreads, tables));
}
