// An inquiry thread as the main thread sees it: one source, asked a question or two.
import { Worker } from 'node:worker_threads';
import type { PluginFamily } from '../connect/config-def.js';
import { AppError } from '../core/errors.js';
import type { LogTarget } from '../core/logger.js';
import type { SourceConfig, SourceInquiry } from '../source/source-connector.js';
import type { InquiryApi, InquiryData, InquiryMainApi } from './inquiry.js';
import { connectRpc } from './rpc.js';
import { threadLimits } from './young-generation.js';

/** How long a source may take to be let go before its thread is cut off. */
const closeMs = 5_000;

export function startInquiry(log: LogTarget, family: PluginFamily, source: SourceConfig): SourceInquiry {
  const worker = new Worker(new URL('./inquiry.js', import.meta.url), {
    workerData: { family, source } satisfies InquiryData,
    resourceLimits: threadLimits,
  });
  const main: InquiryMainApi = { log };
  const rpc = connectRpc<InquiryApi>(worker, { ...main } as never, (error) => ended(error));
  const ended = (cause?: unknown): void =>
    rpc.fail(new AppError('internal', 'the thread that asks the source has ended', { cause, retriable: true }));
  worker.on('error', ended);
  worker.on('exit', () => ended());
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const timer = setTimeout(() => void worker.terminate(), closeMs);
    // Of one that has ended there is nothing to let go.
    await rpc.remote.close().catch(() => {});
    clearTimeout(timer);
    await worker.terminate();
  };
  return {
    recognise: (known) => rpc.remote.recognise(known),
    validate: (read) => rpc.remote.validate(read),
    place: (wanted) => rpc.remote.place(wanted),
    uninstall: () => rpc.remote.uninstall(),
    close: () => (closed ??= close()),
  };
}
