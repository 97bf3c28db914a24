// Runs ksqlDB statements for POST /ksql, the query files and the embedding API. All statements of a request are analysed first, each
// against the catalogue as the earlier ones will leave it as far as names go, and none runs if one is wrong. A definition becomes an
// append of the statements topic and takes effect when the engine applies it; only then does the call resolve, so what it made can be
// read at once.
import { AppError, assert, unreachable } from '../core/errors.js';
import type { Catalog, Owner, SchemaIds, SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { explainPull, explainQuery } from '../sql/explain.js';
import { allFunctions } from '../sql/functions/registry.js';
import type { ParsedStatement } from '../sql/parser/parse.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { CatalogView, SourceDefinition, Statement } from '../sql/plan.js';
import type { Definition } from './definition.js';
import {
  queryDescription,
  queryList,
  queryState,
  sourceDescription,
  sourceList,
  topicList,
  type Entity,
} from './entities.js';
import { analyzeOptions, queryPlan, querySources } from './query-sources.js';
import type { StatementRequest } from './statement-facade.js';

export interface StatementsEnv {
  readonly catalog: Catalog;
  readonly strict: boolean;
  /** Appends a definition; resolves with its entity when it is applied, rejects when it was refused. */
  readonly appendDefinition: (definition: Definition) => Promise<Entity>;
  readonly insertRow: (
    target: SourceEntry,
    row: Extract<Statement, { readonly kind: 'insert-values' }>,
  ) => Promise<void>;
  readonly topics: () => Promise<readonly { readonly name: string; readonly partitions: number }[]>;
  /** Of one topic, asked now; undefined: there is none. */
  readonly partitions: (topic: string) => Promise<number | undefined>;
  readonly createTopic: (name: string, partitions: number, compact: boolean) => Promise<void>;
  /** The log has not made the topic that is there, nor written a record of it. */
  readonly isForeign: (topic: string) => Promise<boolean>;
  /** Registers the schemas of a derived topic; null where its formats have none. */
  readonly registerSchemas: (
    statement: Extract<Statement, { readonly kind: 'create-as' }>,
  ) => Promise<SchemaIds | null>;
  readonly deleteTopic: (name: string) => Promise<void>;
  /** Settings of the process, for SHOW PROPERTIES; no secrets. */
  readonly properties: () => Readonly<Record<string, string>>;
  readonly connectors: () => Promise<
    readonly { readonly name: string; readonly className: string; readonly state: string }[]
  >;
}

export class Statements {
  readonly #env: StatementsEnv;

  constructor(env: StatementsEnv) {
    this.#env = env;
  }

  async execute(request: StatementRequest): Promise<readonly Entity[]> {
    const variables = { ...request.sessionVariables };
    const parsed = parseStatements(request.sql, { variables });
    await this.#checkAll(parsed);
    const owner: Owner = { kind: request.owner, name: request.file ?? null };
    const entities: Entity[] = [];
    for (const one of parsed) {
      // Analysed again: an earlier statement of this request may have made what this one reads.
      const entity = await this.#run(
        one,
        analyzeStatement(one, this.#env.catalog, analyzeOptions(this.#env.strict)),
        owner,
      );
      if (entity) entities.push(entity);
    }
    return entities;
  }

  async #checkAll(parsed: readonly ParsedStatement[]): Promise<void> {
    const view = new PlannedCatalog(this.#env.catalog);
    for (const one of parsed) view.note(analyzeStatement(one, view, analyzeOptions(this.#env.strict)));
    await Promise.resolve();
  }

  async #run(parsed: ParsedStatement, statement: Statement, owner: Owner): Promise<Entity | undefined> {
    const { catalog } = this.#env;
    const text = parsed.text;
    switch (statement.kind) {
      case 'create-source':
        return this.#define(text, owner, null, await this.#sourceTopic(statement));
      case 'create-as':
        // Refused, or left alone, by the definition: nothing is made for it.
        if (catalog.find(statement.name)) return this.#define(text, owner);
        await this.#env.createTopic(
          statement.properties.topic,
          statement.properties.partitions ?? 1,
          statement.sourceKind === 'table',
        );
        return this.#define(text, owner, await this.#env.registerSchemas(statement));
      case 'drop': {
        const topic = catalog.find(statement.name)?.properties.topic;
        if (statement.deleteTopic && topic) await this.#assertDeletable(statement.name, topic);
        const entity = await this.#define(text, owner);
        if (statement.deleteTopic && topic) await this.#env.deleteTopic(topic);
        return entity;
      }
      case 'pause':
      case 'resume':
      case 'terminate':
        return this.#define(text, owner);
      case 'insert-values': {
        const target = catalog.find(statement.target);
        assert(target, `INSERT into ${statement.target}, which analysis found`);
        await this.#env.insertRow(target, statement);
        return undefined;
      }
      case 'show':
        return this.#show(statement, text);
      case 'describe':
        return this.#describe(statement.name, statement.extended, text);
      case 'explain':
        return this.#explain(statement, text);
      case 'set':
      case 'unset':
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

  /** Records go on coming from a connector or an INSERT; without the topic they would have no place. */
  async #assertDeletable(name: string, topic: string): Promise<void> {
    const users = this.#env.catalog.all().filter((entry) => entry.properties.topic === topic);
    const captured = users.find((entry) => entry.captured)?.captured;
    const connectors = await this.#env.connectors();
    if (captured && connectors.some((connector) => connector.name === captured.connector)) {
      throw new AppError('invalid-statement', `topic ${topic} is written by connector ${captured.connector}`, {
        hint: `DROP without DELETE TOPIC, or leave the table out of the connector's filter first`,
      });
    }
    const other = users.find((entry) => nameKey(entry.name) !== nameKey(name));
    if (other) throw new AppError('invalid-statement', `topic ${topic} is read by ${other.name} too`);
  }

  #define(sql: string, owner: Owner, schemaIds: SchemaIds | null = null, imported = false): Promise<Entity> {
    const { strict } = this.#env;
    const definition = { kind: 'statement', sql, owner, strict, schemaIds } as const;
    return this.#env.appendDefinition(imported ? { ...definition, imported } : definition);
  }

  /** Makes the topic where there is none; true: there is one that others write. */
  async #sourceTopic(statement: Extract<Statement, { readonly kind: 'create-source' }>): Promise<boolean> {
    const { topic, partitions } = statement.properties;
    if ((await this.#env.partitions(topic)) !== undefined) return this.#env.isForeign(topic);
    if (partitions === null) {
      throw new AppError('invalid-statement', `Kafka topic does not exist: ${topic}`, {
        hint: 'create it with PARTITIONS=1 in the WITH clause',
      });
    }
    await this.#env.createTopic(topic, partitions, statement.sourceKind === 'table');
    return false;
  }

  async #show(statement: Extract<Statement, { readonly kind: 'show' }>, text: string): Promise<Entity> {
    const { catalog } = this.#env;
    const sources = (kind: SourceDefinition['sourceKind']) =>
      catalog.all().filter((entry) => entry.sourceKind === kind);
    switch (statement.what) {
      case 'streams':
        return sourceList(text, 'streams', sources('stream'));
      case 'tables':
        return sourceList(text, 'tables', sources('table'));
      case 'queries':
        return queryList(text, catalog.queries(), (sink) => catalog.find(sink)?.properties.topic ?? sink);
      case 'topics':
        return topicList(
          text,
          (await this.#env.topics()).filter((topic) => !topic.name.startsWith('_')),
        );
      case 'properties': {
        const properties = Object.entries(this.#env.properties()).map(([name, value]) => ({
          name,
          scope: 'KSQL',
          value,
          editable: false,
          level: 'SERVER',
        }));
        return {
          '@type': 'properties',
          statementText: text,
          properties,
          overwrittenProperties: [],
          defaultProperties: [],
          warnings: [],
        };
      }
      case 'functions': {
        const functions = allFunctions().map(({ name }) => ({ name, type: 'SCALAR', category: 'OTHER' }));
        return { '@type': 'function_names', statementText: text, functions, warnings: [] };
      }
      case 'variables':
        return { '@type': 'variables', statementText: text, variables: [], warnings: [] };
      case 'types':
        return { '@type': 'type_list', statementText: text, types: {}, warnings: [] };
      case 'connectors': {
        const connectors = (await this.#env.connectors()).map(({ name, className, state }) => ({
          name,
          type: 'source',
          className,
          state,
        }));
        return { '@type': 'connector_list', statementText: text, connectors, warnings: [] };
      }
      default:
        return unreachable(statement.what);
    }
  }

  async #describe(name: string, extended: boolean, text: string): Promise<Entity> {
    const { catalog } = this.#env;
    const entry = catalog.find(name);
    if (!entry) throw new AppError('unknown-table', `Could not find STREAM/TABLE '${name}' in the Metastore`);
    const queries = catalog.queries();
    const read = queries.filter((query) =>
      querySources(catalog, query).some((source) => nameKey(source) === nameKey(entry.name)),
    );
    const write = queries.filter((query) => query.id === entry.writtenBy);
    const partitions = (await this.#env.partitions(entry.properties.topic)) ?? 0;
    return sourceDescription(text, entry, extended, { read, write }, partitions);
  }

  #explain(statement: Extract<Statement, { readonly kind: 'explain' }>, text: string): Entity {
    const { catalog } = this.#env;
    if (statement.pull) {
      const { pull } = statement;
      return queryDescription(
        text,
        { id: '', sql: text, sources: [pull.source], sinks: [], state: 'UNASSIGNED' },
        explainPull(pull),
        pull.output,
        [...pull.output.keys()].filter((i) => pull.output[i]!.isKey),
        'PULL',
      );
    }
    if (statement.plan) {
      const { plan } = statement;
      return queryDescription(
        text,
        { id: '', sql: text, sources: plan.sources, sinks: [], state: 'UNASSIGNED' },
        explainQuery(plan),
        plan.root.schema.columns,
        plan.root.schema.keyColumns,
        statement.push === true ? 'PUSH' : 'PERSISTENT',
      );
    }
    const query = catalog
      .queries()
      .find(({ id }) => statement.query !== null && nameKey(id) === nameKey(statement.query));
    if (!query)
      throw new AppError(
        'invalid-statement',
        `Query with id:${statement.query} does not exist, use SHOW QUERIES to view the full set of queries.`,
      );
    const plan = queryPlan(catalog, query);
    return queryDescription(
      text,
      { id: query.id, sql: query.sql, sources: plan.sources, sinks: [query.sink], state: queryState(query) },
      explainQuery(plan),
      plan.root.schema.columns,
      plan.root.schema.keyColumns,
      'PERSISTENT',
    );
  }
}

