// Appends that the process makes itself: definitions, INSERT VALUES, swaps, registry entries. They go the same way as a source's, so
// they have their place in the sequence; the caller hears when the engine has applied them.
import { toAppError, type AppError } from '../core/errors.js';
import { extent, extentSize, opCode, type Append, type Chunk } from '../core/record.js';
import type { AppendControl } from '../core/append-control.js';
import type { Outcome } from '../projector/projector.js';
import type { AppendProducer } from '../stream/event-log.js';

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
  readonly resolve: (applied: Applied) => void;
  readonly reject: (error: AppError) => void;
  readonly promise: Promise<Applied>;
}

export class LocalAppends {
  readonly #producer: AppendProducer;
  readonly #prefix: string;
  readonly #waiting = new Map<string, Waiting>();
  #next = 0;
  #turn: Promise<void> = Promise.resolve();

  /** `startedUs` makes the positions of this life of the process its own. */
  constructor(producer: AppendProducer, startedUs: number) {
    this.#producer = producer;
    this.#prefix = `${startedUs}-`;
  }

  append(append: LocalAppend): Promise<Applied> {
    const position = `${this.#prefix}${this.#next++}`;
    let settle: Pick<Waiting, 'resolve' | 'reject'>;
    const promise = new Promise<Applied>((resolve, reject) => (settle = { resolve, reject }));
    const waiting = { ...settle!, promise };
    this.#waiting.set(position, waiting);
    // A producer takes one chunk at a time.
    this.#turn = this.#turn
      .then(() => this.#producer.write(chunkOf(append, position)))
      .catch((error: unknown) => {
        this.#waiting.delete(position);
        waiting.reject(toAppError(error));
      });
    return promise;
  }

  /** Everything that was appended until now is applied or refused. */
  async settled(): Promise<void> {
    const done = [...this.#waiting.values()].map(({ promise }) => promise.catch(() => {}));
    await Promise.all(done);
  }

  applied(appends: readonly Append[], outcomes: ReadonlyMap<number, Outcome>): void {
    for (const { producer, position, seq } of appends) {
      if (producer !== localProducer || position === null) continue;
      const waiting = this.#waiting.get(position);
      this.#waiting.delete(position);
      waiting?.resolve({ seq, outcome: outcomes.get(seq) });
    }
  }

  /** The process stops: nobody is left waiting. */
  fail(error: AppError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
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
  return { data, topics, extents, recordCount: records.length, ends: [end] };
}
