// Waiting before another try: exponential, with jitter, for ever, until it works or the signal aborts.

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

export interface Backoff {
  /** Waits for the next delay; rejects with the signal's reason when it aborts. */
  wait(signal: AbortSignal): Promise<void>;
  /** The next delay, for whoever waits by itself. */
  next(): number;
  /** The next wait starts from the initial delay again. */
  reset(): void;
  readonly attempt: number;
}

export function createBackoff(options: BackoffOptions): Backoff {
  let attempt = 0;
  return {
    get attempt() {
      return attempt;
    },
    reset() {
      attempt = 0;
    },
    next() {
      const ceiling = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(attempt, 30));
      attempt++;
      // Full jitter on the upper half: tries of several connectors drift apart, and none is immediate.
      return ceiling / 2 + (Math.random() * ceiling) / 2;
    },
    wait(signal) {
      return delay(this.next(), signal);
    },
  };
}

/** A wait that ends early, by rejecting, when the signal aborts. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = () => {
      clearTimeout(timer);
      reject(abortReason(signal!));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** True when the wait has come to its end; false when its signal has ended it, whatever the signal's reason is. */
export async function passed(wait: Promise<void>, signal: AbortSignal): Promise<boolean> {
  try {
    await wait;
    return true;
  } catch (error) {
    if (signal.aborted || isAbort(error)) return false;
    throw error;
  }
}

/** Rejects as soon as the signal aborts, whatever the work waits for. What becomes of the work then is nobody's concern. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function abortReason(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new DOMException('stopped', 'AbortError');
}

/** Stopping is not an error: true for what an aborted wait rejects with. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
