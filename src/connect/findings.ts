// What is found in a configuration.
import type { SourceFinding } from '../source/source-connector.js';

export function problemOf(property: string, message: string, hint?: string): SourceFinding {
  return { severity: 'error', code: 'bad-connector-config', property, message, hint };
}

/** What has no effect here, or another one than elsewhere. */
export function noteOf(property: string, message: string): SourceFinding {
  return { severity: 'note', code: 'not-needed', property, message };
}
