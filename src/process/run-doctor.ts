// `writethrough doctor` of a source without a server: the same questions as a herder's, from this process.
import { join, resolve } from 'node:path';
import type { DoctorRequest } from '../cli/doctor.js';
import { defaults } from '../cli/start.js';
import type { Diagnosis } from '../connect/diagnosis.js';
import { LiveSource } from '../connect/live-source.js';
import { resolveReferences } from '../connect/references.js';
import { connectorOfUrl } from '../connect/source-url.js';
import { createLogger, type LogTarget } from '../core/logger.js';
import { startInquiry } from '../threads/inquiry-thread.js';

/** What would be logged is among the findings. */
const log: LogTarget = () => {};

export async function runDoctor({ of, data }: DoctorRequest): Promise<Diagnosis> {
  const { name, config } = 'source' in of ? connectorOfUrl(of.source) : of;
  const secrets = join(resolve(data ?? process.env['WRITETHROUGH_DATA'] ?? defaults.data), 'secrets');
  const live = new LiveSource({
    openInquiry: (family, source) => startInquiry(log, family, source),
    resolveReferences: (properties) => resolveReferences(properties, secrets, process.env),
    logger: createLogger(log),
    closing: new AbortController().signal,
  });
  return live.diagnose(name, config);
}
