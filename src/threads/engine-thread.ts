// The engine thread as the main thread sees it: started, ready, its calls, its notices, its end.
import { Worker } from 'node:worker_threads';
import { AppError, fromErrorMessage } from '../core/errors.js';
import type { LogTarget } from '../core/logger.js';
import type { EngineApi, EngineOptions, MainApi } from '../engine/engine-api.js';
import { connectRpc, type Remote } from './rpc.js';
import { threadLimits } from './young-generation.js';

export interface EngineThread {
  readonly remote: Remote<EngineApi>;
  readonly logId: string;
  /** Ends the loop between two commits, then the thread; one that has failed is gone already. */
  stop(): Promise<void>;
}

export interface EngineEvents {
  readonly log: LogTarget;
  readonly committed: (seq: number, commitTimeUs: number) => void;
  readonly tableSources: MainApi['tableSources'];
  /** The engine cannot go on, and is told of once; the process should end. */
  readonly failed: (error: AppError) => void;
}

/** `signal` ends it while it opens; once it is open it is stopped. */
export function startEngineThread(
  options: EngineOptions,
  events: EngineEvents,
  signal: AbortSignal,
): Promise<EngineThread> {
  const worker = new Worker(new URL('./engine.js', import.meta.url), {
    workerData: options,
    resourceLimits: threadLimits,
  });
  let stopping = false;
  return new Promise((resolve, reject) => {
    let ready = false;
    let failed = false;
    const fail = (error: AppError) => {
      // The first says why; that the thread ends then is only what follows.
      if (failed) return;
      failed = true;
      rpc.fail(error);
      if (stopping) return;
      if (ready) events.failed(error);
      else reject(error);
      // Its loop has ended, so nothing is lost by it; and whoever waits at one of its ports hears that nothing comes any more.
      void worker.terminate();
    };
    const onAbort = () => fail(new AppError('not-ready', 'the service stops', { retriable: true }));
    const main: MainApi = {
      ready({ logId }) {
        ready = true;
        signal.removeEventListener('abort', onAbort);
        resolve({
          remote: rpc.remote,
          logId,
          async stop() {
            stopping = true;
            try {
              if (!failed) await rpc.remote.stop();
            } finally {
              // Calls that came meanwhile: it is no fault of theirs, nor of the thread.
              rpc.fail(new AppError('not-ready', 'the engine stops', { retriable: true }));
              await worker.terminate();
            }
          },
        });
      },
      committed: events.committed,
      tableSources: events.tableSources,
      failed: (error) => fail(fromErrorMessage(error)),
      log: events.log,
    };
    const rpc = connectRpc<EngineApi>(worker, { ...main }, (error) =>
      fail(new AppError('internal', String(error), { cause: error })),
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    worker.on('error', (error) =>
      fail(new AppError('internal', `the engine thread broke: ${String(error)}`, { cause: error })),
    );
    worker.on('exit', (code) => fail(new AppError('internal', `the engine thread ended with code ${code}`)));
  });
}
