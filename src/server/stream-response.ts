// An answer that is written bit by bit: change streams, push queries, long answers. It promises bounded memory: nothing is written past
// the socket's own buffer without waiting, what waits is counted with all other answers of the process, and a client that takes nothing for
// `stallMs`, or whose room others need, is cut off. It ends by itself when the client goes; `signal` then aborts, so that whoever feeds it
// stops.
import type { Writable } from 'node:stream';
import type { AnswerBudget } from '../core/answer-budget.js';

/** What is handed to the socket at once is of about this size, so a slow client holds one piece and not the batch. */
const pieceSize = 64 * 1024;

/** What tells that a client is gone, also while its answer waits behind others of the connection and has no socket yet. */
export interface Connection {
  readonly destroyed: boolean;
  on(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
}

export interface StreamOptions {
  readonly stallMs: number;
  /** Where what waits is counted; undefined: whoever writes has counted it. */
  readonly answers?: AnswerBudget | undefined;
  readonly connection?: Connection | undefined;
  /** Ends the connection at once, without a polite end. */
  readonly destroy: () => void;
  /** Called before a client that takes nothing is cut off. */
  readonly onStall?: (() => void) | undefined;
  /** One call when the stream is over, for whatever reason; while it is made, where the client is gone by then. */
  readonly onClose?: ((stream: StreamResponse) => void) | undefined;
}

export class StreamResponse {
  readonly #writable: Writable;
  readonly #options: StreamOptions;
  readonly #gone = new AbortController();
  readonly #closed: () => void;
  #ended = false;
  #wake: (() => void) | undefined;
  #beat: NodeJS.Timeout | undefined;
  /** For the client to take what is left behind the end, and to end its own side. */
  #lastStall: NodeJS.Timeout | undefined;

  constructor(writable: Writable, options: StreamOptions) {
    this.#writable = writable;
    this.#options = options;
    const closed = () => {
      if (this.#gone.signal.aborted) return;
      clearInterval(this.#beat);
      clearTimeout(this.#lastStall);
      options.connection?.removeListener('close', closed);
      this.#ended = true;
      this.#gone.abort(new DOMException('the client is gone', 'AbortError'));
      this.#wake?.();
      options.onClose?.(this);
    };
    options.connection?.on('close', closed);
    writable.on('close', closed);
    // A reset by the client arrives as an error; `close` follows it, and that is where it is dealt with.
    writable.on('error', closed);
    writable.on('drain', () => this.#wake?.());
    this.#closed = closed;
    // It may be gone since before there was an answer, and tell no more.
    if (writable.destroyed || options.connection?.destroyed === true) closed();
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

  /** The last write waits for the client. */
  get waits(): boolean {
    return this.#wake !== undefined;
  }

  /** Writes, and resolves when the socket has room for more. What comes for an ended stream is dropped: nobody is there to read it. */
  async write(data: string | Buffer, onPiece?: () => void): Promise<void> {
    if (this.#ended || data.length === 0) return;
    if (data.length <= pieceSize) {
      if (!this.#writable.write(data)) await this.#drained(0);
      onPiece?.();
      return;
    }
    // Outside the heap: what waits for a client must not fill it.
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    await this.#writePieces(bytes, onPiece);
  }

  async #writePieces(bytes: Buffer, onPiece: (() => void) | undefined): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#ended; at += pieceSize) {
      const hasRoom = this.#writable.write(bytes.subarray(at, at + pieceSize));
      if (!hasRoom) await this.#drained(Math.max(0, bytes.length - at - pieceSize));
      onPiece?.();
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
      const share = this.#count(text.length);
      const done = () => {
        clearTimeout(stalled);
        share?.end();
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#gone.signal.addEventListener('abort', done);
      if (this.#ended) done();
      else this.#writable.write(text, done);
    });
  }

  /** Writes `text` every `everyMs` while nothing waits for the socket, so that proxies keep an idle stream open. */
  heartbeat(text: string, everyMs: number): void {
    this.#beat = setInterval(() => {
      if (!this.#ended && this.#writable.writableLength === 0) this.#writable.write(text);
    }, everyMs);
    this.#beat.unref();
  }

  /** Ends politely; what is queued is still sent, as long as the client takes it. */
  end(text?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#beat);
    if (text === undefined) this.#writable.end();
    else this.#writable.end(text);
    if (!this.#gone.signal.aborted) this.#lastStall = this.#stallTimer();
  }

  /** Ends politely; resolves when the client has taken all, or is gone. */
  finish(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#gone.signal.aborted) return resolve();
      this.#gone.signal.addEventListener('abort', () => resolve());
      this.#writable.on('finish', () => resolve());
      this.end();
    });
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#options.destroy();
  }

  /** `restBytes`: what whoever writes holds beside what is in the socket's buffer. */
  async #drained(restBytes: number): Promise<void> {
    if (this.#ended || !this.#writable.writableNeedDrain) return;
    const stalled = this.#stallTimer();
    const share = this.#count(this.#writable.writableLength + restBytes);
    if (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    clearTimeout(stalled);
    share?.end();
  }

  /** A stream has no other answer to give when there is no room for it: its client can come back for the rest. */
  #count(bytes: number) {
    const { answers } = this.#options;
    if (answers === undefined) return undefined;
    const share = answers.tryTake(bytes);
    if (share === undefined) this.#cut();
    else share.sending(() => this.#cut());
    return share;
  }

  #cut(): void {
    this.#options.onStall?.();
    this.#options.destroy();
    this.#closed();
  }

  #stallTimer(): NodeJS.Timeout {
    return setTimeout(() => this.#cut(), this.#options.stallMs);
  }
}
