// Parts of tables that are read ahead of who hands them over, by one reader or several: some wait here, in the order in which they came, and
// the readers wait for room, in the order in which they asked for it. Bounded are all parts together, those that wait and those that are
// being read, in number and in bytes.
import type { AppError } from '../../core/errors.js';
import type { Wakeup } from './wakeup.js';

export interface ReadAheadOptions<T> {
  /** How many parts there may be. */
  readonly ahead: number;
  /** How many bytes they may have. One alone may have more. */
  readonly bytesMax?: number;
  readonly wakeup: Wakeup;
  /** Frees what a part holds that is not handed over. */
  readonly release: (part: T) => void;
  /** What has ended the reading, as it is thrown; undefined: it is dealt with already. */
  readonly failure: (error: unknown) => AppError | undefined;
}

/** Room for one part, which is taken until the part is handed over, or left. */
export interface Room<T> {
  /** The part has been read and has so many bytes. */
  put(part: T, bytes?: number): void;
  /** There is no part. Nothing happens where there was one. */
  leave(): void;
}

interface Waiting<T> {
  readonly part: T;
  readonly bytes: number;
}

interface Asking {
  readonly bytes: number;
  /** Also when nothing is to be read any more. */
  admit(): void;
}

export class ReadAhead<T> {
  readonly #options: ReadAheadOptions<T>;
  readonly #stop = new AbortController();
  #ready: Waiting<T>[] = [];
  readonly #asking: Asking[] = [];
  /** Of all parts, with what those that are being read may come to. */
  #parts = 0;
  #bytes = 0;
  /** Readers that have not ended. */
  #reading = 0;
  #failed = false;
  #failure: AppError | undefined;
  readonly #running: Promise<void>[] = [];

  constructor(options: ReadAheadOptions<T>) {
    this.#options = options;
  }

  /** Aborts when it is closed. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Another reader, which reads until it ends. What one of them fails with ends the others, too. */
  begin(read: () => Promise<void>): void {
    if (this.signal.aborted) return;
    const { wakeup, failure } = this.#options;
    const ended = () => {
      this.#reading--;
      wakeup.notify();
    };
    const failed = (error: unknown) => {
      // What the others end with follows from it.
      if (this.#failed) return;
      this.#failed = true;
      this.#failure = failure(error);
      this.#admit();
      wakeup.notify();
    };
    this.#reading++;
    this.#running.push(read().then(ended, failed));
  }

  /** Resolves when another part may be read, which may have so many bytes. */
  async room(bytes = 0): Promise<Room<T>> {
    await new Promise<void>((resolve) => {
      this.#asking.push({ bytes, admit: resolve });
      this.#admit();
    });
    this.signal.throwIfAborted();
    if (this.#failed) throw new DOMException('another reader has failed', 'AbortError');
    let held: number | undefined = bytes;
    const leave = (): void => {
      if (held === undefined) return;
      this.#free(held);
      held = undefined;
    };
    return {
      put: (part, partBytes = bytes) => {
        if (held === undefined) return;
        this.#bytes += partBytes - held;
        held = undefined;
        this.#ready.push({ part, bytes: partBytes });
        this.#admit();
        this.#options.wakeup.notify();
      },
      leave,
    };
  }

  #admit(): void {
    const { ahead, bytesMax = Number.POSITIVE_INFINITY } = this.#options;
    const isOver = this.signal.aborted || this.#failed;
    for (let next = this.#asking[0]; next !== undefined; next = this.#asking[0]) {
      const fits = this.#parts === 0 || (this.#parts < ahead && this.#bytes + next.bytes <= bytesMax);
      if (!fits && !isOver) return;
      this.#asking.shift();
      if (!isOver) {
        this.#parts++;
        this.#bytes += next.bytes;
      }
      next.admit();
    }
  }

  #free(bytes: number): void {
    this.#parts--;
    this.#bytes -= bytes;
    this.#admit();
  }

  /** The oldest part that waits; throws what ended the reading when there is none. */
  peek(): T | undefined {
    const first = this.#ready[0];
    if (first === undefined && this.#failure) throw this.#failure;
    return first?.part;
  }

  /** The oldest part has been handed over. */
  shift(): T | undefined {
    const first = this.#ready.shift();
    if (first) this.#free(first.bytes);
    return first?.part;
  }

  /** Parts that are not wanted any more. */
  drop(unwanted: (part: T) => boolean): void {
    const dropped = this.#ready.filter(({ part }) => unwanted(part));
    this.#ready = this.#ready.filter((each) => !dropped.includes(each));
    for (const { part, bytes } of dropped) {
      this.#options.release(part);
      this.#free(bytes);
    }
  }

  /** Everything was read and handed over. */
  get done(): boolean {
    return this.#reading === 0 && this.#ready.length === 0;
  }

  /** `interrupt` ends what is being asked at the moment. */
  async close(interrupt: () => void): Promise<void> {
    this.#stop.abort(new DOMException('stopped', 'AbortError'));
    this.#admit();
    interrupt();
    await Promise.all(this.#running);
    this.drop(() => true);
  }
}
