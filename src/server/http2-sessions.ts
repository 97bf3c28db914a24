// The sessions of HTTP/2 and their open streams. A stream costs memory as long as it is open, whatever window its client gives, so there is
// a limit over all of them; one too many is refused as a stream, which a client sends again. Sessions without a stream are closed after a
// while, also when their client keeps them alive with pings.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Logger } from '../core/logger.js';
import type { ServerOptions } from './server-context.js';

interface Open {
  streams: number;
  /** Since when it has none. */
  idleAtMs: number;
  closing: boolean;
}

export class Http2Sessions {
  readonly #limits: ServerOptions['http2'];
  readonly #logger: Logger;
  readonly #sessions = new Map<ServerHttp2Session, Open>();
  #streams = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(limits: ServerOptions['http2'], logger: Logger) {
    this.#limits = limits;
    this.#logger = logger;
  }

  add(session: ServerHttp2Session): void {
    this.#sessions.set(session, { streams: 0, idleAtMs: performance.now(), closing: false });
    session.on('close', () => {
      this.#sessions.delete(session);
      if (this.#sessions.size > 0) return;
      clearInterval(this.#sweep);
      this.#sweep = undefined;
    });
    // A client that breaks the protocol loses its connection; that is all there is to do.
    session.on('error', (error) => this.#logger.debug('an HTTP/2 session failed', { error: error.message }));
    const { idleMs } = this.#limits;
    this.#sweep ??= setInterval(() => this.closeIdle(idleMs), Math.max(10, idleMs / 4)).unref();
  }

  /** False: the stream is one too many, and refused. */
  takes(stream: ServerHttp2Stream): boolean {
    const open = stream.session === undefined ? undefined : this.#sessions.get(stream.session as ServerHttp2Session);
    if (open === undefined || this.#streams >= this.#limits.streams) {
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return false;
    }
    this.#streams++;
    open.streams++;
    stream.on('close', () => {
      this.#streams--;
      open.streams--;
      open.idleAtMs = performance.now();
    });
    return true;
  }

  /** Those that have had no stream for so long; one that does not end politely by the next time is cut. */
  closeIdle(idleMs: number): void {
    const now = performance.now();
    for (const [session, open] of this.#sessions) {
      if (open.streams > 0 || now - open.idleAtMs < idleMs) continue;
      if (open.closing) session.destroy();
      else session.close();
      open.closing = true;
    }
  }

  close(): void {
    for (const session of this.#sessions.keys()) session.close();
  }
}
