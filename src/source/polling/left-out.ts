// What keeps one table, or view, from being polled is said, and the others are.
import type { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';

export function leftOut(name: string, { code, message, hint }: AppError): SourceFinding {
  return { severity: 'warning', code, object: name, message: `${message}: it is left out`, hint };
}
