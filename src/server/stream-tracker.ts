// All open streams of the server, so that closing can end each of them politely: whoever feeds a stream registers what to
// say last (an event stream: when to come back), and those still open at the deadline are cut.
import type { Writable } from 'node:stream';
import { StreamResponse } from './stream-response.js';

export interface StreamTracker {
  track(writable: Writable, destroy: () => void): StreamResponse;
  /** Called once when the server closes; the function ends the stream. */
  onShutdown(stream: StreamResponse, end: () => void): void;
  /** Ends every stream by its own function, or plainly. */
  shutdown(): void;
  readonly count: number;
}

/** `onStall`: a client took nothing for `stallMs` and is cut off. */
export function createStreamTracker(stallMs: number, onStall: () => void): StreamTracker {
  const open = new Map<StreamResponse, () => void>();
  let closing = false;
  return {
    get count() {
      return open.size;
    },
    track(writable, destroy) {
      const stream: StreamResponse = new StreamResponse(writable, {
        stallMs,
        destroy,
        onStall,
        onClose: () => open.delete(stream),
      });
      if (!stream.ended) open.set(stream, () => stream.end());
      return stream;
    },
    onShutdown(stream, end) {
      if (closing) end();
      else if (open.has(stream)) open.set(stream, end);
    },
    shutdown() {
      closing = true;
      for (const end of open.values()) end();
    },
  };
}
