// A reader thread: takes one read at a time, on a connection of its own, so that a scan neither stops HTTP nor the engine.
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/errors.js';
import type { ReadLimits } from '../query/read-budget.js';
import { runReadTask, type ReadAnswer, type ReadTask } from '../query/read-task.js';
import { openStateReader } from '../store/sqlite/state-reader.js';
import { connectRpc } from './rpc.js';

export interface ReaderData {
  readonly path: string;
  readonly limits: ReadLimits;
}

export interface ReaderApi {
  run(task: ReadTask): Promise<ReadAnswer>;
}

const port = parentPort;
assert(port, 'reader.ts runs as a worker thread');
const { path, limits } = workerData as ReaderData;
const reader = openStateReader(path);
connectRpc(port, { run: (task: ReadTask) => runReadTask(reader, task, limits) }, (error) => {
  throw error;
});
