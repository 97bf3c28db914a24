// Reading the commit topic: forward for followers, and back from its end for where a producer stands. Two views of it: what is
// visible to everybody (up to the first open transaction), and what is decided, which also sees behind open transactions of
// other producers: so a producer that starts again does not have to wait for another one that died.
//
// The leader may trim the topic up to a commit with the control `log-start` (commit-trim.ts). Who reads behind a seq before that would
// miss appends, and gets too-old; who looks back for a producer finds what is there, and must know where the producer stood at a place
// that is still in the topic.
import { AppError } from '../../core/errors.js';
import type { BrokerLink } from './broker-link.js';
import { parseCommit, seqOf, type Commit, type LogHeader } from './commit-record.js';
import { eachCommitted, fetchPartition } from './fetch-partition.js';
import { RecordReader } from './record-reader.js';
import type { FetchedPart } from './requests.js';
import type { TopicDirectory, TopicEntry } from './topic-directory.js';

export interface PlacedCommit {
  readonly offset: number;
  readonly producer: string;
  readonly commit: Commit;
}

export interface CommitPage {
  readonly commits: readonly PlacedCommit[];
  /** Where to go on. */
  readonly next: number;
  /** Everything before it is decided and was visible when this page was read. */
  readonly visibleEnd: number;
}

const pageBytesMax = 1024 * 1024;
/** Looking back from the end: so many offsets first, then eight times as many. */
const firstLookBack = 512;

export class CommitTopic {
  readonly name: string;
  readonly topicId: string;
  readonly header: LogHeader;
  /** Where the commits begin: behind the header's record, or with the `log-start` up to which the topic was trimmed. */
  #first: number;
  #trimmed: boolean;
  readonly #directory: TopicDirectory;

  constructor(
    topic: TopicEntry,
    header: LogHeader,
    { first, trimmed }: { readonly first: number; readonly trimmed: boolean },
    directory: TopicDirectory,
  ) {
    this.name = topic.name;
    this.topicId = topic.topicId;
    this.header = header;
    this.#first = first;
    this.#trimmed = trimmed;
    this.#directory = directory;
  }

