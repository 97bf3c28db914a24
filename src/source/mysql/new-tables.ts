// What becomes of a table that matches the filters and was never captured: it is captured, or waits until somebody lets it in, or is passed
// over, as the configuration says. One line in the log for each. Which wait is kept beside the tables that stand still, so it is told once.
import { AppError, unreachable } from '../../core/errors.js';
import type { Logger } from '../../core/logger.js';
import type { CapturedTables } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import type { StoppedTables } from './stopped-tables.js';

export interface NewTablesOptions {
  readonly config: MysqlConfig;
  readonly captured: CapturedTables;
  readonly stopped: StoppedTables;
  readonly logger: Logger;
}

export class NewTables {
  readonly #options: NewTablesOptions;
  /** What is captured, and not open yet. */
  readonly #told = new Set<string>();

  constructor(options: NewTablesOptions) {
    this.#options = options;
  }

  /** Whether the table (folded) is captured; decided once for each that is new. */
  admits(name: string): boolean {
    const { config, captured, stopped, logger } = this.#options;
    if (stopped.isNew(name)) {
      // A statement that changed it has let it in.
      captured.known.waits(name);
      return false;
    }
    if (captured.known.isHeld(name) || captured.wasOpened(name) || stopped.has(name)) return true;
    switch (config.newTables) {
      case 'capture':
        if (!this.#told.has(name)) logger.info('a new table is captured', { table: name });
        this.#told.add(name);
        return true;
      case 'ask':
        logger.warn('a new table waits to be let in', { table: name, hint: hintOf(name) });
        break;
      case 'ignore':
        logger.info('a new table is ignored', { table: name });
        break;
      default:
        return unreachable(config.newTables);
    }
    captured.known.waits(name);
    stopped.addNew(
      name,
      new AppError('new-table', `table ${name} is new, and waits to be let in`, { hint: hintOf(name) }),
    );
    return false;
  }

  /** What is no more does not wait. */
  dropped(names: readonly string[]): void {
    for (const name of names) {
      this.#told.delete(name);
      if (this.#options.stopped.isNew(name)) this.#options.stopped.release(name);
    }
  }
}

function hintOf(name: string): string {
  return `\`writethrough snapshot ${name}\` captures it; table.exclude.list leaves it out for good`;
}
