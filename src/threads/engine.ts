// The engine thread: the one writer of the data file. Opens the engine and lets the main thread call it.
import { parentPort, workerData } from 'node:worker_threads';
import { AppError, assert, toThrownMessage } from '../core/errors.js';
import type { EngineApi, EngineOptions, MainApi } from '../engine/engine-api.js';
import { openEngine } from '../engine/open-engine.js';
import { freeMemoryAtRest } from './rest.js';
import { connectRpc } from './rpc.js';

const port = parentPort;
assert(port, 'engine.ts runs as a worker thread');
let engine: EngineApi | undefined;
const methods = new Proxy({} as Record<string, (...args: never[]) => unknown>, {
  get: (_target, name) => {
    if (!engine) throw new AppError('not-ready', 'the engine is starting');
    return engine[name as keyof EngineApi];
  },
});
const rpc = connectRpc<MainApi>(port, methods, (error) => rpc.notify('failed', toThrownMessage(error)));
const main: MainApi = {
  ready: (info) => rpc.notify('ready', info),
  committed: (seq, commitTimeUs) => rpc.notify('committed', seq, commitTimeUs),
  tableSources: (tables) => rpc.notify('tableSources', tables),
  failed: (error) => rpc.notify('failed', error),
  log: (level, message, fields) => rpc.notify('log', level, message, fields),
};
freeMemoryAtRest(() => engine?.freeCaches());
openEngine(workerData as EngineOptions, {
  ...main,
  // The api must be there before anybody is told that it is.
  ready: (info) => queueMicrotask(() => main.ready(info)),
})
  .then((opened) => {
    engine = opened;
  })
  .catch((error: unknown) => main.failed(toThrownMessage(error)));
