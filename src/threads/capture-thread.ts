// A capture thread as the main thread sees it: one task of a connector.
import { setTimeout as delay } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { CheckedConfig } from '../connect/connector-config.js';
import type { ConnectorTask } from '../connect/herder-env.js';
import { AppError, fromErrorMessage } from '../core/errors.js';
import type { LogTarget } from '../core/logger.js';
import type { SourceReport } from '../source/source-connector.js';
import type { VerifyReport } from '../source/verification.js';
import type { CaptureApi, CaptureData, CaptureMainApi } from './capture.js';
import type { EngineApi, StreamOptions } from '../engine/engine-api.js';
import { connectRpc, transfer, type Remote } from './rpc.js';
import { brokenThread } from './thread-error.js';
import { threadLimits } from './young-generation.js';

export interface CaptureThreadEnv {
  readonly engine: Remote<EngineApi>;
  readonly stream: StreamOptions;
  readonly serviceId: string;
  readonly log: LogTarget;
}

/** How long a task may take to end by itself before its thread is cut off; nothing is lost by that. */
const stopMs = 5_000;

export function startCaptureThread(
  env: CaptureThreadEnv,
  name: string,
  checked: CheckedConfig,
  onReport: (report: SourceReport) => void,
): ConnectorTask {
  const embedded = env.stream.kind === 'embedded';
  const channel = embedded ? new MessageChannel() : undefined;
  const data: CaptureData = {
    name,
    family: checked.plugin.family,
    source: checked.source,
    output: checked.output,
    stream: env.stream,
    serviceId: env.serviceId,
    bridge: channel?.port2,
  };
  const worker = new Worker(new URL('./capture.js', import.meta.url), {
    workerData: data,
    resourceLimits: threadLimits,
    transferList: channel ? [channel.port2] : [],
  });
  const attached = channel
    ? env.engine.attachCapture(transfer({ port: channel.port1 }, [channel.port1]))
    : Promise.resolve();
  let settle: (error: AppError | undefined) => void = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  let onVerified: (so: VerifyReport) => void = () => {};
  const main: CaptureMainApi = {
    openTable: (request) => env.engine.openTable(request),
    caughtUp: () => env.engine.caughtUp(),
    heldTables: (connector) => env.engine.heldTables(connector),
    heldRows: (request) => env.engine.heldRows(request),
    compareRows: (request) => env.engine.compareRows(request),
    declareLookups: (declaration) => env.engine.declareLookups(declaration),
    lookupNotes: (connector) => env.engine.lookupNotes(connector),
    findHeld: (connector, search) => env.engine.findHeld(connector, search),
    knownPositions: () => env.engine.knownPositions(),
    state: onReport,
    verified: (so) => onVerified(so),
    log: env.log,
    done: (error) => {
      rpc.fail(new AppError('source-unreachable', 'the task of the connector has ended', { retriable: true }));
      settle(error ? fromErrorMessage(error) : undefined);
      void worker.terminate();
    },
  };
  const rpc = connectRpc<CaptureApi>(worker, { ...main } as never, (error) =>
    settle(new AppError('internal', String(error), { cause: error })),
  );
  attached.catch((cause: unknown) => settle(new AppError('internal', 'the engine took no bridge', { cause })));
  worker.on('error', (error) => settle(brokenThread('the capture thread', error)));
  worker.on('exit', () => {
    rpc.fail(new AppError('source-unreachable', 'the task of the connector has ended', { retriable: true }));
    settle(new AppError('internal', 'the capture thread ended', { retriable: true }));
  });
  return {
    done,
    async verify(request, report) {
      onVerified = report;
      return rpc.remote.verify(request);
    },
    snapshot: (request) => rpc.remote.snapshot(request),
    async stop() {
      rpc.notify('stop');
      const timer = setTimeout(() => void worker.terminate(), stopMs);
      await done.catch(() => {}); // the herder hears of it through `done` itself
      clearTimeout(timer);
      // Nothing of it is left but the thread, whose end Node may never come to where a socket was cut (nodejs/node#47748).
      await Promise.race([worker.terminate(), delay(stopMs, undefined, { ref: false })]);
    },
  };
}
