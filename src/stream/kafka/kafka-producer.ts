// Writes appends for one producer name. `write` encodes what it gets at once, while the group before is on its way; whatever has
// gathered by then makes the next group, so little load gives little delay and much load large transactions, without a timer.
import { parseNumber } from '../../core/derived.js';
import { AppError, assert } from '../../core/errors.js';
import { extent, extentSize, headersSize, type RecordSet } from '../../core/record.js';
import { endsPerPositionMax, type Chunk } from '../../core/append.js';
import type { AppendProducer, ProducerOptions } from '../event-log.js';
import { TopicRefusal } from '../topic-refusal.js';
import { AppendGroup, type GroupEnd, type Piece, type TargetTopic } from './append-group.js';
import { appendsPerCommit } from './commit-record.js';
import type { ProducerLoop } from './producer-loop.js';
import { batchHeaderBytes, recordOverheadBytes } from './record-batch.js';
import type { TopicDirectory } from './topic-directory.js';

/** A writer may run ahead of the brokers by so much memory. */
const creditBytes = 12 * 1024 * 1024;
const groupBytesMax = 4 * 1024 * 1024;
const commitBytesMax = 512 * 1024;
/** An append that is longer is sent while it grows. */
const openBytesMax = 8 * 1024 * 1024;
/** Headers that the log gives every record, numbers included: op, order, commit time. */
const logHeadersBytes = 64;

/** A whole append, as the engine makes one itself (INSERT VALUES, definitions, sinks). */
export interface WholeAppend extends GroupEnd {
  readonly records: RecordSet;
}

export class KafkaProducer implements AppendProducer {
  readonly name: string;
  readonly position: string | null;
  readonly #loop: ProducerLoop;
  readonly #directory: TopicDirectory;
  readonly #listeners: ((position: string, seq: number) => void)[] = [];
  readonly #targets = new Map<string, TargetTopic>();
  readonly #refused: ProducerOptions['refused'];
  #groups: AppendGroup[] = [];
  #streaming: AppendGroup | undefined;
  #open: Piece[] = [];
  #openBytes = 0;
  #heldBytes = 0;
  #closed = 0;
  #durable = 0;
  #seq: number;
  #failure: AppError | undefined;
  /** Resolves when it has failed, whoever waits for what. */
  readonly failure: Promise<AppError>;
  #failed: (error: AppError) => void = () => {};
  #ended = false;
  #writing: Promise<void> = Promise.resolve();
  readonly #running: Promise<void>;
  #waiters: (() => void)[] = [];

  constructor(loop: ProducerLoop, directory: TopicDirectory, seq: number, { refused }: ProducerOptions = {}) {
    this.#refused = refused;
    this.name = loop.name;
    this.position = loop.position;
    this.#loop = loop;
    this.#directory = directory;
    this.#seq = seq;
    this.failure = new Promise((resolve) => (this.#failed = resolve));
    this.#running = this.#run();
  }

  write(chunk: Chunk): Promise<void> {
    const position = chunk.ends.length === 0 ? null : chunk.ends.position(0);
    return this.#inTurn(chunk.topics, (targets) => this.#take(chunk, targets), position ?? undefined);
  }

  /** Takes an append whose end is known already; not while one is open. */
  append(append: WholeAppend): Promise<void> {
    const { buffers, topics, extents, first, count, timestamps } = append.records;
    assert(first === 0, 'the extents of a whole append are its own');
    return this.#inTurn(topics, (targets) => {
      this.#close({ buffers, targets, extents, from: 0, to: count, timestamps }, append);
    });
  }

