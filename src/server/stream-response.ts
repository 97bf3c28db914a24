// An answer that goes on: change streams, push queries, long pulls. It promises bounded memory: nothing is written past the
// socket's own buffer without waiting, and a client that takes nothing for `stallMs` is cut off. It ends by itself when the
// client goes; `signal` then aborts, so that whoever feeds it stops.
import type { Writable } from 'node:stream';

/** A batch is handed to the socket in pieces of about this size, so a slow client holds one piece and not the batch. */
const pieceCharacters = 64 * 1024;

export interface StreamOptions {
  readonly stallMs: number;
  /** Ends the connection at once, without a polite end. */
  readonly destroy: () => void;
  /** Called before a client that takes nothing is cut off. */
  readonly onStall?: (() => void) | undefined;
  /** One call when the stream is over, for whatever reason. */
  readonly onClose?: (() => void) | undefined;
}

export class StreamResponse {
  readonly #writable: Writable;
  readonly #options: StreamOptions;
  readonly #gone = new AbortController();
  #ended = false;
  #wake: (() => void) | undefined;
  #beat: NodeJS.Timeout | undefined;

  constructor(writable: Writable, options: StreamOptions) {
    this.#writable = writable;
    this.#options = options;
    const closed = () => {
      if (this.#gone.signal.aborted) return;
      clearInterval(this.#beat);
      this.#ended = true;
      this.#gone.abort(new DOMException('the client is gone', 'AbortError'));
      this.#wake?.();
      options.onClose?.();
    };
    writable.on('close', closed);
    // A reset by the client arrives as an error; `close` follows it, and that is where it is dealt with.
    writable.on('error', closed);
    writable.on('drain', () => this.#wake?.());
    if (writable.destroyed) closed();
  }

  /** Aborts when the client is gone, or the server cuts the stream. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** True once no more can be written. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes that wait in this process for the socket. */
  get queuedBytes(): number {
    return this.#writable.writableLength;
  }

  /** Writes, and resolves when the socket has room for more. Text for an ended stream is dropped: nobody is there to read it. */
  async write(text: string): Promise<void> {
    for (let at = 0; at < text.length && !this.#ended;) {
      let end = Math.min(text.length, at + pieceCharacters);
      // A piece must not end between the two halves of a character outside the basic plane.
      if (end < text.length && (text.charCodeAt(end - 1) & 0xfc00) === 0xd800) end++;
      const hasRoom = this.#writable.write(at === 0 && end === text.length ? text : text.slice(at, end));
      at = end;
      if (!hasRoom) await this.#drained();
    }
  }

  /**
   * Writes one item as a DATA frame of its own: Node's HTTP/2 merges what is written in one tick, and there are clients that
   * take each frame for one JSON value. Resolves when the frame is handed over, or the client is cut off.
   */
  writeAlone(text: string): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const stalled = this.#stallTimer();
      const done = () => {
        clearTimeout(stalled);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#gone.signal.addEventListener('abort', done);
      this.#writable.write(text, done);
    });
  }

  /** Writes `text` every `everyMs` while nothing waits for the socket, so that proxies keep an idle stream open. */
  heartbeat(text: string, everyMs: number): void {
    this.#beat = setInterval(() => {
      if (!this.#ended && this.#writable.writableLength === 0) this.#writable.write(text);
    }, everyMs);
    this.#beat.unref();
  }

  /** Ends politely; what is queued is still sent. */
  end(text?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#beat);
    if (text === undefined) this.#writable.end();
    else this.#writable.end(text);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#options.destroy();
  }

  async #drained(): Promise<void> {
    if (this.#ended || !this.#writable.writableNeedDrain) return;
    const stalled = this.#stallTimer();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    clearTimeout(stalled);
  }

  #stallTimer(): NodeJS.Timeout {
    const { destroy, onStall, stallMs } = this.#options;
    return setTimeout(() => {
      onStall?.();
      destroy();
    }, stallMs);
  }
}
