// `writethrough doctor` of a source without a server: the same questions as a herder's, from this process.
import type { DoctorRequest } from '../cli/doctor.js';
import { defaults } from '../cli/start.js';
import type { Diagnosis } from '../connect/diagnosis.js';
import { LiveSource } from '../connect/live-source.js';
import { reached } from '../connect/reach.js';
import { connectorOfUrl } from '../connect/source-url.js';
import { createLogger, type LogTarget } from '../core/logger.js';
import { startInquiry } from '../threads/inquiry-thread.js';
import { reachOf } from './reach-options.js';

/** What would be logged is among the findings. */
const log: LogTarget = () => {};

export async function runDoctor({ of, data }: DoctorRequest): Promise<Diagnosis> {
  const { name, config } = 'source' in of ? connectorOfUrl(of.source) : of;
  const folder = data ?? process.env['WRITETHROUGH_DATA'] ?? defaults.data;
  // Whoever asks here has a shell: what a connector over HTTP may not reach is the server's to say.
  const reach = reachOf({ data: folder, 'secrets.env': [], 'sources.allowed': [] });
  const live = new LiveSource({
    openInquiry: (family, source) => startInquiry(log, family, source),
    resolveReferences: (properties, owner) => reached(properties, owner, reach),
    logger: createLogger(log),
    closing: new AbortController().signal,
  });
  return live.diagnose({ name, config, owner: 'flag' });
}
