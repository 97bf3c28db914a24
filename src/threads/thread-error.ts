// Why a thread has ended that should not have.
import { AppError, toAppError } from '../core/errors.js';

/** Of what a worker emits as its error. `what` begins the sentence. */
export function brokenThread(what: string, cause: unknown): AppError {
  const { code, hint } = toAppError(cause);
  return new AppError(code, `${what} broke: ${String(cause)}`, { hint, cause, retriable: true });
}
