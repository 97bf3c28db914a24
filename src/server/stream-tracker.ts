// All open streams of the server, so that closing can end each of them politely: whoever feeds a stream registers what to
// say last (an event stream: when to come back), and those still open at the deadline are cut.
import type { Writable } from 'node:stream';
import type { AnswerBudget } from '../core/answer-budget.js';
import { type Connection, StreamResponse } from './stream-response.js';

export interface TrackedClient {
  readonly destroy: () => void;
  readonly connection?: Connection | undefined;
  /** Its bytes are counted already. */
  readonly counted?: boolean | undefined;
}

export interface StreamTracker {
  track(writable: Writable, client: TrackedClient): StreamResponse;
  /** Called once when the server closes; the function ends the stream. */
  onShutdown(stream: StreamResponse, end: () => void): void;
  /** Ends every stream by its own function, or plainly. */
  shutdown(): void;
  readonly count: number;
}

export interface StreamTrackerEnv {
  readonly stallMs: number;
  readonly answers: AnswerBudget;
  /** A client took nothing for `stallMs`, or others needed its room, and is cut off. */
  readonly onStall: () => void;
}

export function createStreamTracker({ stallMs, answers, onStall }: StreamTrackerEnv): StreamTracker {
  const open = new Map<StreamResponse, () => void>();
  let closing = false;
  return {
    get count() {
      return open.size;
    },
    track(writable, { destroy, connection, counted = false }) {
      const stream = new StreamResponse(writable, {
        stallMs,
        answers: counted ? undefined : answers,
        connection,
        destroy,
        onStall,
        onClose: (over) => open.delete(over),
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
