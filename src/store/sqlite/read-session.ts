// A consistent cut: a read transaction on a connection of its own. Rows are read page by page, so that a caller who stops early has
// not paid for the rest, and no statement stays open between two calls.
import type { Column, Row } from '../../core/data-type.js';
import { AppError, assert } from '../../core/errors.js';
import { rowBytes } from '../../core/row-size.js';
import { carriedThrough, carryRow } from '../../core/schema-change.js';
import { corruptData, rebuildHint } from '../../core/seal.js';
import { comparePlaces, type Place } from '../../core/version.js';
import type { SqlValue } from '../../sqlite/database.js';
import { readError } from '../../sqlite/storage-error.js';
import type {
  FeedRead,
  Frontier,
  ReadSession,
  ScanRequest,
  StoredRow,
  TableDescription,
  TableSpec,
} from '../state-store.js';
import { openFeedBlob, openMark, readFeedBlob, type FeedPage, type FeedRow } from './feed-codec.js';
import { feedColumns } from './feed-writer.js';
import { guarded } from './guarded-store.js';
import type { KeyRange, KeyScan } from './key-scan.js';
import type { ReadConnection } from './read-connection.js';
import type { ReaderCatalogue } from './reader-catalogue.js';
import { RowCodec } from './row-codec.js';
import { readDocument, readDocuments, readTable, type CataloguedTable } from './table-catalogue.js';

const firstPageRows = 64;
const pageRowsMax = 512;
/** Of a page that is bounded in rows, about. */
const scanBytes = 1024 * 1024;

/** How the rows under one schema id of the feed are read. */
export interface FeedCodec {
  readonly columns: readonly Column[];
  readonly text: string;
  readonly codec: RowCodec;
}

/** How many like these fit a page; seen by some of them, since others cost as much as to read them. */
function rowsOfBytes(rows: readonly StoredRow[]): number {
  const longest = Math.max(...[0, rows.length >> 1, rows.length - 1].map((i) => rowBytes(rows[i]!.row)));
  return Math.max(1, Math.floor(scanBytes / longest));
}

export interface SessionParts {
  readonly connection: ReadConnection;
  readonly frontier: Frontier;
  readonly catalogue: ReaderCatalogue;
  /** Shared between sessions: what a schema id of the feed means never changes. */
  readonly feedCodecs: Map<number, FeedCodec>;
  /** Takes the connection back. */
  readonly release: () => void;
}

export class SqliteReadSession implements ReadSession {
  readonly frontier: Frontier;
  readonly #parts: SessionParts;
  #open = true;

  constructor(parts: SessionParts) {
    this.frontier = parts.frontier;
    this.#parts = parts;
  }

  table(name: string): TableDescription {
    return this.#describe(this.#catalogue.get(name));
  }

  tables(): readonly TableDescription[] {
    return this.#catalogue.names().map((table) => this.#describe(table));
  }

  #describe({ spec, visible, stopped }: CataloguedTable): TableDescription {
    const stored = readTable(this.#database, spec.id, spec.version);
    assert(stored !== undefined, 'a cut and its catalogue agree');
    return { spec, rowCount: stored.rowCount, visible, frontier: stopped ?? this.frontier };
  }

  get(table: string, key: Row): StoredRow | undefined {
    const found = this.#catalogue.get(table);
    try {
      return this.#connection.get(found, key);
    } catch (error) {
      throw readError(error, found.spec.name);
    }
  }

  *scan({ table, bytesMax, ...range }: ScanRequest): Iterable<StoredRow> {
    const { scan, layout } = this.#connection.table(this.#catalogue.get(table));
    const { keyColumns } = layout.spec.schema;
    let after = range.after;
    let count = 0;
    for (let limit = firstPageRows; ;) {
      assert(this.#open, 'rows are read while the session is open');
      const { rows, ends } = pageOf(scan, { ...range, after }, { limit, bytesMax }, layout.spec.name);
      yield* rows;
      count += rows.length;
      if (ends) break;
      limit = Math.min(limit * 4, pageRowsMax, rowsOfBytes(rows));
      const last = rows.at(-1)!.row;
      after = keyColumns.map((i) => last[i]!);
    }
    const { prefix = [], lower, upper } = range;
    if (range.after === undefined && prefix.length === 0 && !lower && !upper) this.#checkCount(layout.spec, count);
  }

  /** A row that is not met has no checksum that could tell. */
  #checkCount({ id, version, name }: TableSpec, count: number): void {
    const counted = readTable(this.#database, id, version)?.rowCount;
    if (counted === count) return;
    throw corruptData({
      what: `table "${name}", of whose ${counted ?? 0} rows ${count} are found`,
      repair: rebuildHint(name),
      table: name,
    });
  }

  changes(table: string, after: Place, bytesMax: number): FeedRead {
    const { spec } = this.#catalogue.get(table);
    this.#checkRetained(spec.id, spec.name, after);
    const nextBlob = this.#database.statement(
      'SELECT schema_id, first_seq, last_seq, last_index, changes FROM wt_feed WHERE table_id = ? AND (last_seq, last_index) > (?, ?) ORDER BY last_seq, last_index LIMIT 1',
    );
    const page: FeedPage = { changes: [], bytesLeft: bytesMax };
    const { changes } = page;
    const rebuilt: number[] = [];
    const altered: number[] = [];
    let place = after;
    for (;;) {
      const found = nextBlob.get(spec.id, place.seq, place.index);
      if (found === undefined) break;
      const blob = found[4] as Buffer;
      const row = feedRow(spec.id, found);
      place = { seq: row.lastSeq, index: row.lastIndex };
      if (row.schemaId === null) {
        (this.#columnsIn(row, blob) === '' ? rebuilt : altered).push(place.seq);
        continue;
      }
      this.#readBlob(blob, row, spec, after, page);
      if (page.bytesLeft > 0) continue;
      const { seq: lastSeq, index: lastIndex } = changes.at(-1)!;
      // The changes of a rebuild may lie in a blob that goes on behind its mark, so that the mark has come first.
      const passed = (marks: readonly number[]) => marks.filter((of) => of < lastSeq);
      return {
        changes,
        rebuilt: passed(rebuilt),
        altered: passed(altered),
        next: { seq: lastSeq, index: lastIndex },
      };
    }
    const end = { seq: this.frontier.seq, index: Number.POSITIVE_INFINITY };
    return { changes, rebuilt, altered, next: comparePlaces(end, after) > 0 ? end : after };
  }

  #checkRetained(tableId: number, name: string, after: Place): void {
    const start = this.#database
      .statement(`SELECT ${guarded.feedStart.columns} FROM wt_feed_start WHERE table_id = ?`)
      .get(tableId);
    assert(start !== undefined, 'a readable table has a feed');
    guarded.feedStart.check(start);
    const [, seq, index] = start.map(Number) as [number, number, number];
    if (comparePlaces(after, { seq, index }) >= 0) return;
    throw new AppError('too-old', `the changes of table "${name}" behind ${after.seq} are no longer kept`, {
      detail: `the feed of this table begins behind ${seq}: what came before is beyond its retention, or the table became readable there`,
      hint: 'read the table anew and subscribe from the version of that read',
    });
  }

