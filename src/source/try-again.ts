// What every source does when its database is lost: it says so, tells when it tries again, and waits for that.
import { delay, passed } from '../core/backoff.js';
import type { AppError } from '../core/errors.js';
import type { Retries } from '../core/retries.js';
import type { SourceContext } from './source-connector.js';

/** False: the signal has ended the wait. Throws the trouble as a final one when all tries are used up. */
export async function triedAgain(
  retries: Retries,
  trouble: AppError,
  { logger, signal, reportState }: Pick<SourceContext, 'logger' | 'signal' | 'reportState'>,
): Promise<boolean> {
  const { retry, waitMs } = retries.next(trouble);
  const { code, message: reason, detail, hint } = trouble;
  const when = { attempt: retry.attempt, at: retry.at };
  if (retry.attempt === 1) logger.warn('the source is lost, trying again', { code, reason, detail, hint, ...when });
  else logger.debug('the source is still lost', { code, reason, ...when });
  reportState({ phase: 'waiting', reason: `${reason} (attempt ${retry.attempt})`, retry });
  return passed(delay(waitMs, signal), signal);
}
