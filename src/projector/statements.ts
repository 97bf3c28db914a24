// Runs ksqlDB statements for POST /ksql, the query files and the embedding API. All statements of a request are analysed first, each
// against the catalogue as the earlier ones will leave it as far as names go, and none runs if one is wrong. A definition becomes one
// append of the statements topic and is decided when the engine applies it: what another client has defined meanwhile counts. Only
// then does the call resolve, so what it made can be read at once.
import { AppError, assert, toAppError, toErrorMessage, unreachable } from '../core/errors.js';
import type { AskedRetention } from '../core/topic-retention.js';
import { readRequestProperty, requestPropertyName, throwOnInvalidTimestamp } from '../core/request-properties.js';
import type { Catalog, Owner } from '../catalog/catalog.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements, type ParsedStatement } from '../sql/parser/parse.js';
import type { Statement } from '../sql/plan.js';
import type { SeenTopic } from './defined-topics.js';
import type { Definition, DefinitionResult } from './definition.js';
import { PlannedCatalog } from './planned-catalog.js';
import { analyzeOptions } from './query-sources.js';
import type { StatementRequest, StatementResult, StatementRun } from './statement-facade.js';
import { Told, type ToldEnv } from './told.js';

export type InsertValues = Extract<Statement, { readonly kind: 'insert-values' }>;

export interface StatementsEnv extends ToldEnv {
  readonly catalog: Catalog;
  readonly strict: boolean;
  /** Of new topics of streams, where the statement says nothing; undefined: for ever. */
  readonly retention?: AskedRetention | undefined;
  /** Unless a request says otherwise. */
  readonly failsOnTimestamp: boolean;
  /**
   * Appends the definition of a stream or table (null: of queries) that names this topic; resolves with what it came to when it is
   * applied, rejects when it was refused. `definitionOf` is called when nothing is awaited any more before the append.
   */
  readonly define: (
    source: string | null,
    topic: string | null,
    definitionOf: (seen: SeenTopic | null) => Definition,
  ) => Promise<DefinitionResult>;
  /** `analyze` gives the statement as it means at the moment of the call. */
  readonly insert: (target: string, analyze: () => InsertValues) => Promise<void>;
}

interface Ran {
  readonly results: readonly StatementResult[];
  readonly failed?: { readonly text: string; readonly error: AppError };
}

/** What holds for the rest of a request. */
interface Session {
  readonly owner: Owner;
  /** Those of the request, changed by its SET and UNSET. */
  readonly properties: Map<string, unknown>;
}

export class Statements {
  readonly #env: StatementsEnv;
  readonly #told: Told;

  constructor(env: StatementsEnv) {
    this.#env = env;
    this.#told = new Told(env);
  }

  async execute(request: StatementRequest): Promise<readonly StatementResult[]> {
    const { results, failed } = await this.#runAll(request);
    if (failed) throw failed.error;
    return results;
  }

  async run(request: StatementRequest): Promise<StatementRun> {
    const { results, failed } = await this.#runAll(request);
    return failed ? { results, failed: { text: failed.text, error: toErrorMessage(failed.error) } } : { results };
  }

  async #runAll(request: StatementRequest): Promise<Ran> {
    const variables = { ...request.sessionVariables };
    const parsed = parseStatements(request.sql, { variables });
    const results: StatementResult[] = [];
    let text = '';
    try {
      const view = new PlannedCatalog(this.#env.catalog);
      for (const one of parsed) {
        text = one.text;
        const statement = analyzeStatement(one, view, analyzeOptions(this.#env.strict));
        if (statement.kind === 'set' || statement.kind === 'unset') settingOf(statement);
        view.note(statement);
      }
      const owner: Owner = { kind: request.owner, name: request.file ?? null };
      const session = { owner, properties: new Map(Object.entries(request.properties ?? {})) };
      for (const one of parsed) {
        text = one.text;
        // Analysed again: an earlier statement of this request may have made what this one reads.
        const result = await this.#run(one, this.#analyze(one), session);
        if (result) results.push(result);
      }
      return { results };
    } catch (error) {
      return { results, failed: { text, error: toAppError(error) } };
    }
  }

  #analyze(parsed: ParsedStatement): Statement {
    return analyzeStatement(parsed, this.#env.catalog, analyzeOptions(this.#env.strict));
  }

  async #run(parsed: ParsedStatement, statement: Statement, session: Session): Promise<StatementResult | undefined> {
    const { catalog } = this.#env;
    const { text } = parsed;
    switch (statement.kind) {
      case 'create-source':
      case 'create-as':
        return this.#define(text, session, statement.name, statement.properties.topic);
      case 'drop': {
        const topic = catalog.find(statement.name)?.properties.topic ?? null;
        return this.#define(text, session, statement.name, topic);
      }
      case 'pause':
      case 'resume':
      case 'terminate':
        return this.#define(text, session, null, null);
      case 'insert-values':
        await this.#env.insert(statement.target, () => {
          const again = this.#analyze(parsed);
          assert(again.kind === 'insert-values', `an INSERT came to ${again.kind}`);
          return again;
        });
        return undefined;
      case 'show':
        return this.#told.show(statement, text);
      case 'describe':
        return this.#told.describe(statement.name, statement.extended, text);
      case 'explain':
        return this.#told.explain(statement, text);
      case 'set':
      case 'unset': {
        const [name, value] = settingOf(statement);
        session.properties.set(name, value);
        return undefined;
      }
      case 'define':
      case 'undefine':
        return undefined; // they change how the rest of the request is read: parse has seen to it
      case 'pull':
      case 'push':
        throw new AppError('bad-request', 'SELECT and PRINT queries must use the /query endpoint', {
          hint: 'send it to /query or /query-stream',
        });
      default:
        return unreachable(statement);
    }
  }

  async #define(
    sql: string,
    { owner, properties }: Session,
    source: string | null,
    topic: string | null,
  ): Promise<StatementResult> {
    const { define, strict, failsOnTimestamp, retention } = this.#env;
    const given = properties.get(throwOnInvalidTimestamp);
    const fails = given === undefined ? failsOnTimestamp : String(given as string | boolean).toLowerCase() === 'true';
    const result = await define(source, topic, (seen) => ({
      kind: 'statement',
      sql,
      owner,
      strict,
      ...(fails ? { failsOnTimestamp: true } : {}),
      ...(retention ? { retention } : {}),
      seen,
    }));
    return result as StatementResult;
  }
}

interface Setting {
  readonly kind: string;
  readonly name: string;
  readonly value: string | null;
}

/** What SET or UNSET makes of a property. Throws bad-request for one that nobody knows. */
function settingOf({ kind, name, value }: Setting): readonly [string, unknown] {
  return kind === 'set' ? readRequestProperty(name, value) : [requestPropertyName(name), undefined];
}
