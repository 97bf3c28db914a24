// What is said of tables that cannot be captured: each thing once.
import type { Logger } from '../../core/logger.js';
import type { SourceFinding } from '../source-connector.js';

export class Warnings {
  readonly #logger: Logger;
  readonly #said = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  say(findings: readonly SourceFinding[]): void {
    for (const { message, hint } of findings) {
      if (this.#said.has(message)) continue;
      this.#said.add(message);
      this.#logger.warn(message, { hint });
    }
  }
}
