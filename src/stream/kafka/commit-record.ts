// A record of the commit topic: the appends of one Kafka transaction. JSON, so that any consumer and any person can read it; key =
// the producer. seq = base + offset * 4096 + place among the appends of the record, so no counter has to be kept anywhere.
// The topic's first record is the header {logId, base, format}; once the topic is trimmed, it is a commit with the control `log-start`,
// which says the same.
//
//   s, n      session of the producer (one opening of it) and number of the record in it, from 1; 0 opens the session
//   p         the producer's position behind this record
//   parts     [topic, topic id, partition, [first offset, count, ...]]: where the transaction's records are
//             (one longer than 256 characters stands here only, and belongs to the last of the appends)
//   appends   [position, commit time in µs, [part, count, ...], extra?]: which of them belong to which append, in order;
//             their order among the parts stands in each record's own `order` header
//   imported  true: the parts lie in a topic of others (import-producer.ts)
//   sink      true: records that queries derived; the position is the seq that caused them, and `read` leaves them out
import type { AppendControl } from '../../core/append-control.js';
import { AppError, assert } from '../../core/errors.js';
import { toldPositionLengthMax } from '../../core/append.js';

export const commitFormat = 'writethrough-commits/1';
export const appendsPerCommit = 4096;

export interface LogHeader {
  readonly logId: string;
  readonly base: number;
}

export interface CommitPart {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  /** Pairs: first offset, number of records. One pair, unless others wrote to the partition in between. */
  readonly segments: readonly number[];
}

/** The offset behind the last record of the part. */
export function endOf({ segments }: Pick<CommitPart, 'segments'>): number {
  return segments.at(-2)! + segments.at(-1)!;
}

export interface CommitAppend {
  readonly position: string | null;
  readonly commitTimeUs: number;
  /** Pairs: index into the parts, number of records. */
  readonly counts: readonly number[];
  readonly transactionId: string | undefined;
  readonly control: AppendControl | undefined;
  /** The records have timestamps that are not the commit time. */
  readonly ownTimestamps: boolean;
}

export interface Commit {
  readonly session: string;
  readonly number: number;
  readonly position: string | null;
  readonly parts: readonly CommitPart[];
  readonly appends: readonly CommitAppend[];
  readonly sink: boolean;
  /** The records were written by others: they have no headers of ours, and their order is that of the parts. */
  readonly imported: boolean;
}

type AppendExtra = { gtid?: string | undefined; control?: AppendControl | undefined; ts?: true | undefined };
type AppendText = [string | null, number, readonly number[], AppendExtra?];
interface CommitText {
  s: string;
  n: number;
  p: string | null;
  parts: [string, string, number, readonly number[]][];
  appends: AppendText[];
  sink?: true;
  imported?: true;
}

export function printCommit(commit: Commit): string {
  const text: CommitText = {
    s: commit.session,
    n: commit.number,
    p: commit.position,
    parts: commit.parts.map(({ topic, topicId, partition, segments }) => [topic, topicId, partition, segments]),
    appends: commit.appends.map(printAppend),
    ...(commit.sink ? { sink: true } : {}),
    ...(commit.imported ? { imported: true } : {}),
  };
  return JSON.stringify(text);
}

function printAppend(append: CommitAppend): AppendText {
  const { commitTimeUs, counts, transactionId, control, ownTimestamps } = append;
  const position = isLong(append.position) ? null : append.position;
  if (transactionId === undefined && control === undefined && !ownTimestamps) return [position, commitTimeUs, counts];
  return [position, commitTimeUs, counts, { gtid: transactionId, control, ...(ownTimestamps ? { ts: true } : {}) }];
}

/** What the topic holds was written by us, or it is not our topic. */
export function parseCommit(value: Buffer | null, place: string): Commit {
  try {
    const text = JSON.parse(value!.toString('utf8')) as CommitText;
    return {
      session: text.s,
      number: text.n,
      position: text.p,
      parts: text.parts.map(([topic, topicId, partition, segments]) => ({ topic, topicId, partition, segments })),
      appends: withLongPosition(text.appends.map(parseAppend), text.p),
      sink: text.sink === true,
      imported: text.imported === true,
    };
  } catch (error) {
    throw new AppError('log-foreign', `${place} holds a record that is not writethrough's`, {
      cause: error,
      hint: 'nothing else may write to the commit topic; take another service.id',
    });
  }
}

function isLong(position: string | null): boolean {
  return position !== null && position.length > toldPositionLengthMax;
}

function withLongPosition(appends: CommitAppend[], position: string | null): CommitAppend[] {
  const last = appends.at(-1);
  if (last !== undefined && isLong(position)) appends[appends.length - 1] = { ...last, position };
  return appends;
}

function parseAppend([position, commitTimeUs, counts, extra]: AppendText): CommitAppend {
  return {
    position,
    commitTimeUs,
    counts,
    transactionId: extra?.gtid,
    control: extra?.control,
    ownTimestamps: extra?.ts === true,
  };
}

export function printHeader(header: LogHeader): string {
  return JSON.stringify({ format: commitFormat, ...header });
}

export function parseHeader(value: Buffer | null, topic: string): LogHeader {
  let header: Partial<LogHeader & { format: string }> = {};
  try {
    header = JSON.parse(value?.toString('utf8') ?? '') as typeof header;
  } catch {
    // Falls through to the refusal below: it is not ours, whatever it is.
  }
  const { format, logId, base } = header;
  if (format !== commitFormat || typeof logId !== 'string' || !Number.isSafeInteger(base)) {
    throw new AppError('log-foreign', `topic "${topic}" is not a commit topic of this format`, {
      detail: `its first record says ${JSON.stringify(format ?? null)} where ${commitFormat} is expected`,
      hint: 'take another service.id, or the version of writethrough that wrote it',
    });
  }
  return { logId, base: base! };
}

/** What the first record of a trimmed commit topic says; undefined: the record is a commit, but no such one, or no commit at all. */
export function headerOfLogStart(value: Buffer | null): LogHeader | 'other commit' | undefined {
  let text: Partial<CommitText> = {};
  try {
    text = JSON.parse(value?.toString('utf8') ?? '') as typeof text;
  } catch {
    // It is no commit, whatever it is.
  }
  if (!Array.isArray(text.appends)) return undefined;
  for (const [, , , extra] of text.appends) {
    if (extra?.control?.kind !== 'log-start') continue;
    const { logId, base } = extra.control;
    return { logId, base };
  }
  return 'other commit';
}

/** The header's record has no place in the sequence, so that 0 lies before every append. */
export function seqOf(header: LogHeader, offset: number, place: number): number {
  const seq = header.base + offset * appendsPerCommit + place;
  assert(Number.isSafeInteger(seq) && place < appendsPerCommit, 'a seq is a safe integer');
  return seq;
}

/** The offset of the commit record that an append with this seq stands in. */
export function offsetOf(header: LogHeader, seq: number): number {
  return Math.max(0, Math.floor((seq - header.base) / appendsPerCommit));
}
