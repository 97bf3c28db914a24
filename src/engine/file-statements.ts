// The statements of query files, which are applied again at every start: what is there already from the same text is left as it is;
// what reads something that is not there yet waits until it is; what cannot be applied to what is there is told in the log and in
// the status, and the service runs on with what there is.
import type { Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { AppError, toAppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { analyzeOptions } from '../projector/query-sources.js';
import type { QueryStatus, StatementRequest, StatementResult } from '../projector/statement-facade.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import { printStatement } from '../sql/print/statement.js';
import type { CatalogView } from '../sql/plan.js';
import type { EventLog } from '../stream/event-log.js';
import type { WaitingStatement } from './engine-api.js';

export interface FileStatementsEnv {
  readonly catalog: Catalog;
  readonly log: EventLog;
  readonly strict: boolean;
  readonly logger: Logger;
  readonly execute: (request: StatementRequest) => Promise<readonly StatementResult[]>;
}

interface Refused {
  readonly sql: string;
  readonly file: string;
  readonly error: AppError;
}

export class FileStatements {
  readonly #env: FileStatementsEnv;
  #waiting: WaitingStatement[] = [];
  readonly #refused: Refused[] = [];

  constructor(env: FileStatementsEnv) {
    this.#env = env;
  }

  /** Rejects with what is wrong with the statement itself. */
  async apply(sql: string, file: string): Promise<{ readonly waiting: readonly string[] }> {
    const { catalog, logger, execute } = this.#env;
    const [parsed] = parseStatements(sql);
    const { ast } = parsed!;
    if (ast.kind === 'insert-values') {
      throw new AppError('invalid-statement', 'INSERT VALUES in a query file', {
        hint: 'files are applied at every start: send it to /ksql once',
      });
    }
    if (ast.kind === 'create-source' || ast.kind === 'create-as') {
      const { name, sql: there } = catalog.find(ast.name.text) ?? { name: '', sql: null };
      if (there !== null && (ast.ifNotExists || normal(there) === normal(sql))) return { waiting: [] };
      if (there !== null && !ast.orReplace) {
        this.#refuse({ sql, file, error: changed(name, there) });
        return { waiting: [] };
      }
    }
    const missing = await this.#missing(sql);
    if (missing.length > 0) {
      this.#waiting.push({ sql, file, missing });
      logger.info('a query waits for its sources', { file, missing });
      return { waiting: missing };
    }
    await execute({ sql, owner: 'file', file });
    return { waiting: [] };
  }

  /** A stream or table has appeared: what waited for it may run now. */
  async retry(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const { sql, file } of waiting) {
      try {
        await this.apply(sql, file);
      } catch (error) {
        this.#refuse({ sql, file, error: toAppError(error) });
      }
    }
  }

  waiting(): readonly WaitingStatement[] {
    return this.#waiting;
  }

  status(): readonly QueryStatus[] {
    const waiting = this.#waiting.map(({ sql, file, missing }) => ({
      id: file,
      sql,
      sink: null,
      state: 'WAITING' as const,
      reason: `waits for ${missing.join(', ')}`,
    }));
    const refused = this.#refused.map(({ sql, file, error }) => ({
      id: file,
      sql,
      sink: null,
      state: 'ERROR' as const,
      reason: `${error.code}: ${error.message}`,
    }));
    return [...waiting, ...refused];
  }

  #refuse(refused: Refused): void {
    this.#refused.push(refused);
    const { file, error } = refused;
    const { code, message, detail, hint } = error;
    this.#env.logger.error('a statement of a query file is not applied', { file, code, error: message, detail, hint });
  }

  /** Names of sources that the statement reads and nobody has defined, and its topic where nobody has made it. */
  async #missing(sql: string): Promise<readonly string[]> {
    const { catalog, log, strict } = this.#env;
    const missing: string[] = [];
    const view: CatalogView = {
      find: (name) => {
        const found = catalog.find(name);
        if (!found) missing.push(name);
        return found;
      },
      all: () => catalog.all(),
    };
    const [parsed] = parseStatements(sql);
    const { ast } = parsed!;
    if (ast.kind !== 'create-source' && ast.kind !== 'create-as') return [];
    try {
      const statement = analyzeStatement(parsed!, view, analyzeOptions(strict));
      if (statement.kind !== 'create-source' || statement.properties.partitions !== null) return [];
      const { topic } = statement.properties;
      return (await log.partitions(topic, 'now')) === undefined ? [`topic ${topic}`] : [];
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'unknown-table')) return [];
      return [...new Set(missing)].filter((name) => nameKey(name) !== nameKey(ast.name.text));
    }
  }
}

/** The statement's meaning as text, so that another layout of the same statement is the same. */
function normal(sql: string): string {
  return parseStatements(sql, { accepted: true })
    .map(({ ast }) => printStatement(ast))
    .join(';');
}

function changed(name: string, there: string): AppError {
  return new AppError('already-exists', `${name} runs with another definition than the file has`, {
    detail: `there: ${there.replaceAll(/\s+/g, ' ').slice(0, 400)}`,
    hint: 'DROP it (POST /ksql) and start again; until then the old definition serves',
  });
}
