// A setting of the server with which capture would lose changes; the hint is the statement that repairs it.
import type { SourceFinding } from '../source-connector.js';

export function misconfigured(object: string, message: string, hint: string): SourceFinding {
  return { severity: 'error', code: 'source-misconfigured', object, message, hint };
}
