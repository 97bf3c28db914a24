// Steps that a lock of the application, or a file that is not there yet, can delay: tried again with back-off for ever, visible
// in the state, with one log line when it begins and one when it is over.
import { createBackoff } from '../../core/backoff.js';
import type { SourceContext } from '../source-connector.js';
import { sourceError } from './session.js';

export async function retrying<T>(context: SourceContext, file: string, step: () => T): Promise<T> {
  const { logger, signal } = context;
  const backoff = createBackoff({ initialMs: 20, maxMs: 2_000 });
  for (;;) {
    try {
      const result = step();
      if (backoff.attempt > 0) logger.info('the file can be used again', { file });
      return result;
    } catch (caught) {
      const error = sourceError(caught, file);
      if (!error.retriable) throw error;
      if (backoff.attempt === 0) logger.warn(error.message, { detail: error.detail, hint: error.hint });
      context.reportState({ phase: 'waiting', reason: `${error.message} (attempt ${backoff.attempt + 1})` });
      await backoff.wait(signal);
    }
  }
}