  #damagedFeed({ tableId, firstSeq, lastSeq }: FeedRow): AppError {
    const table = this.#catalogue.tables.find(({ spec }) => spec.id === tableId)?.spec.name;
    return corruptData({
      what: `the change feed of table "${table ?? tableId}", the changes from seq ${firstSeq} to ${lastSeq}`,
      repair:
        'read the table and subscribe from the version of that read; what is damaged goes with the retention of the feed',
      table,
    });
  }

  /** Of a mark. */
  #columnsIn(row: FeedRow, blob: Buffer): string {
    const mark = openMark(blob, row);
    if (mark === undefined) throw this.#damagedFeed(row);
    return mark.columns;
  }

  /** Rows of another form are given in the one that the table has now. */
  #readBlob(blob: Buffer, row: FeedRow, { id, schema }: TableSpec, after: Place, page: FeedPage): void {
    const opened = openFeedBlob(blob, row);
    if (opened === undefined) throw this.#damagedFeed(row);
    const { codec, text, columns: written } = this.#feedCodec(row.schemaId!);
    const from = page.changes.length;
    readFeedBlob(blob, opened, codec, after, page);
    const later = this.#columnsBehind(id, { seq: row.lastSeq, index: row.lastIndex });
    if (later.length === 0 && text === JSON.stringify(schema.columns)) return;
    const carried = carriedThrough([written, ...later, schema.columns]);
    const carry = (row: Row | null) => row && carryRow(row, carried);
    for (let i = from; i < page.changes.length; i++) {
      const change = page.changes[i]!;
      page.changes[i] = { ...change, before: carry(change.before), after: carry(change.after) };
    }
  }

  /** The columns that the table got behind a place, in this order. */
  #columnsBehind(tableId: number, { seq, index }: Place): (readonly Column[])[] {
    return this.#database
      .statement(
        'SELECT schema_id, first_seq, last_seq, last_index, changes FROM wt_feed WHERE table_id = ? AND (last_seq, last_index) > (?, ?) AND schema_id IS NULL AND bytes > 0 ORDER BY last_seq, last_index, id',
      )
      .all(tableId, seq, index)
      .map((row) => JSON.parse(this.#columnsIn(feedRow(tableId, row), row[4] as Buffer)) as readonly Column[]);
  }

  #feedCodec(schemaId: number): FeedCodec {
    const { feedCodecs } = this.#parts;
    let found = feedCodecs.get(schemaId);
    if (found === undefined) {
      const columns = feedColumns(this.#database, schemaId);
      found = { columns, text: JSON.stringify(columns), codec: new RowCodec(columns) };
      feedCodecs.set(schemaId, found);
    }
    return found;
  }

  document(kind: string, name: string): string | undefined {
    return readDocument(this.#database, kind, name);
  }

  documents(kind: string): readonly { readonly name: string; readonly json: string }[] {
    return readDocuments(this.#database, kind);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#parts.release();
  }

  get #connection(): ReadConnection {
    assert(this.#open, 'the session is open');
    return this.#parts.connection;
  }

  get #database() {
    return this.#connection.database;
  }

  get #catalogue(): ReaderCatalogue {
    return this.#parts.catalogue;
  }
}

function feedRow(tableId: number, [schemaId, firstSeq, lastSeq, lastIndex]: readonly SqlValue[]): FeedRow {
  return {
    tableId,
    schemaId: schemaId === null ? null : Number(schemaId),
    firstSeq: Number(firstSeq),
    lastSeq: Number(lastSeq),
    lastIndex: Number(lastIndex),
  };
}

interface PageSize {
  readonly limit: number;
  readonly bytesMax: number | undefined;
}

function pageOf(
  scan: KeyScan,
  range: KeyRange,
  { limit, bytesMax }: PageSize,
  table: string,
): ReturnType<KeyScan['pageWithin']> {
  try {
    return scan.pageWithin(range, limit, bytesMax);
  } catch (error) {
    throw readError(error, table);
  }
}
