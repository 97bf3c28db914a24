// Moves the write-ahead log back into the data file, away from the engine's commits: a step now and then while there are commits.
import { parentPort, workerData } from 'node:worker_threads';
import { assert, toThrownMessage, type ErrorMessage } from '../core/errors.js';
import { openCheckpointer } from '../sqlite/checkpoint.js';
import { storageError } from '../sqlite/storage-error.js';

export interface CheckpointerData {
  readonly path: string;
}

/** To each step. */
export type CheckpointerAnswer =
  | { readonly kind: 'moved'; readonly walBytes: number; readonly blocked: boolean; readonly left: boolean }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };

const port = parentPort;
assert(port, 'checkpointer.ts runs as a worker thread');
const { path } = workerData as CheckpointerData;
const checkpointer = openCheckpointer(path, { least: { bytes: 32 * 1024 * 1024, ms: 1_000 } });

// The main thread sends a message when there were commits since the last step.
port.on('message', (message: unknown) => {
  if (message === 'close') {
    checkpointer.close();
    port.close();
    return;
  }
  port.postMessage(step());
});

function step(): CheckpointerAnswer {
  try {
    const { walBytes, blocked, left } = checkpointer.step();
    return { kind: 'moved', walBytes, blocked, left };
  } catch (error) {
    return { kind: 'failed', error: toThrownMessage(storageError(error, path)) };
  }
}
