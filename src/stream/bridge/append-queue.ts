// The engine's end of all producers: whole appends in the order in which they were closed, until the engine takes them, writes
// them in one transaction and confirms. Bounded by the byte credit of each producer. A producer name has one writer: opening
// it again fences the earlier one, whose appends that the engine has not taken yet are dropped (they are not durable).
import { AppError, assert } from '../../core/errors.js';
import type { Append, Chunk } from '../../core/append.js';
import { cutOf, type PendingAppend } from '../pending-append.js';
import {
  AppendAssembler,
  spillBytesDefault,
  type AssemblerOptions,
  type ChunkAppends,
  type QueuedAppend,
} from './append-assembler.js';

/** Where a producer's newest durable append stands. */
export interface LastAppend {
  readonly position: string | null;
  readonly seq: number;
}

export interface AppendQueueOptions extends Partial<AssemblerOptions> {
  readonly lastAppend: (producer: string) => LastAppend | undefined;
}

/** How a producer hears from the queue; called on the engine's thread. */
export interface ProducerListener {
  /** `closed` more of its appends are durable; the newest has this position and seq; `bytes` of its credit are free again. */
  durable(newest: { readonly position: string; readonly seq: number }, closed: number, bytes: number): void;
  /** So many bytes of its credit are free again for another reason. */
  released(bytes: number): void;
  /** Nothing of this producer will be taken any more. */
  failed(error: AppError): void;
  /** One append was left out, and `bytes` of credit are free again. Without it, such an append fails the producer. */
  refused?(position: string | null, error: AppError, bytes: number): void;
}

type Queued = QueuedAppend<QueueProducer>;
type Waiting = ChunkAppends<QueueProducer>;

export class AppendQueue {
  readonly #lastAppend: (producer: string) => LastAppend | undefined;
  readonly #assembler: AssemblerOptions;
  readonly #producers = new Map<string, QueueProducer>();
  /** What was taken leaves a gap, so that its memory is not held until the list is cut. */
  #waiting: (Waiting | undefined)[] = [];
  #waitingFrom = 0;
  #size = 0;
  #taken: Queued[] = [];
  readonly #refused = new Set<PendingAppend>();
  #confirmed: (() => void)[] = [];
  readonly #onAvailable: (() => void)[] = [];
  #failure: AppError | undefined;

  constructor(options: AppendQueueOptions) {
    this.#lastAppend = options.lastAppend;
    this.#assembler = { spillFolder: options.spillFolder, spillBytes: options.spillBytes ?? spillBytesDefault };
  }

  /** Called when the queue stops being empty. */
  onAvailable(listener: () => void): void {
    this.#onAvailable.push(listener);
    if (this.size > 0) listener();
  }

  /** Appends that wait to be taken. */
  get size(): number {
    return this.#size;
  }

  lastAppend(producer: string): LastAppend | undefined {
    return this.#lastAppend(producer);
  }

  async openProducer(name: string, listener: ProducerListener): Promise<QueueProducer> {
    this.#checkAlive();
    this.#producers.get(name)?.fail(new AppError('producer-fenced', `producer "${name}" was opened again elsewhere`));
    const producer = new QueueProducer(this, name, listener, this.#assembler);
    this.#producers.set(name, producer);
    this.#dropWaiting(name);
    // What the engine has in its hands becomes durable or not; only then is the position known.
    while (this.#taken.some(({ owner }) => owner.name === name)) {
      await new Promise<void>((resolve) => this.#confirmed.push(resolve));
    }
    this.#checkAlive();
    producer.checkUsable();
    return producer;
  }

  /**
   * Whole appends in order, about `bytesMax`, at least one where there is any, behind one that `endsGroup` only more of its kind, and
   * never a `joined` one without what follows it (which came in the same chunk). They are the caller's until confirmed.
   */
  take(bytesMax: number, endsGroup: (append: PendingAppend) => boolean = () => false): PendingAppend[] {
    const group: PendingAppend[] = [];
    let bytes = 0;
    let ending = false;
    while (this.#waitingFrom < this.#waiting.length) {
      const waiting = this.#waiting[this.#waitingFrom]!;
      const { next } = waiting;
      const ends = endsGroup(next);
      if (ending && !ends) break;
      ending = ends;
      if (group.length > 0 && bytes + next.bytes > bytesMax && group.at(-1)!.joined !== true) break;
      bytes += next.bytes;
      group.push(next);
      this.#taken.push(next);
      waiting.advance();
      this.#size--;
      if (waiting.count === 0) this.#waiting[this.#waitingFrom++] = undefined;
    }
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting = [];
      this.#waitingFrom = 0;
    } else if (this.#waitingFrom > 1024) {
      this.#waiting.splice(0, this.#waitingFrom);
      this.#waitingFrom = 0;
    }
    return group;
  }

  /**
   * An append that was taken cannot be written, so it is left out: alone where its producer says so, else with everything that this
   * producer has closed behind it, and with what is `joined` to it, whose position would not be stored.
   */
  refuse(append: PendingAppend, error: AppError): void {
    let at = this.#taken.findIndex((taken) => taken === append);
    const refused = this.#taken[at]!;
    const { owner } = refused;
    const alone = owner.refuse(refused, error);
    if (!alone) at = cutOf(this.#taken, at);
    this.#taken = this.#taken.filter((taken, i) => {
      if (i < at || taken.owner !== owner || (alone && i > at)) return true;
      this.#refused.add(taken);
      taken.spill?.close();
      return false;
    });
    if (!alone) this.#dropWaiting(owner.name);
  }

