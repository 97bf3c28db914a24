// The engine's end of the bridge: turns the messages of one port (one capture thread) into producers of the append queue, and
// the queue's news into messages.
import type { MessagePort } from 'node:worker_threads';
import { toThrownMessage } from '../../core/errors.js';
import { producerCreditBytes } from './append-assembler.js';
import type { AppendQueue, QueueProducer } from './append-queue.js';
import type { ClientMessage, ServerMessage } from './messages.js';
import { unpackChunk } from './sent-chunk.js';

export interface BridgeServer {
  /** Lets the port go; open appends are dropped, closed ones stay in the queue. */
  close(): void;
}

export function serveBridge(
  queue: AppendQueue,
  port: MessagePort,
  creditBytes: number = producerCreditBytes,
): BridgeServer {
  const producers = new Map<number, QueueProducer>();
  let closed = false;
  const send = (message: ServerMessage) => {
    if (!closed) port.postMessage(message);
  };

  async function open(id: number, name: string): Promise<void> {
    try {
      const producer = await queue.openProducer(name, {
        durable: ({ position, seq }, count, bytes) =>
          send({ kind: 'durable', id, position, seq, closed: count, bytes }),
        released: (bytes) => send({ kind: 'released', id, bytes }),
        failed: (error) => send({ kind: 'failed', id, error: toThrownMessage(error) }),
      });
      if (closed) return producer.close();
      producers.set(id, producer);
      const last = queue.lastAppend(name);
      send({ kind: 'opened', id, position: last?.position ?? null, seq: last?.seq ?? 0, creditBytes });
    } catch (error) {
      send({ kind: 'failed', id, error: toThrownMessage(error) });
    }
  }

  function receive(message: ClientMessage): void {
    switch (message.kind) {
      case 'open':
        void open(message.id, message.producer);
        break;
      case 'chunk':
        producers.get(message.id)?.offer(unpackChunk(message.chunk));
        break;
      case 'close':
        producers.get(message.id)?.close();
        producers.delete(message.id);
        break;
      case 'position':
        send({ kind: 'position', id: message.id, position: queue.lastAppend(message.producer)?.position ?? null });
        break;
    }
  }

  function end(): void {
    if (closed) return;
    closed = true;
    for (const producer of producers.values()) producer.close();
    producers.clear();
  }

  port.on('message', receive);
  // The other thread has ended, in order or not.
  port.on('close', end);
  return {
    close() {
      end();
      port.close();
    },
  };
}
