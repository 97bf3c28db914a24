// Stopping is not an error, but what waits must end: with the one error that everybody recognises by its name.

export function abortError(): Error {
  return new DOMException('the Kafka log is closed', 'AbortError');
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError();
}

/** Rejects as soon as the signal aborts, whatever the work waits for. What becomes of the work then is nobody's concern. */
export function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortError());
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