/** The catalogue with what the earlier statements of a request will have made or dropped. */
class PlannedCatalog implements CatalogView {
  readonly #under: Catalog;
  readonly #added = new Map<string, SourceDefinition>();
  readonly #dropped = new Set<string>();

  constructor(under: Catalog) {
    this.#under = under;
  }

  note(statement: Statement): void {
    if (statement.kind === 'create-source' || statement.kind === 'create-as') {
      const { name, sourceKind, schema, properties } = statement;
      this.#dropped.delete(nameKey(name));
      const writtenBy = statement.kind === 'create-as' ? name : null;
      const readOnly = statement.kind === 'create-source' && statement.readOnly;
      this.#added.set(nameKey(name), { name, sourceKind, schema, properties, writtenBy, readOnly });
    } else if (statement.kind === 'drop') {
      this.#added.delete(nameKey(statement.name));
      this.#dropped.add(nameKey(statement.name));
    }
  }

  find(name: string): SourceDefinition | undefined {
    const key = nameKey(name);
    return this.#added.get(key) ?? (this.#dropped.has(key) ? undefined : this.#under.find(name));
  }

  all(): readonly SourceDefinition[] {
    const under = this.#under
      .all()
      .filter((entry) => !this.#dropped.has(nameKey(entry.name)) && !this.#added.has(nameKey(entry.name)));
    return [...under, ...this.#added.values()];
  }
}
