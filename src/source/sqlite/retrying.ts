// Steps that a lock of the application, or a file that is not there yet, can delay: tried again with back-off, visible in the state, with
// one log line when it begins and one when it is over. A lock is over in a moment, so the pauses are shorter than those of a server.
import { delay } from '../../core/backoff.js';
import { Retries } from '../../core/retries.js';
import type { SourceContext } from '../source-connector.js';
import type { SqliteSourceConfig } from './config.js';
import { sourceError } from './session.js';

const initialMs = 20;
const maxMs = 2_000;

export async function retrying<T>(
  context: SourceContext,
  { file, retries: settings }: Pick<SqliteSourceConfig, 'file' | 'retries'>,
  step: () => T,
): Promise<T> {
  const { logger, signal } = context;
  const retries = new Retries({
    ...settings,
    initialMs: Math.min(initialMs, settings.initialMs),
    maxMs: Math.min(maxMs, settings.maxMs),
  });
  for (;;) {
    try {
      const result = step();
      if (retries.attempt > 0) logger.info('the file can be used again', { file });
      return result;
    } catch (caught) {
      const error = sourceError(caught, file);
      if (!error.retriable) throw error;
      const { retry, waitMs } = retries.next(error);
      if (retry.attempt === 1) logger.warn(error.message, { detail: error.detail, hint: error.hint });
      context.reportState({ phase: 'waiting', reason: `${error.message} (attempt ${retry.attempt})`, retry });
      await delay(waitMs, signal);
    }
  }
}
