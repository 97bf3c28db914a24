// Statements that only tell: SHOW, DESCRIBE, EXPLAIN.
import { type Catalog } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { AppError, unreachable } from '../core/errors.js';
import { explainPull, explainQuery } from '../sql/explain.js';
import { allFunctions } from '../sql/functions/registry.js';
import type { SourceDefinition, Statement } from '../sql/plan.js';
import { queryPlan, querySources } from './query-sources.js';
import type { ExplainedQuery, QuerySummary, StatementResult } from './statement-facade.js';
import { queryState, querySummary, sourceDetail, sourceSummary } from './statement-results.js';

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export interface ToldEnv {
  readonly catalog: Catalog;
  readonly topics: () => Promise<readonly { readonly name: string; readonly partitions: number }[]>;
  /** Of one topic, asked now; undefined: there is none. */
  readonly partitions: (topic: string) => Promise<number | undefined>;
  /** Settings of the process, for SHOW PROPERTIES; no secrets. */
  readonly properties: () => Readonly<Record<string, string>>;
  /** As they should be. */
  readonly connectors: () => readonly { readonly name: string; readonly className: string; readonly state: string }[];
}

export class Told {
  readonly #env: ToldEnv;

  constructor(env: ToldEnv) {
    this.#env = env;
  }

  async show({ what }: Of<'show'>, text: string): Promise<StatementResult> {
    const { catalog, topics, properties, connectors } = this.#env;
    const sources = (sourceKind: SourceDefinition['sourceKind']): StatementResult => ({
      kind: 'sources',
      text,
      sourceKind,
      sources: catalog
        .all()
        .filter((entry) => entry.sourceKind === sourceKind)
        .map(sourceSummary),
    });
    switch (what) {
      case 'streams':
        return sources('stream');
      case 'tables':
        return sources('table');
      case 'queries':
        return { kind: 'queries', text, queries: this.#summaries() };
      case 'topics': {
        const shown = (await topics()).filter(({ name }) => !name.startsWith('_'));
        return { kind: 'topics', text, topics: shown.map(({ name, partitions }) => ({ name, partitions })) };
      }
      case 'properties':
        return { kind: 'properties', text, properties: properties() };
      case 'functions':
        return { kind: 'functions', text, names: allFunctions().map(({ name }) => name) };
      case 'variables':
      case 'types':
        return { kind: what, text };
      case 'connectors':
        return { kind: 'connectors', text, connectors: connectors() };
      default:
        return unreachable(what);
    }
  }

  #summaries(wanted: (id: string) => boolean = () => true): readonly QuerySummary[] {
    const { catalog } = this.#env;
    return catalog
      .queries()
      .filter(({ id }) => wanted(id))
      .map((query) => querySummary(query, catalog.find(query.sink)?.properties.topic ?? query.sink));
  }

  async describe(name: string, extended: boolean, text: string): Promise<StatementResult> {
    const { catalog, partitions } = this.#env;
    const entry = catalog.find(name);
    if (!entry) throw new AppError('unknown-table', `Could not find STREAM/TABLE '${name}' in the Metastore`);
    const readers = new Set(
      catalog
        .queries()
        .filter((query) => querySources(catalog, query).some((source) => nameKey(source) === nameKey(entry.name)))
        .map(({ id }) => id),
    );
    const count = (await partitions(entry.properties.topic)) ?? 0;
    return {
      kind: 'source',
      text,
      source: sourceDetail(entry, count),
      extended,
      readBy: this.#summaries((id) => readers.has(id)),
      writtenBy: this.#summaries((id) => id === entry.writtenBy),
    };
  }

  explain(statement: Of<'explain'>, text: string): StatementResult {
    return { kind: 'explained', text, query: this.#explained(statement, text) };
  }

  #explained({ pull, plan, push, query: id }: Of<'explain'>, sql: string): ExplainedQuery {
    const { catalog } = this.#env;
    const unnamed = { id: '', sql, sinks: [], state: 'UNASSIGNED' } as const;
    if (pull) {
      return {
        ...unnamed,
        sources: [pull.source],
        queryType: 'PULL',
        plan: explainPull(pull),
        columns: pull.output,
        keyColumns: [...pull.output.keys()].filter((i) => pull.output[i]!.isKey),
      };
    }
    if (plan) {
      const { columns, keyColumns } = plan.root.schema;
      const queryType = push === true ? 'PUSH' : 'PERSISTENT';
      return { ...unnamed, sources: plan.sources, queryType, plan: explainQuery(plan), columns, keyColumns };
    }
    const query = catalog.queries().find((each) => id !== null && id !== undefined && nameKey(each.id) === nameKey(id));
    if (!query) {
      throw new AppError(
        'invalid-statement',
        `Query with id:${id} does not exist, use SHOW QUERIES to view the full set of queries.`,
      );
    }
    const running = queryPlan(catalog, query);
    return {
      id: query.id,
      sql: query.sql,
      sources: running.sources,
      sinks: [query.sink],
      state: queryState(query),
      queryType: 'PERSISTENT',
      plan: explainQuery(running),
      columns: running.root.schema.columns,
      keyColumns: running.root.schema.keyColumns,
    };
  }
}
