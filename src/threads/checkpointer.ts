// Moves the write-ahead log back into the data file, away from the engine's commits: a step now and then while there are commits.
import { parentPort, workerData } from 'node:worker_threads';
import { assert, toErrorMessage, type ErrorMessage } from '../core/errors.js';
import { openCheckpointer } from '../sqlite/checkpoint.js';
import { storageError } from '../sqlite/storage-error.js';

export interface CheckpointerData {
  readonly path: string;
}

/** To each step. */
export interface CheckpointerAnswer {
  readonly failed?: ErrorMessage;
}

const port = parentPort;
assert(port, 'checkpointer.ts runs as a worker thread');
const { path } = workerData as CheckpointerData;
const checkpointer = openCheckpointer(path);

// The main thread sends a message when there were commits since the last step.
port.on('message', (message: unknown) => {
  if (message === 'close') {
    checkpointer.close();
    port.close();
    return;
  }
  try {
    checkpointer.step();
    port.postMessage({} satisfies CheckpointerAnswer);
  } catch (error) {
    port.postMessage({ failed: toErrorMessage(storageError(error, path)) } satisfies CheckpointerAnswer);
  }
});
