// How long an answer of the source may take. A server that accepts a connection and then says nothing (frozen, out of threads, behind a
// firewall that forgets) looks like one that thinks: only time tells them apart. What is expired is given up with its connection, since
// its answer could still come, and is tried again like any lost connection.
import { AppError } from '../../core/errors.js';

export interface Deadline {
  /** 0: none. */
  readonly ms: number;
  /** The property that sets it. */
  readonly property: string;
}

/**
 * Rows come in lumps of the server's buffer (net_buffer_length, 16 KB): less than this within a whole deadline is a drip, which would put it
 * off for ever.
 */
export const progressBytes = 4096;

export interface Deadlines {
  /** To connect and log in, and for questions whose answer is at hand. */
  readonly short: Deadline;
  /** For statements that may have to read or to wait; for rows, the time in which more of them have to come. */
  readonly long: Deadline;
}

export function expired({ ms, property }: Deadline, doing: string): AppError {
  return new AppError('source-unreachable', `the source has not answered for ${ms / 1000} s while ${doing}`, {
    hint: `if it is only slow, set ${property} higher`,
    place: { path: property },
    retriable: true,
  });
}
