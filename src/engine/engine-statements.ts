// Statements as the engine runs them: the projector's Statements joined to log and store, and statements of query files that wait for
// their sources.
import type { Catalog } from '../catalog/catalog.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { QueryStatus, StatementRequest, StatementResult, StatementRun } from '../projector/statement-facade.js';
import { queryState } from '../projector/statement-results.js';
import { Statements } from '../projector/statements.js';
import type { EventLog } from '../stream/event-log.js';
import type { DefinitionAppends } from './definition-appends.js';
import type { EngineOptions, WaitingStatement } from './engine-api.js';
import type { EngineTopics } from './engine-topics.js';
import { FileStatements } from './file-statements.js';
import { insertValues } from './insert-values.js';
import type { LocalAppends } from './local-appends.js';
import { own } from '../core/own.js';

export interface EngineStatementsEnv {
  readonly catalog: Catalog;
  readonly definitions: DefinitionAppends;
  readonly topics: EngineTopics;
  readonly log: EventLog;
  readonly local: LocalAppends;
  readonly options: EngineOptions;
  readonly logger: Logger;
  /** As they should be; for SHOW CONNECTORS. */
  readonly connectors: () => readonly { readonly name: string; readonly className: string; readonly state: string }[];
}

export class EngineStatements {
  readonly #env: EngineStatementsEnv;
  readonly #statements: Statements;
  readonly #files: FileStatements;

  constructor(env: EngineStatementsEnv) {
    this.#env = env;
    const { catalog, definitions, topics, log, local, options } = env;
    const { strict, serviceId, failsOnTimestamp = false, topicRetention: retention } = options;
    let keyless = 0;
    const insertEnv = { catalog, definitions, local, topics, serviceId, nextKeyless: () => keyless++ };
    this.#statements = new Statements({
      catalog,
      strict,
      failsOnTimestamp,
      retention,
      define: async (source, topic, definitionOf) => {
        failpoint('statement-before-append');
        const names = topic === null ? [] : [topic];
        const result = await definitions.appendFor(source, names, (seen) =>
          definitionOf(topic === null ? null : (own(seen, topic) ?? null)),
        );
        failpoint('statement-after-append');
        return result;
      },
      insert: (target, analyze) => insertValues(insertEnv, target, analyze),
      topics: () => topics.shown(),
      partitions: (topic) => log.partitions(topic, 'now'),
      properties: () => options.properties,
      connectors: env.connectors,
    });
    this.#files = new FileStatements({
      catalog,
      log,
      strict,
      logger: env.logger,
      execute: (request) => this.execute(request),
    });
    // A stream or table may have appeared: what waited for it may run now.
    definitions.onApplied(() => void this.#files.retry());
  }

  execute(request: StatementRequest): Promise<readonly StatementResult[]> {
    return this.#statements.execute(request);
  }

  run(request: StatementRequest): Promise<StatementRun> {
    return this.#statements.run(request);
  }

  executeOrWait({ sql, file }: StatementRequest): Promise<{ readonly waiting: readonly string[] }> {
    return this.#files.apply(sql, file ?? '');
  }

  waiting(): readonly WaitingStatement[] {
    return this.#files.waiting();
  }

  queryStatus(): readonly QueryStatus[] {
    const running = this.#env.catalog.queries().map((query) => ({
      id: query.id,
      sql: query.sql,
      sink: query.sink,
      state: queryState(query),
      ...(query.state.kind === 'failed' ? { reason: `${query.state.error.code}: ${query.state.error.message}` } : {}),
    }));
    // A source that stands still is told like a query: nothing else in the status would show it.
    const failed = this.#env.catalog.all().flatMap(({ name, sql, failed: error }) =>
      error
        ? [
            {
              id: name,
              sql: sql ?? '',
              sink: name,
              state: 'ERROR' as const,
              reason: `${error.code}: ${error.message}`,
            },
          ]
        : [],
    );
    return [...running, ...failed, ...this.#files.status()];
  }
}
