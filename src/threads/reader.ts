// A reader thread: takes one read at a time, on a connection of its own, so that a scan neither stops HTTP nor the engine.
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../core/errors.js';
import type { ReadLimits } from '../query/read-budget.js';
import { AnswerBudget, type SharedAnswerBudget } from '../core/answer-budget.js';
import { pagesOf, runReadTask, type ReadAnswer, type ReadTask } from '../query/read-task.js';
import { openStateReader } from '../store/sqlite/state-reader.js';
import { connectRpc, transfer } from './rpc.js';

export interface ReaderData {
  readonly path: string;
  readonly limits: ReadLimits;
  /** What all answers of the process share. */
  readonly answers: SharedAnswerBudget;
  /** What of it the task in hand has taken; the pool takes the account over with the answer, or when the thread is gone. */
  readonly taken: SharedArrayBuffer;
}

export interface ReaderApi {
  run(task: ReadTask): Promise<ReadAnswer>;
}

const port = parentPort;
assert(port, 'reader.ts runs as a worker thread');
const { path, limits, answers, taken } = workerData as ReaderData;
const reader = openStateReader(path);
const budget = new AnswerBudget(answers.bytesMax, { total: answers.total });
const account = new Float64Array(taken);

function run(task: ReadTask): ReadAnswer {
  const answer = runReadTask(reader, task, limits, (bytes) => {
    account[0]! += budget.count(bytes);
  });
  const moved = pagesOf(answer).flatMap(({ bytes, ends }) => [bytes.buffer, ends.buffer]);
  return transfer(answer, moved);
}

connectRpc(port, { run }, (error) => {
  throw error;
});
