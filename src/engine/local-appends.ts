// Appends that the process makes itself: definitions, INSERT VALUES, swaps. They go the same way as a source's, so they have their
// place in the sequence; the caller hears when the engine has applied them. Each stands for itself: one that cannot be written is
// refused, and when the producer itself fails another takes its place, whose position tells which appends have become durable.
import { AppError, toAppError } from '../core/errors.js';
import { extent, extentSize, opCode } from '../core/record.js';
import type { Append, Chunk } from '../core/append.js';
import { ChunkEnds } from '../core/chunk-ends.js';
import type { AppendControl } from '../core/append-control.js';
import type { Outcome } from '../projector/projector.js';
import type { AppendProducer, ProducerOptions } from '../stream/event-log.js';

export const localProducer = 'engine';

export interface LocalRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface LocalAppend {
  readonly records: readonly LocalRecord[];
  readonly commitTimeUs: number;
  readonly control?: AppendControl;
}

export interface Applied {
  readonly seq: number;
  readonly outcome: Outcome | undefined;
}

interface Waiting {
  readonly timer: NodeJS.Timeout | undefined;
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: AppError) => void;
}

type OpenProducer = (options: ProducerOptions) => Promise<AppendProducer>;

export class LocalAppends {
  readonly #open: OpenProducer;
  #producer: AppendProducer | undefined;
  readonly #prefix: string;
  /** How long somebody waits for what was asked by a statement; undefined: the log is in this process. */
  readonly #deliveryMs: number | undefined;
  readonly #waiting = new Map<string, Waiting>();
  #next = 0;
  #turn: Promise<void> = Promise.resolve();
  #written = 0;
  #watching = false;
  #ended: AppError | undefined;

  private constructor(open: OpenProducer, startedUs: number, deliveryMs: number | undefined) {
    this.#open = open;
    this.#deliveryMs = deliveryMs;
    this.#prefix = `${startedUs}-`;
  }

  /** `startedUs` makes the positions of this life of the process its own. */
  static async open(open: OpenProducer, startedUs: number, deliveryMs?: number): Promise<LocalAppends> {
    const appends = new LocalAppends(open, startedUs, deliveryMs);
    await appends.#usable();
    return appends;
  }

  append(append: LocalAppend): Promise<Applied> {
    if (this.#ended) return Promise.reject(this.#ended);
    const position = `${this.#prefix}${this.#next++}`;
    const promise = new Promise<Applied>((resolve, reject) => {
      // What the process does by itself, a control, waits as long as it has to.
      const deadlineMs = append.control === undefined ? this.#deliveryMs : undefined;
      const timer =
        deadlineMs === undefined ? undefined : setTimeout(() => this.#refuse(position, late(deadlineMs)), deadlineMs);
      this.#waiting.set(position, { resolve, reject, timer });
    });
    // A producer takes one chunk at a time.
    this.#turn = this.#turn
      .then(() => this.#write(append, position))
      .catch((error: unknown) => this.#refuse(position, toAppError(error)));
    return promise;
  }

  async #write(append: LocalAppend, position: string): Promise<void> {
    const producer = await this.#usable();
    this.#written++;
    await producer.write(chunkOf(append, position));
    this.#watch(producer);
  }

  async #usable(): Promise<AppendProducer> {
    return (this.#producer ??= await this.#open({ refused: (position, error) => this.#refuse(position, error) }));
  }

  /** A producer tells of its end only to who waits for it. */
  #watch(producer: AppendProducer): void {
    if (this.#watching) return;
    this.#watching = true;
    const written = this.#written;
    producer.flush().then(
      () => {
        this.#watching = false;
        if (this.#written > written && this.#producer === producer) this.#watch(producer);
      },
      (error: unknown) => {
        this.#watching = false;
        this.#turn = this.#turn.then(() => this.#reopen(producer, toAppError(error)));
      },
    );
  }

  async #reopen(failed: AppendProducer, cause: AppError): Promise<void> {
    if (this.#producer !== failed) return;
    this.#producer = undefined;
    if (cause.code === 'producer-fenced') return this.fail(cause);
    try {
      const { position } = await this.#usable();
      const durable = position?.startsWith(this.#prefix) === true ? Number(position.slice(this.#prefix.length)) : -1;
      for (const waiting of this.#waiting.keys())
        if (Number(waiting.slice(this.#prefix.length)) > durable) this.#refuse(waiting, cause);
    } catch {
      // The next append tries again; of these nobody knows.
      for (const waiting of this.#waiting.keys()) this.#refuse(waiting, cause);
    }
  }

  #refuse(position: string, error: AppError): void {
    this.#forget(position)?.reject(error);
  }

  #forget(position: string): Waiting | undefined {
    const waiting = this.#waiting.get(position);
    this.#waiting.delete(position);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  applied(appends: readonly Append[], outcomes: ReadonlyMap<number, Outcome>): void {
    for (const { producer, position, seq } of appends) {
      if (producer !== localProducer || position === null) continue;
      this.#forget(position)?.resolve({ seq, outcome: outcomes.get(seq) });
    }
  }

  /** The process stops: nobody is left waiting. */
  fail(error: AppError): void {
    this.#ended = error;
    for (const position of this.#waiting.keys()) this.#refuse(position, error);
  }
}

function late(ms: number): AppError {
  return new AppError(
    'log-unreachable',
    `the Kafka brokers have not taken it for ${ms / 1000} s (delivery.timeout.ms)`,
    {
      hint: 'it may still take effect: look before you ask for it again',
    },
  );
}

/** The chunk that holds one append whole. */
export function chunkOf({ records, commitTimeUs, control }: LocalAppend, position: string): Chunk {
  const topics = [...new Set(records.map(({ topic }) => topic))];
  const bytes = records.flatMap(({ key, value }) => [key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)]);
  const data = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  const extents = new Int32Array(records.length * extentSize);
  let at = 0;
  records.forEach(({ topic, partition, key, value }, i) => {
    const base = i * extentSize;
    extents[base + extent.op] = value === null ? opCode.d : opCode.c;
    extents[base + extent.topic] = topics.indexOf(topic);
    extents[base + extent.partition] = partition;
    extents[base + extent.keyStart] = at;
    extents[base + extent.keyLength] = key?.length ?? -1;
    if (key) data.set(key, at);
    at += key?.length ?? 0;
    extents[base + extent.valueStart] = at;
    extents[base + extent.valueLength] = value?.length ?? -1;
    if (value) data.set(value, at);
    at += value?.length ?? 0;
  });
  const end = { recordEnd: records.length, position, commitTimeUs, ...(control ? { control } : {}) };
  return { data, topics, extents, recordCount: records.length, ends: ChunkEnds.of([end]) };
}
