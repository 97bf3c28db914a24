// What is held in memory, as far as it can be seen from outside: bytes that producers have handed over and not got back, and tasks that
// wait. A bound that is passed is a breach at that very step; at rest nothing is held.
import { chunkBytes, producerCreditBytes } from '../../src/stream/bridge/append-assembler.js';
import type { ClientMessage, ServerMessage } from '../../src/stream/bridge/messages.js';
import { unpackChunk } from '../../src/stream/bridge/sent-chunk.js';

/** Of timers, immediates and messages together. */
const waitingTasksMax = 300;

export class Bounds {
  readonly #breach: (text: string) => void;
  /** By the client's number. */
  readonly #lent = new Map<number, number>();
  #largest = 0;

  constructor(breach: (text: string) => void) {
    this.#breach = breach;
  }

  /** Another process: what the one before held is gone. */
  begin(): void {
    this.#lent.clear();
  }

  toEngine(message: ClientMessage): void {
    if (message.kind === 'open') this.#lent.set(message.id, 0);
    else if (message.kind === 'close') this.#lent.delete(message.id);
    else if (message.kind === 'chunk') {
      const bytes = chunkBytes(unpackChunk(message.chunk));
      this.#largest = Math.max(this.#largest, bytes);
      this.#lend(message.id, bytes);
    }
  }

  fromEngine(message: ServerMessage): void {
    if (message.kind === 'durable' || message.kind === 'released') this.#lend(message.id, -message.bytes);
    else if (message.kind === 'failed') this.#lent.delete(message.id);
  }

  #lend(id: number, bytes: number): void {
    const before = this.#lent.get(id);
    if (before === undefined) return;
    const after = before + bytes;
    this.#lent.set(id, after);
    if (after < 0 || after > producerCreditBytes + this.#largest)
      this.#breach(`a producer holds ${after} bytes of its credit of ${producerCreditBytes}`);
  }

  checkTasks(waiting: number): void {
    if (waiting > waitingTasksMax) this.#breach(`${waiting} tasks wait`);
  }

  checkRest(): void {
    for (const [id, bytes] of this.#lent)
      if (bytes !== 0) this.#breach(`at rest ${bytes} bytes of producer ${id} are held`);
  }
}
