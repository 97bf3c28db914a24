// An inquiry thread as the main thread sees it: one source, asked a question or two. There are so many of them at once, each with so much
// memory and time: what a source does to one concerns nobody else.
import { Worker } from 'node:worker_threads';
import type { PluginFamily } from '../connect/config-def.js';
import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';
import type { LogTarget } from '../core/logger.js';
import type { SourceConfig, SourceInquiry } from '../source/source-connector.js';
import type { InquiryApi, InquiryData, InquiryMainApi } from './inquiry.js';
import { Places } from './places.js';
import { connectRpc, type Rpc } from './rpc.js';
import { brokenThread } from './thread-error.js';
import { threadLimits } from './young-generation.js';

/** How long a source may take to be let go before its thread is cut off. */
const closeMs = 1_000;

const places = new Places(bounds.inquiries.value, 'sources are being asked already');

export function startInquiry(log: LogTarget, family: PluginFamily, source: SourceConfig): SourceInquiry {
  const closing = new AbortController();
  let opened: Promise<Thread> | undefined;
  const open = () =>
    (opened ??= places.take(closing.signal).then((leave) => startThread(log, { family, source }, leave)));
  const ask = async <T>(question: (remote: Thread['rpc']['remote']) => Promise<T>): Promise<T> =>
    question((await open()).rpc.remote);
  return {
    recognise: (known) => ask((remote) => remote.recognise(known)),
    validate: (read) => ask((remote) => remote.validate(read)),
    place: (wanted) => ask((remote) => remote.place(wanted)),
    uninstall: () => ask((remote) => remote.uninstall()),
    close: async () => {
      closing.abort(new AppError('not-ready', 'the source is not asked any more', { retriable: true }));
      // One that was never opened, or found no place, has nothing to let go.
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}

function startWorker(data: InquiryData, leave: () => void): Worker {
  try {
    return new Worker(new URL('./inquiry.js', import.meta.url), {
      workerData: data,
      resourceLimits: { ...threadLimits, maxOldGenerationSizeMb: bounds.inquiryHeapMb.value },
    });
  } catch (error) {
    leave();
    throw error;
  }
}

interface Thread {
  readonly rpc: Rpc<InquiryApi>;
  close(): Promise<void>;
}

function startThread(log: LogTarget, data: InquiryData, leave: () => void): Thread {
  const worker = startWorker(data, leave);
  const main: InquiryMainApi = { log };
  const broken = (error: unknown): void => rpc.fail(brokenThread('the thread that asks the source', error));
  const rpc = connectRpc<InquiryApi>(worker, { ...main } as never, broken);
  const overdue = setTimeout(() => {
    const { value } = bounds.inquiryMs;
    rpc.fail(
      new AppError('source-unreachable', `the source has not answered everything within ${value / 1000} s`, {
        retriable: true,
      }),
    );
    void worker.terminate();
  }, bounds.inquiryMs.value).unref();
  worker.on('error', broken);
  worker.on('exit', () => {
    clearTimeout(overdue);
    leave();
    rpc.fail(new AppError('internal', 'the thread that asks the source has ended', { retriable: true }));
  });
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const timer = setTimeout(() => void worker.terminate(), closeMs);
    // Of one that has ended there is nothing to let go.
    await rpc.remote.close().catch(() => {});
    clearTimeout(timer);
    await worker.terminate();
  };
  return { rpc, close: () => (closed ??= close()) };
}