  /** One after the other, also where a caller does not wait: appends keep their order. */
  async #inTurn(
    topics: readonly string[],
    take: (targets: readonly TargetTopic[]) => void,
    position?: string,
  ): Promise<void> {
    const turn = this.#writing.then(async () => {
      this.#check();
      try {
        take(await this.#resolve(topics));
      } catch (error) {
        this.#failOrRefuse(this.#loop.error(error), position);
      }
      this.#wake();
    });
    this.#writing = turn.catch(() => {});
    await turn;
    this.#check();
    while (this.#heldBytes >= creditBytes) await this.#change();
  }

  #failOrRefuse(error: AppError, position: string | undefined): void {
    // Nothing of the chunk was taken.
    const alone = error.code === 'unknown-topic' || error.code === 'record-too-large';
    if (alone && this.#refused !== undefined && position !== undefined) this.#refused(position, error);
    else this.fail(error);
  }

  async #resolve(topics: readonly string[]): Promise<TargetTopic[]> {
    const targets: TargetTopic[] = [];
    for (const name of topics) {
      const entry = this.#directory.known(name) ?? (await this.#directory.get(name));
      let target = this.#targets.get(name);
      if (target?.topicId !== entry.topicId) {
        target = { ...entry, messageBytesMax: await this.#directory.messageBytesMax(name) };
        this.#targets.set(name, target);
      }
      targets.push(target);
    }
    return targets;
  }

  #take(chunk: Chunk, targets: readonly TargetTopic[]): void {
    const { data, extents, recordCount, ends } = chunk;
    const buffers = [Buffer.from(data.buffer, data.byteOffset, data.byteLength)];
    let from = 0;
    for (const end of ends) {
      this.#close({ buffers, targets, extents, from, to: end.recordEnd }, end);
      this.#groups.at(-1)!.joined = end.position === null;
      from = end.recordEnd;
    }
    if (from < recordCount) this.#keepOpen({ buffers, targets, extents, from, to: recordCount });
  }

  #keepOpen(piece: Piece): void {
    const bytes = checkedBytes(piece, undefined);
    if (this.#streaming !== undefined) {
      this.#encode(this.#streaming, [piece]);
      return;
    }
    this.#open.push(piece);
    this.#openBytes += bytes;
    this.#heldBytes += bytes;
    if (this.#openBytes < openBytesMax) return;
    const group = new AppendGroup(true);
    group.beginAppend(undefined, undefined);
    this.#groups.push(group);
    this.#streaming = group;
    this.#encode(group, this.#takeOpen());
  }

  #close(piece: Piece, end: GroupEnd): void {
    checkedBytes(piece, end);
    const streaming = this.#streaming;
    if (streaming !== undefined) {
      this.#encode(streaming, [piece]);
      streaming.endAppend(end);
      streaming.sealed = true;
      this.#streaming = undefined;
    } else {
      const group = this.#groupForNext();
      group.beginAppend(end, this.#loop.sink ? seqOfPosition(end.position) : undefined);
      this.#encode(group, [...this.#takeOpen(), piece]);
      group.endAppend(end);
    }
    this.#closed++;
  }

  #takeOpen(): Piece[] {
    const pieces = this.#open;
    this.#heldBytes -= this.#openBytes;
    this.#open = [];
    this.#openBytes = 0;
    return pieces;
  }

  #groupForNext(): AppendGroup {
    const last = this.#groups.at(-1);
    if (
      last !== undefined &&
      !last.sealed &&
      !last.streaming &&
      (last.joined ||
        (last.appends.length <= appendsPerCommit - endsPerPositionMax &&
          last.bytes < groupBytesMax &&
          last.commitBytes < commitBytesMax))
    ) {
      return last;
    }
    const group = new AppendGroup(false);
    this.#groups.push(group);
    return group;
  }

  #encode(group: AppendGroup, pieces: readonly Piece[]): void {
    const before = group.bytes;
    for (const piece of pieces) group.addRecords(piece);
    this.#heldBytes += group.bytes - before;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const group = this.#groups[0];
        if (group === undefined) {
          if (this.#ended || this.#failure !== undefined) return;
          await this.#signalled();
          continue;
        }
        if (!group.streaming) group.sealed = true;
        const offset = await this.#loop.send(
          group,
          () => this.#moreOrEnd(),
          (bytes) => this.#release(bytes),
        );
        this.#groups.shift();
        this.#told(group, offset);
      }
    } catch (error) {
      if (error !== droppedOpenAppend) this.fail(this.#loop.error(error));
    }
  }

  /** More of an append that is sent while it grows. */
  async #moreOrEnd(): Promise<void> {
    if (this.#failure !== undefined || this.#ended) throw droppedOpenAppend;
    await this.#signalled();
  }

  #told(group: AppendGroup, offset: number): void {
    this.#durable += group.appends.length;
    this.#seq = this.#loop.seqOf(offset, group.appends.length - 1);
    this.#release(group.bytes);
    if (group.position === undefined) return;
    const seq = this.#loop.seqOf(offset, group.positionPlace);
    for (const listener of this.#listeners) listener(group.position, seq);
  }

  #release(bytes: number): void {
    this.#heldBytes -= bytes;
    this.#wake();
  }

  onDurable(listener: (position: string, seq: number) => void): void {
    this.#listeners.push(listener);
  }

  async flush(): Promise<number> {
    await this.#writing;
    const goal = this.#closed;
    while (this.#durable < goal) await this.#change();
    this.#check();
    return this.#seq;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await this.#writing;
    const failedBefore = this.#failure !== undefined;
    this.#ended = true;
    this.#wake();
    await this.#running;
    await this.#loop.close();
    if (this.#failure !== undefined && !failedBefore) throw this.#failure;
  }

  /** Nothing more is taken; what is closed and on its way may still become durable, or not. */
  fail(error: AppError): void {
    this.#failure ??= error;
    this.#failed(this.#failure);
    this.#wake();
  }

  /** Ends it without waiting for what is on its way; resolves when it does nothing any more. */
  async abandon(reason: AppError): Promise<void> {
    this.fail(reason);
    this.#ended = true;
    this.#loop.stop();
    this.#wake();
    await this.#running;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) throw new AppError('internal', `producer "${this.name}" is closed and written to`);
  }

  #signalled(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async #change(): Promise<void> {
    if (this.#failure === undefined) await this.#signalled();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** For the header of derived records: the append that caused them. */
function seqOfPosition(position: string | null): string | undefined {
  const number = position === null ? undefined : parseNumber(position);
  return number === undefined ? undefined : String(number.seq);
}

const droppedOpenAppend = new Error('closed with an open append');

/** Bytes of a piece; throws where a record cannot be stored, before anything of the append is encoded. */
function checkedBytes({ extents, targets, from, to }: Piece, end: GroupEnd | undefined): number {
  const shared = logHeadersBytes + (end?.transactionId === undefined ? 0 : end.transactionId.length * 3 + 16);
  let bytes = (to - from) * (extentSize * 4);
  for (let i = from; i < to; i++) {
    const at = i * extentSize;
    const target = targets[extents[at + extent.topic]!]!;
    const partition = extents[at + extent.partition]!;
    if (partition < 0 || partition >= target.leaders.length) {
      throw new TopicRefusal(
        target.name,
        'unknown-topic',
        `topic "${target.name}" has ${target.leaders.length} partitions, so none with number ${partition}`,
      );
    }
    const size =
      Math.max(0, extents[at + extent.keyLength]!) +
      Math.max(0, extents[at + extent.valueLength]!) +
      headersSize(extents, at);
    if (size + shared + recordOverheadBytes + batchHeaderBytes > target.messageBytesMax) {
      throw new TopicRefusal(
        target.name,
        'record-too-large',
        `a record of ${size} bytes is over max.message.bytes (${target.messageBytesMax}) of topic "${target.name}"`,
        {
          hint: `kafka-configs.sh --alter --entity-type topics --entity-name ${target.name} --add-config max.message.bytes=${2 ** Math.ceil(Math.log2(size + 1024))}`,
        },
      );
    }
    bytes += size;
  }
  return bytes;
}
