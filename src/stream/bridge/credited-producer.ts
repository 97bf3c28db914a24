// The writing end of a producer of the embedded log, wherever its engine stands: counts byte credit, so that a writer faster
// than the engine waits, and knows which of the closed appends are durable. How chunks travel is the transport's business
// (a call in the same thread, a message to another).
import { AppError } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import type { AppendProducer, ProducerOptions } from '../event-log.js';
import { chunkBytes, producerCreditBytes } from './append-assembler.js';
import type { AppendQueue, LastAppend } from './append-queue.js';

export interface ProducerTransport {
  /** Gives the chunk away, with its memory. */
  send(chunk: Chunk): void;
  /** No more chunks; what is open is dropped. */
  close(): void;
}

export class CreditedProducer implements AppendProducer {
  readonly position: string | null;
  readonly #transport: ProducerTransport;
  readonly #durableListeners: ((position: string, seq: number) => void)[] = [];
  #credit: number;
  #closed = 0;
  #durable = 0;
  #seq: number;
  #failure: AppError | undefined;
  #ended = false;
  /** Those who wait for credit or durability; each looks for itself whether its time has come. */
  #waiters: (() => void)[] = [];

  constructor(transport: ProducerTransport, last: LastAppend | undefined, creditBytes: number = producerCreditBytes) {
    this.#transport = transport;
    this.position = last?.position ?? null;
    this.#seq = last?.seq ?? 0;
    this.#credit = creditBytes;
  }

  async write(chunk: Chunk): Promise<void> {
    this.#check();
    if (this.#ended) throw new AppError('internal', 'a closed producer is written to');
    this.#credit -= chunkBytes(chunk);
    this.#closed += chunk.ends.length;
    this.#transport.send(chunk);
    while (this.#credit <= 0) await this.#change();
  }

  onDurable(listener: (position: string, seq: number) => void): void {
    this.#durableListeners.push(listener);
  }

  async flush(): Promise<number> {
    const goal = this.#closed;
    this.#check();
    while (this.#durable < goal) await this.#change();
    return this.#seq;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    try {
      if (this.#failure === undefined) await this.flush();
    } finally {
      this.#transport.close();
    }
  }

  // From here on: what the transport tells.

  durable(newest: { readonly position: string; readonly seq: number }, closed: number, bytes: number): void {
    this.#durable += closed;
    this.#credit += bytes;
    this.#seq = newest.seq;
    for (const listener of this.#durableListeners) listener(newest.position, newest.seq);
    this.#wake();
  }

  /** A closed append is left out; the ones behind it go on. */
  refused(bytes: number): void {
    this.#durable++;
    this.released(bytes);
  }

  released(bytes: number): void {
    this.#credit += bytes;
    this.#wake();
  }

  failed(error: AppError): void {
    this.#failure ??= error;
    this.#wake();
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.#check();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

/** A producer whose engine is in the same thread. */
export async function openLocalProducer(
  queue: AppendQueue,
  name: string,
  { refused }: ProducerOptions = {},
  creditBytes: number = producerCreditBytes,
): Promise<AppendProducer> {
  // The queue cannot call before it has opened, except to say that it was fenced meanwhile; then the opening itself rejects.
  const opened: { producer?: CreditedProducer } = {};
  const end = await queue.openProducer(name, {
    durable: (newest, closed, bytes) => opened.producer?.durable(newest, closed, bytes),
    released: (bytes) => opened.producer?.released(bytes),
    failed: (error) => opened.producer?.failed(error),
    ...(refused && {
      refused: (position, error, bytes) => {
        opened.producer?.refused(bytes);
        if (position !== null) refused(position, error);
      },
    }),
  });
  const transport = { send: (chunk: Chunk) => end.offer(chunk), close: () => end.close() };
  return (opened.producer = new CreditedProducer(transport, queue.lastAppend(name), creditBytes));
}
