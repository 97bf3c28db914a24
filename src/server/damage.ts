// A read that met something other than what was written is said aloud wherever its answer goes: to the log and the metrics, beside the client.
import type { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Metrics } from '../core/metrics.js';

export function noteDamage(
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
  { code, message, detail, hint }: AppError,
): void {
  if (code !== 'corrupt-data') return;
  metrics.count('writethrough_corrupt_data_total');
  logger.error('a read met damaged data', { code, error: message, detail, hint });
}
