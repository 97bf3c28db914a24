// The open connections of the server, and how many there may be: each costs a file descriptor and some memory, of which the rest of the
// process needs its share. One too many is told so and closed; connections on which nothing is asked go first.
import type { Socket } from 'node:net';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { errorAnswer } from './http-error.js';

export interface ConnectionsEnv {
  readonly max: number;
  readonly logger: Logger;
  /** Ends connections on which nothing is asked. */
  readonly closeIdle: () => void;
}

/** So many at once are told why they are closed; the rest is only closed. */
const toldMax = 16;
const toldMs = 1_000;
const quietMs = 10_000;

export class Connections {
  readonly #env: ConnectionsEnv;
  readonly #open = new Set<Socket>();
  readonly #told = new Set<Socket>();
  /** One line for many that are turned away. */
  #quietUntilMs = 0;

  constructor(env: ConnectionsEnv) {
    this.#env = env;
  }

  get count(): number {
    return this.#open.size;
  }

  /** False: there are too many, and this one is turned away. */
  takes(socket: Socket): boolean {
    if (this.#open.size >= this.#env.max) {
      this.#env.closeIdle();
      this.#turnAway(socket);
      return false;
    }
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    return true;
  }

  /** A connection could not be taken at all. */
  failed(error: NodeJS.ErrnoException): void {
    this.#warn('a connection could not be taken', { error: error.message, open: this.#open.size });
    if (error.code === 'EMFILE' || error.code === 'ENFILE') this.#env.closeIdle();
  }

  /** Cuts all of them. */
  destroy(): void {
    for (const socket of [...this.#open, ...this.#told]) socket.destroy();
  }

  #turnAway(socket: Socket): void {
    const { max } = this.#env;
    this.#warn('a connection was turned away: there are too many', { max });
    if (this.#told.size >= toldMax) return void socket.destroy();
    this.#told.add(socket);
    const timer = setTimeout(() => socket.destroy(), toldMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#told.delete(socket);
    });
    socket.on('end', () => socket.destroy());
    socket.resume();
    socket.end(tooMany(max));
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if (now < this.#quietUntilMs) return;
    this.#quietUntilMs = now + quietMs;
    this.#env.logger.warn(message, fields);
  }
}

function tooMany(max: number): string {
  const error = new AppError('overloaded', `${max} connections are open already`, {
    hint: 'the limit is the option http.connections-max',
    retriable: true,
  });
  const { contentType, body } = errorAnswer('v1', error);
  return `HTTP/1.1 503 Service Unavailable\r\nContent-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nRetry-After: 1\r\nConnection: close\r\n\r\n${body}`;
}
