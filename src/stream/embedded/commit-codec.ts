// How the appends of an engine commit lie in a row of wt_commit: who, where, when, and in which order their records stand
// among the partitions. Records of an append may alternate between topics (a transaction over two tables), so the order is
// kept as runs `(part, how many)`; a part is a topic-partition with the offset that the commit began at in it. The blob is sealed
// (core/seal.ts) together with the row's other columns that never change.
import type { AppendControl } from '../../core/append-control.js';
import { ByteReader, ByteWriter } from '../../core/bytes.js';
import { assert } from '../../core/errors.js';
import { corruptData, openSealed, restoreHint, seal, sealBytes, sealedFormat, type Identity } from '../../core/seal.js';
import type { TransactionId } from '../../core/transaction-id.js';

/** In format 1 texts stood whole. */
const commitFormat = 2;
const flag = { position: 1, transactionId: 2, control: 4 } as const;

export interface CommitPart {
  readonly topicId: number;
  readonly partition: number;
  readonly baseOffset: number;
}

interface AppendFacts {
  readonly producer: string;
  readonly commitTimeUs: number;
  readonly control?: AppendControl | undefined;
}

/** As it is written. */
interface NewAppend extends AppendFacts {
  readonly transaction?: TransactionId | undefined;
}

export interface CommitAppend extends AppendFacts {
  readonly transactionId?: string | undefined;
  readonly position: string | null;
  /** Pairs: index into the commit's parts, number of records. */
  readonly runs: readonly number[];
}

export interface DecodedCommit {
  readonly parts: readonly CommitPart[];
  readonly appends: readonly CommitAppend[];
  /** Written with a checksum; else by an earlier version, without. */
  readonly sealed: boolean;
}

/**
 * A text as what it has in common with the one before of its kind, and the rest: the positions and ids of a source's transactions differ in
 * a few digits. `known` is the one before.
 */
function putText(to: ByteWriter, text: string, known: string): void {
  const most = Math.min(text.length, known.length);
  let common = 0;
  while (common < most && text.charCodeAt(common) === known.charCodeAt(common)) common++;
  // Not between the halves of a character.
  if (common > 0 && (text.charCodeAt(common - 1) & 0xfc00) === 0xd800) common--;
  to.varint(common);
  to.string(text.slice(common));
}

/** The same of an id, whose texts are compared by their parts. `known`: its digits, too. */
function putId(to: ByteWriter, { head }: TransactionId, digits: string, known: KnownId): void {
  if (head !== known.head) return putText(to, head + digits, known.head + known.digits);
  let common = 0;
  while (common < digits.length && digits.charCodeAt(common) === known.digits.charCodeAt(common)) common++;
  to.varint(head.length + common);
  to.string(digits.slice(common));
}

function takeText(from: ByteReader, known: string): string {
  const common = from.varint();
  return known.slice(0, common) + from.string();
}

interface KnownId {
  head: string;
  digits: string;
}

/** The texts before, by kind. */
interface Known {
  position: string;
  transactionId: string;
}

/** Collects appends in order, then gives the blob. One per log, used again for each commit. */
export class CommitBuilder {
  readonly #appends = new ByteWriter(4096);
  readonly #head = new ByteWriter(256);
  readonly #producers = new Map<string, number>();
  #position = '';
  readonly #id: KnownId = { head: '', digits: '' };
  #count = 0;

  start(): void {
    this.#appends.reset();
    this.#position = this.#id.head = this.#id.digits = '';
    this.#producers.clear();
    this.#count = 0;
  }

  /**
   * `position`: what is told of the append's own. `runs`: the pairs as varints, `runCount` of them; a long transaction over two tables has
   * one for each record.
   */
  append(append: NewAppend, position: string | null, runs: ByteWriter, runCount: number): void {
    const to = this.#appends;
    let producer = this.#producers.get(append.producer);
    if (producer === undefined) {
      producer = this.#producers.size;
      this.#producers.set(append.producer, producer);
    }
    to.varint(producer);
    to.u8(
      (position === null ? 0 : flag.position) |
        (append.transaction === undefined ? 0 : flag.transactionId) |
        (append.control === undefined ? 0 : flag.control),
    );
    if (position !== null) {
      putText(to, position, this.#position);
      this.#position = position;
    }
    if (append.transaction !== undefined) {
      const { head, digits } = append.transaction;
      putId(to, append.transaction, digits, this.#id);
      this.#id.head = head;
      this.#id.digits = digits;
    }
    if (append.control !== undefined) to.string(JSON.stringify(append.control));
    to.signed(append.commitTimeUs);
    to.varint(runCount);
    to.copy(runs.buffer, 0, runs.length);
    this.#count++;
  }

  /** The blob; a copy is not needed, SQLite makes its own. */
  finish(parts: Iterable<CommitPart> & { readonly length: number }, identity: Identity): Buffer {
    const head = this.#head;
    head.reset();
    head.u8(sealedFormat(commitFormat));
    head.length += sealBytes;
    head.varint(parts.length);
    for (const part of parts) {
      head.varint(part.topicId);
      head.varint(part.partition);
      head.varint(part.baseOffset);
    }
    head.varint(this.#producers.size);
    for (const name of this.#producers.keys()) head.string(name);
    head.varint(this.#count);
    head.bytes(this.#appends.written());
    const blob = head.written();
    seal(blob, identity);
    return blob;
  }
}

/** The columns of the row. */
export interface StoredCommit {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly control: number;
  readonly appends: Buffer;
}

export function commitIdentity({ firstSeq, lastSeq, control }: Omit<StoredCommit, 'appends'>): Identity {
  return [firstSeq, lastSeq, control];
}

/** Throws corrupt-data. */
export function decodeCommit(commit: StoredCommit): DecodedCommit {
  const { appends: blob, firstSeq, lastSeq } = commit;
  const opened = Buffer.isBuffer(blob) ? openSealed(blob, commitIdentity(commit)) : undefined;
  if (opened === undefined)
    throw corruptData({ what: `the log, the appends from seq ${firstSeq} to ${lastSeq}`, repair: restoreHint });
  const from = new ByteReader(blob, opened.at);
  const { format } = opened;
  assert(format >= 1 && format <= commitFormat, 'the format of a commit is known');
  const parts: CommitPart[] = [];
  for (let n = from.varint(); n > 0; n--) {
    parts.push({ topicId: from.varint(), partition: from.varint(), baseOffset: from.varint() });
  }
  const producers: string[] = [];
  for (let n = from.varint(); n > 0; n--) producers.push(from.string());
  const appends: CommitAppend[] = [];
  const known: Known | undefined = format === 1 ? undefined : { position: '', transactionId: '' };
  for (let n = from.varint(); n > 0; n--) appends.push(decodeAppend(from, producers, known));
  return { parts, appends, sealed: opened.sealed };
}

/** `known`: undefined where texts stand whole. */
function decodeAppend(from: ByteReader, producers: readonly string[], known: Known | undefined): CommitAppend {
  const producer = producers[from.varint()]!;
  const flags = from.u8();
  const text = (kind: keyof Known) =>
    known === undefined ? from.string() : (known[kind] = takeText(from, known[kind]));
  const position = (flags & flag.position) === 0 ? null : text('position');
  const transactionId = (flags & flag.transactionId) === 0 ? undefined : text('transactionId');
  const control = (flags & flag.control) === 0 ? undefined : (JSON.parse(from.string()) as AppendControl);
  const commitTimeUs = Number(from.signed());
  const runs: number[] = [];
  for (let n = from.varint() * 2; n > 0; n--) runs.push(from.varint());
  return { producer, position, commitTimeUs, transactionId, control, runs };
}
