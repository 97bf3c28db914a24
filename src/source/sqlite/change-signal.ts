// Tells when it is worth looking into the file again: a watch on its write-ahead log, and a timer that backs off from 5 ms to the
// configured idle time. While changes come, only the timer counts, so that one look takes many small transactions; when the
// file rests, the watch makes the first new change visible at once. The watch is a help, never needed: where it cannot be had
// or stays silent (some network file systems), the timer alone remains.
import { watch, type FSWatcher } from 'node:fs';
import type { Logger } from '../../core/logger.js';

const busyMs = 5;
/** From here on the file counts as at rest. */
const restMs = 20;

export class ChangeSignal {
  readonly #idleMs: number;
  readonly #watcher: FSWatcher | null;
  #pauseMs = busyMs;
  #wake: (() => void) | null = null;

  constructor(file: string, idleMs: number, logger: Logger) {
    this.#idleMs = idleMs;
    this.#watcher = watchLog(`${file}-wal`, logger, () => {
      if (this.#pauseMs < restMs) return;
      this.#pauseMs = busyMs;
      this.#wake?.();
    });
  }

  /** No change for several looks. */
  get atRest(): boolean {
    return this.#pauseMs >= restMs;
  }

  /** The last look found changes: the next comes soon. */
  changed(): void {
    this.#pauseMs = busyMs;
  }

  /** Until the next look is due; ends at once when the signal aborts. */
  wait(signal: AbortSignal): Promise<void> {
    const pause = Math.min(this.#pauseMs, this.#idleMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#idleMs);
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, pause);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }

  close(): void {
    this.#watcher?.close();
    this.#wake?.();
  }
}

function watchLog(path: string, logger: Logger, onChange: () => void): FSWatcher | null {
  const without = (error: unknown) =>
    logger.warn('the write-ahead log cannot be watched; changes are looked for by time only', {
      path,
      error: String(error),
    });
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    watcher.on('error', (error) => {
      without(error);
      watcher.close();
    });
    return watcher;
  } catch (error) {
    without(error);
    return null;
  }
}
