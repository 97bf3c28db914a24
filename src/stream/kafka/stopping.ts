// Stopping is not an error, but what waits must end: with the one error that everybody recognises by its name.

export function abortError(): Error {
  return new DOMException('the Kafka log is closed', 'AbortError');
}

export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError();
}