  /** What of these, which were taken, is to be written. */
  withoutRefused(appends: readonly PendingAppend[]): readonly PendingAppend[] {
    return this.#refused.size === 0 ? appends : appends.filter((append) => !this.#refused.has(append));
  }

  /** Everything taken is durable; `written` is what the log made of it. */
  confirm(written: readonly Append[]): void {
    const taken = this.#taken;
    assert(written.length === taken.length, 'as many appends are confirmed as were taken');
    this.#taken = [];
    this.#refused.clear();
    const newest = new Map<QueueProducer, { position: string; seq: number; closed: number; bytes: number }>();
    for (let i = 0; i < taken.length; i++) {
      const { owner, position, heldBytes, spill } = taken[i]!;
      const { seq } = written[i]!;
      spill?.close();
      let entry = newest.get(owner);
      if (entry === undefined) newest.set(owner, (entry = { position: '', seq, closed: 0, bytes: 0 }));
      entry.position = position ?? entry.position;
      entry.seq = seq;
      entry.closed++;
      entry.bytes += heldBytes;
    }
    for (const [producer, { position, seq, closed, bytes }] of newest)
      producer.confirm({ position, seq }, closed, bytes);
    this.#wakeOpeners();
  }

  /** The log or the engine has failed for good: every producer learns of it, now and later. */
  fail(error: AppError): void {
    this.#failure = error;
    for (const producer of this.#producers.values()) producer.fail(error);
    for (const waiting of this.#waiting) waiting?.drop();
    for (const { spill } of this.#taken) spill?.close();
    this.#waiting = [];
    this.#waitingFrom = this.#size = 0;
    this.#taken = [];
    this.#wakeOpeners();
  }

  /** For QueueProducer. */
  add(appends: Waiting): void {
    const wasEmpty = this.size === 0;
    this.#waiting.push(appends);
    this.#size += appends.count;
    if (wasEmpty) for (const listener of this.#onAvailable) listener();
  }

  /** For QueueProducer: it takes no more chunks; what it has closed stays. */
  forget(producer: QueueProducer): void {
    if (this.#producers.get(producer.name) === producer) this.#producers.delete(producer.name);
  }

  #dropWaiting(name: string): void {
    const kept: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting === undefined) continue;
      if (waiting.owner.name !== name) kept.push(waiting);
      else {
        this.#size -= waiting.count;
        waiting.drop();
      }
    }
    this.#waiting = kept;
    this.#waitingFrom = 0;
  }

  #wakeOpeners(): void {
    const openers = this.#confirmed;
    this.#confirmed = [];
    for (const wake of openers) wake();
  }

  #checkAlive(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** One opened producer, seen from the engine's side. */
export class QueueProducer {
  readonly name: string;
  readonly #queue: AppendQueue;
  readonly #listener: ProducerListener;
  readonly #assembler: AppendAssembler<QueueProducer>;
  readonly #add = (appends: Waiting): void => this.#queue.add(appends);
  #failure: AppError | undefined;
  #closed = false;

  constructor(queue: AppendQueue, name: string, listener: ProducerListener, assembler: AssemblerOptions) {
    this.#queue = queue;
    this.name = name;
    this.#listener = listener;
    this.#assembler = new AppendAssembler<QueueProducer>(this, assembler);
  }

  /** Takes the chunk over, with its memory. */
  offer(chunk: Chunk): void {
    // Chunks that were on their way when the producer was fenced: their sender has been told.
    if (this.#failure !== undefined || this.#closed) return;
    const freed = this.#assembler.add(chunk, this.#add);
    if (freed > 0) this.#listener.released(freed);
  }

  /** No more chunks. The open append is dropped; closed ones go their way and are still confirmed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#assembler.drop();
    this.#queue.forget(this);
  }

  confirm(newest: { readonly position: string; readonly seq: number }, closed: number, bytes: number): void {
    if (this.#failure !== undefined) return;
    this.#listener.durable(newest, closed, bytes);
  }

  /** True: only this append is left out; false: the producer has failed. */
  refuse({ position, heldBytes }: Queued, error: AppError): boolean {
    if (this.#listener.refused === undefined) {
      this.fail(error);
      return false;
    }
    this.#listener.refused(position, error, heldBytes);
    return true;
  }

  fail(error: AppError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#assembler.drop();
    this.#listener.failed(error);
  }

  checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
