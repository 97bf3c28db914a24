// Changes of one table in one engine commit as a blob. Per change: a byte of flags; what differs from the change before (seq,
// index, rowtime, commit time); how much older the old row's rowtime is; the old row; the new row, as a difference from the old one
// where there is one. Format 1 kept no rowtime of the old row. Blobs, and what marks between them hold, are sealed (core/seal.ts) together
// with the row's other columns.
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { assert } from '../../core/errors.js';
import { openSealed, seal, sealBytes, sealedFormat, type Identity, type Opened } from '../../core/seal.js';
import { comparePlaces, type Place } from '../../core/version.js';
import type { RowChange } from '../state-store.js';
import type { RowCodec } from './row-codec.js';

const feedFormat = 2;
/** Of a mark: nothing behind it for a rebuild, or the columns that the table has from there on, as JSON. */
const markFormat = 8;
/** `[`, with which the columns of a mark of earlier versions began, as a sealed blob never does. */
const jsonStart = 0x5b;
const flag = { before: 1, after: 2, seq: 4, index: 8, rowtime: 16, commitTime: 32, beforeRowtime: 64 } as const;

/** Collects the changes of one table until they are written. */
export class FeedBuilder {
  readonly codec: RowCodec;
  readonly #to = new ByteWriter(16 * 1024);
  count = 0;
  firstSeq = 0;
  lastSeq = 0;
  lastIndex = -1;
  #rowtimeMs = 0;
  #commitTimeUs = 0;

  constructor(codec: RowCodec) {
    this.codec = codec;
  }

  get bytes(): number {
    return this.#to.length;
  }

  add({ seq, index, before, after, rowtimeMs, beforeRowtimeMs = rowtimeMs, commitTimeUs }: RowChange): void {
    const to = this.#to;
    if (this.count === 0) {
      to.u8(sealedFormat(feedFormat));
      to.reserve(sealBytes);
      to.length += sealBytes;
      to.varint(seq);
      this.firstSeq = this.lastSeq = seq;
    }
    let flags = (before === null ? 0 : flag.before) | (after === null ? 0 : flag.after);
    const seqStep = seq - this.lastSeq;
    if (seqStep !== 0) flags |= flag.seq;
    const nextIndex = seqStep === 0 ? this.lastIndex + 1 : 0;
    if (index !== nextIndex) flags |= flag.index;
    if (rowtimeMs !== this.#rowtimeMs) flags |= flag.rowtime;
    if (commitTimeUs !== this.#commitTimeUs) flags |= flag.commitTime;
    const older = before === null ? 0 : rowtimeMs - beforeRowtimeMs;
    if (older !== 0) flags |= flag.beforeRowtime;
    to.u8(flags);
    if (seqStep !== 0) to.varint(seqStep);
    if (index !== nextIndex) to.varint(index);
    if (rowtimeMs !== this.#rowtimeMs) to.signed(rowtimeMs - this.#rowtimeMs);
    if (commitTimeUs !== this.#commitTimeUs) to.signed(commitTimeUs - this.#commitTimeUs);
    if (older !== 0) to.signed(older);
    if (before !== null) this.codec.write(to, before);
    if (after !== null) {
      if (before === null) this.codec.write(to, after);
      else this.codec.writeDifference(to, after, before);
    }
    this.count++;
    this.lastSeq = seq;
    this.lastIndex = index;
    this.#rowtimeMs = rowtimeMs;
    this.#commitTimeUs = commitTimeUs;
  }

  /** A view, valid until the next `add`. */
  blob(identity: Identity): Buffer {
    const blob = this.#to.written();
    seal(blob, identity);
    return blob;
  }

  reset(): void {
    this.#to.reset();
    this.count = 0;
    this.lastIndex = -1;
    this.#rowtimeMs = 0;
    this.#commitTimeUs = 0;
  }
}

/** What is read of a feed at a time. */
export interface FeedPage {
  readonly changes: RowChange[];
  /** Of memory, about; the page is full when nothing is left. */
  bytesLeft: number;
}

/** A value of a row that is read, beside its content. */
const valueBytes = 8;

/** The columns of a row of wt_feed. */
export interface FeedRow {
  readonly tableId: number;
  /** Null: a mark. */
  readonly schemaId: number | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastIndex: number;
}

export function feedIdentity({ tableId, schemaId, firstSeq, lastSeq, lastIndex }: FeedRow): Identity {
  return [tableId, schemaId, firstSeq, lastSeq, lastIndex];
}

/** What a mark holds; `columns`: as JSON, empty for a rebuild. */
export function markBlob(columns: string, row: FeedRow): Buffer {
  const blob = Buffer.alloc(1 + sealBytes + Buffer.byteLength(columns));
  blob[0] = sealedFormat(markFormat);
  blob.write(columns, 1 + sealBytes);
  seal(blob, feedIdentity(row));
  return blob;
}

/** The columns in a mark, empty for a rebuild; undefined: not what was written. */
export function openMark(
  blob: Buffer,
  row: FeedRow,
): { readonly columns: string; readonly sealed: boolean } | undefined {
  if (blob.length === 0 || blob[0] === jsonStart) return { columns: blob.toString(), sealed: false };
  const opened = openSealed(blob, feedIdentity(row));
  if (opened?.format !== markFormat || !opened.sealed) return undefined;
  return { columns: blob.toString('utf8', opened.at), sealed: true };
}

/** Undefined: not what was written. */
export function openFeedBlob(blob: Buffer, row: FeedRow): Opened | undefined {
  const opened = openSealed(blob, feedIdentity(row));
  return opened === undefined || opened.format === markFormat ? undefined : opened;
}

/** Adds to the page what lies behind `after`, until the page is full. */
export function readFeedBlob(
  blob: Buffer,
  { format, at }: Pick<Opened, 'format' | 'at'>,
  codec: RowCodec,
  after: Place,
  page: FeedPage,
): void {
  const from = new ByteReader(blob, at);
  assert(format >= 1 && format <= feedFormat, 'the format of a feed blob is known');
  let seq = from.varint();
  let index = -1;
  let rowtimeMs = 0;
  let commitTimeUs = 0;
  while (!from.done && page.bytesLeft > 0) {
    const start = from.at;
    const flags = from.u8();
    const moved = (flags & flag.seq) !== 0;
    if (moved) seq += from.varint();
    index = (flags & flag.index) !== 0 ? from.varint() : moved ? 0 : index + 1;
    if ((flags & flag.rowtime) !== 0) rowtimeMs += Number(from.signed());
    if ((flags & flag.commitTime) !== 0) commitTimeUs += Number(from.signed());
    const older = (flags & flag.beforeRowtime) === 0 ? 0 : Number(from.signed());
    const before = (flags & flag.before) === 0 ? null : codec.read(from);
    const afterRow =
      (flags & flag.after) === 0 ? null : before === null ? codec.read(from) : codec.readDifference(from, before);
    const beforeRowtimeMs = before === null ? undefined : rowtimeMs - older;
    const change = { seq, index, before, after: afterRow, rowtimeMs, beforeRowtimeMs, commitTimeUs };
    if (comparePlaces(change, after) <= 0) continue;
    page.changes.push(change);
    const rows = (before === null ? 0 : 1) + (afterRow === null ? 0 : 1);
    page.bytesLeft -= from.at - start + rows * codec.width * valueBytes;
  }
}
