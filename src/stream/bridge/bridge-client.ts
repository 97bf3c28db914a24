// The capture thread's end of the bridge: producers of the embedded log whose engine runs on another thread. Chunks are moved,
// not copied. A producer may be ahead of the engine by its byte credit; beyond it `write` waits, and so does the source.
import type { MessagePort } from 'node:worker_threads';
import { AppError, fromErrorMessage } from '../../core/errors.js';
import type { Chunk } from '../../core/append.js';
import type { AppendProducer } from '../event-log.js';
import { CreditedProducer } from './credited-producer.js';
import type { ClientMessage, ServerMessage } from './messages.js';
import { packChunk } from './sent-chunk.js';

export interface BridgeClient {
  openProducer(name: string): Promise<AppendProducer>;
  /** The last durable position of a producer, without opening it. */
  producerPosition(name: string): Promise<string | null>;
  /** Lets the port go; producers that are still open fail. */
  close(): void;
}

interface Pending {
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: AppError) => void;
}

export function connectBridge(port: MessagePort): BridgeClient {
  const producers = new Map<number, CreditedProducer>();
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let closed = false;
  const send = (message: ClientMessage) => port.postMessage(message);

  function receive(message: ServerMessage): void {
    const producer = producers.get(message.id);
    switch (message.kind) {
      case 'opened':
        answer(message.id, message);
        break;
      case 'position':
        answer(message.id, message);
        break;
      case 'durable':
        producer?.durable(message, message.closed, message.bytes);
        break;
      case 'released':
        producer?.released(message.bytes);
        break;
      case 'failed': {
        const error = fromErrorMessage(message.error);
        producer?.failed(error);
        pending.get(message.id)?.reject(error);
        pending.delete(message.id);
        break;
      }
    }
  }

  function answer(id: number, message: ServerMessage): void {
    const waiting = pending.get(id);
    pending.delete(id);
    // The producer is registered before any later message is seen: `opened` and a `failed` may come together.
    if (message.kind === 'opened') {
      producers.set(id, new CreditedProducer(transport(id), message, message.creditBytes));
    }
    waiting?.resolve(message);
  }

  function transport(id: number) {
    return {
      send: (chunk: Chunk) => {
        const own = movable(chunk);
        port.postMessage({ kind: 'chunk', id, chunk: packChunk(own) } satisfies ClientMessage, [
          own.data.buffer,
          own.extents.buffer,
        ]);
      },
      close: () => {
        producers.delete(id);
        if (!closed) send({ kind: 'close', id });
      },
    };
  }

  function request(message: ClientMessage): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(portClosed());
      pending.set(message.id, { resolve, reject });
      send(message);
    });
  }

  port.on('message', receive);
  port.on('close', () => {
    closed = true;
    for (const producer of producers.values()) producer.failed(portClosed());
    for (const { reject } of pending.values()) reject(portClosed());
    pending.clear();
  });

  return {
    async openProducer(name) {
      const id = nextId++;
      await request({ kind: 'open', id, producer: name });
      return producers.get(id)!;
    },
    async producerPosition(name) {
      const message = await request({ kind: 'position', id: nextId++, producer: name });
      return message.kind === 'position' ? message.position : null;
    },
    close() {
      port.close();
    },
  };
}

function portClosed(): AppError {
  return new AppError('not-ready', 'the engine thread has ended');
}

/** A chunk whose memory can be moved: its arrays must be the only ones over their buffers. */
function movable(chunk: Chunk): Chunk {
  return { ...chunk, data: ownBytes(chunk.data), extents: ownExtents(chunk) };
}

/**
 * Large arrays are moved as they are: a source makes a buffer per chunk, and slack behind the data costs nothing. A small one may
 * lie in Node's shared pool, which cannot be moved, so its bytes are copied.
 */
function ownBytes(data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const whole = data.byteLength === data.buffer.byteLength;
  const large = data.byteOffset === 0 && data.byteLength >= 128 * 1024 && data.byteLength * 2 >= data.buffer.byteLength;
  return (whole && data.byteLength !== Buffer.poolSize) || large ? data : new Uint8Array(data);
}

function ownExtents(chunk: Chunk): Int32Array<ArrayBuffer> {
  const { extents } = chunk;
  return extents.byteLength === extents.buffer.byteLength ? extents : new Int32Array(extents);
}
