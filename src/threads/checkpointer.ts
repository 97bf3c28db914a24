// Moves the write-ahead log back into the data file, away from the engine's commits: a step now and then while there are commits.
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/errors.js';
import { openCheckpointer } from '../sqlite/checkpoint.js';

export interface CheckpointerData {
  readonly path: string;
}

const port = parentPort;
assert(port, 'checkpointer.ts runs as a worker thread');
const checkpointer = openCheckpointer((workerData as CheckpointerData).path);

// The main thread sends a message when there were commits since the last step.
port.on('message', (message: unknown) => {
  if (message === 'close') {
    checkpointer.close();
    port.close();
  } else port.postMessage(checkpointer.step());
});
