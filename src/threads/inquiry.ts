// An inquiry thread: asks a source what is asked outside a task (who it is, whether a configuration works, to take capture away), and ends.
// Drivers and what they load stay out of the main thread, which answers everybody: there they would cost 4 MB for good, and a file that
// has to be looked through would hold everybody up.
import { parentPort, workerData } from 'node:worker_threads';
import type { PluginFamily } from '../connect/config-def.js';
import { assert } from '../core/errors.js';
import { createLogger, type LogFields, type LogLevel } from '../core/logger.js';
import type { SourceConfig, SourceConnector, SourceInquiry } from '../source/source-connector.js';
import { connectRpc } from './rpc.js';
import { sourceFactory } from './source-factory.js';

export interface InquiryData {
  readonly family: PluginFamily;
  readonly source: SourceConfig;
}

export type InquiryApi = Required<SourceInquiry>;

/** What the main thread hears of an inquiry. */
export interface InquiryMainApi {
  log(level: LogLevel, message: string, fields: LogFields): void;
}

const port = parentPort;
assert(port, 'inquiry.ts runs as a worker thread');
const { family, source } = workerData as InquiryData;
let opened: Promise<SourceConnector> | undefined;

const api: InquiryApi = {
  recognise: async (known) => (await open()).recognise(known),
  validate: async (read) => (await open()).validate(read),
  place: async (wanted) => (await open()).place(wanted),
  uninstall: async () => {
    await (await open()).uninstall?.();
  },
  close: async () => {
    await (await opened?.catch(() => undefined))?.close();
  },
};
const rpc = connectRpc<InquiryMainApi>(port, { ...api } as never, (error) => {
  throw error;
});
const logger = createLogger((level, message, fields) => rpc.notify('log', level, message, fields), {
  thread: 'inquiry',
});

function open(): Promise<SourceConnector> {
  opened ??= sourceFactory(family).then((create) => create(source, logger));
  return opened;
}