  /** Commits from an offset on that everybody may see; waits up to `waitMs` for the first. */
  async page(link: BrokerLink, offset: number, waitMs: number): Promise<CommitPage> {
    if (this.#trimmed && offset < this.#first) throw this.#tooOld(offset);
    const from = Math.max(offset, this.#first);
    const part = await this.#fetch(link, from, waitMs, true);
    if (part === undefined) return { commits: [], next: await this.#outOfRange(link, from), visibleEnd: from };
    const commits: PlacedCommit[] = [];
    const next = eachCommitted(part, from, (reader) => {
      commits.push(this.#place(reader));
    });
    return { commits, next, visibleEnd: part.lastStableOffset };
  }

  #fetch(link: BrokerLink, offset: number, waitMs: number, committed: boolean): Promise<FetchedPart | undefined> {
    const options = { committed, waitMs, bytesMax: pageBytesMax };
    return fetchPartition(link, this.#directory, { topic: this.name, partition: 0, offset, ...options });
  }

  /** A seq beyond the end belongs to no append: the end is where to wait. One before the start is lost. */
  async #outOfRange(link: BrokerLink, offset: number): Promise<number> {
    const leader = await this.#directory.leader(this.name, 0);
    const end = await link.endOffset(leader, this.name, 0, true);
    if (offset >= end) return end;
    await this.#lookForStart(link);
    throw this.#tooOld(offset);
  }

  #tooOld(offset: number): AppError {
    const wanted = seqOf(this.header, offset, 0);
    return new AppError('too-old', `the log no longer holds what comes behind seq ${wanted}`, {
      detail: `its commit topic "${this.name}" was trimmed and begins at seq ${this.startSeq}`,
      hint: 'start from a copy of the data folder of a process that is further on; commits.retention.ms says how far a process may fall behind',
    });
  }

  /** Who has applied everything up to here can read the log; 0: it was never trimmed. */
  get startSeq(): number {
    return this.#trimmed ? seqOf(this.header, this.#first, 0) : 0;
  }

  /** Another process may have trimmed the topic since this one looked. */
  async #lookForStart(link: BrokerLink): Promise<void> {
    const leader = await this.#directory.leader(this.name, 0);
    const [start] = await link.listOffsets(leader, [{ topic: this.name, partition: 0 }], {
      at: 'start',
      committed: false,
    });
    if (start! > this.#first) this.trimmedTo(start!);
  }

  trimmedTo(offset: number): void {
    this.#first = offset;
    this.#trimmed = true;
  }

  #place(reader: RecordReader): PlacedCommit {
    const producer = reader.key()?.toString('utf8') ?? '';
    return {
      offset: reader.offset,
      producer,
      commit: parseCommit(reader.value(), `topic "${this.name}" at offset ${reader.offset}`),
    };
  }

  /** Behind the last record that is visible, or (not `visible`) that is stored. */
  async end(link: BrokerLink, visible: boolean): Promise<number> {
    return link.endOffset(await this.#directory.leader(this.name, 0), this.name, 0, visible);
  }

  /**
   * What is decided of one producer from an offset on, in order; all of it when the producer has no open transaction. Rejects with
   * too-old where the topic does not reach back so far.
   */
  async decidedOf(link: BrokerLink, producer: string, from: number): Promise<PlacedCommit[]> {
    await this.#lookForStart(link);
    if (this.#trimmed && from < this.#first) throw this.#tooOld(from);
    return this.#decidedFrom(link, producer, from);
  }

  async #decidedFrom(link: BrokerLink, producer: string, from: number): Promise<PlacedCommit[]> {
    const open = new Map<number, PlacedCommit[]>();
    const decided: PlacedCommit[] = [];
    await this.#walk(link, from, {
      record: (reader) => {
        if (reader.key()?.toString('utf8') !== producer) return;
        const commits = open.get(reader.producerId);
        if (commits === undefined) open.set(reader.producerId, [this.#place(reader)]);
        else commits.push(this.#place(reader));
      },
      end: (reader) => {
        if (reader.controlType() === 'commit') decided.push(...(open.get(reader.producerId) ?? []));
        open.delete(reader.producerId);
      },
    });
    return decided;
  }

  /** Names of the producers whose records here are undecided: nobody sees what lies behind them. */
  async undecided(link: BrokerLink): Promise<readonly string[]> {
    const open = new Map<number, string>();
    await this.#walk(link, await this.end(link, true), {
      record: (reader) => void open.set(reader.producerId, reader.key()?.toString('utf8') ?? ''),
      end: (reader) => void open.delete(reader.producerId),
    });
    return [...open.values()];
  }

  /** All that is stored from an offset on, decided or not. */
  async #walk(
    link: BrokerLink,
    from: number,
    visit: { readonly record: (reader: RecordReader) => void; readonly end: (reader: RecordReader) => void },
  ): Promise<void> {
    const end = await this.end(link, false);
    let at = Math.max(from, this.#first);
    while (at < end) {
      const part = await this.#fetch(link, at, 0, false);
      const reader = new RecordReader(part?.records ?? Buffer.alloc(0));
      const start = at;
      while (reader.nextBatch()) {
        at = Math.max(at, reader.lastOffset + 1);
        if (reader.control) {
          visit.end(reader);
          continue;
        }
        while (reader.nextRecord()) if (reader.offset >= start) visit.record(reader);
      }
      if (at === start)
        throw new AppError('log-corrupt', `topic "${this.name}" gives no records at offset ${at} of ${end}`, {
          retriable: true,
        });
    }
  }

  /**
   * The newest decided commit of a producer, not looking further back than `oldest`: where the caller knows how the producer stood.
   * `always`: one that ever was is in the topic (derived records, see commit-trim.ts). Else it rejects with too-old when the topic does
   * not reach back to `oldest` and none is found.
   */
  async lastOf(
    link: BrokerLink,
    producer: string,
    oldest: number,
    { always = false }: { readonly always?: boolean } = {},
  ): Promise<PlacedCommit | undefined> {
    await this.#lookForStart(link);
    const first = Math.max(oldest, this.#first);
    const end = await this.end(link, false);
    for (let back = firstLookBack; ; back *= 8) {
      const from = Math.max(first, end - back);
      const found = (await this.#decidedFrom(link, producer, from)).at(-1);
      if (found !== undefined) return found;
      if (from > first) continue;
      if (this.#trimmed && oldest < this.#first && !always) throw this.#tooOld(oldest);
      return undefined;
    }
  }

  /** The newest visible append from `oldest` on, and where the view ends. */
  async lastAppend(
    link: BrokerLink,
    oldest: number,
  ): Promise<{ readonly seq: number | undefined; readonly visibleEnd: number }> {
    await this.#lookForStart(link);
    const first = Math.max(oldest, this.#first);
    const end = await this.end(link, true);
    for (let back = firstLookBack; ; back *= 8) {
      const from = Math.max(first, end - back);
      const seq = await this.#lastSeq(link, from, end);
      if (seq !== undefined || from === first) return { seq, visibleEnd: end };
    }
  }

  async #lastSeq(link: BrokerLink, from: number, end: number): Promise<number | undefined> {
    let seq: number | undefined;
    for (let at = from; at < end;) {
      const { commits, next } = await this.page(link, at, 0);
      for (const { offset, commit } of commits) {
        if (!commit.sink && commit.appends.length > 0) seq = seqOf(this.header, offset, commit.appends.length - 1);
      }
      if (next <= at) break;
      at = next;
    }
    return seq;
  }
}
