// Applies one definition of the sequence to topics, schemas, catalogue, tables and wiring, inside the engine's open transaction: all of
// them or, when it throws, none. What it reads is what the appends before it have left, so of two clients' statements the later one
// is measured by what the earlier one has done, on every process alike.
import { tableSpec, type SourceEntry } from '../catalog/catalog.js';
import { AppError, unreachable } from '../core/errors.js';
import { nothingAsked } from '../core/topic-retention.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { Statement } from '../sql/plan.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import { CapturedDefinitions } from './captured-definitions.js';
import { ensureTopic } from './defined-topics.js';
import { assertNotInternal, assertRuns, assertTopicIsFree, exists } from './definition-checks.js';
import type { Definition, DefinitionResult } from './definition.js';
import { DropDefinitions } from './drop-definitions.js';
import { analyzeOptions } from './query-sources.js';
import { registerSinkSchemas } from './sink-schemas.js';
import { SourceDefinitions, type PlacedStatement } from './source-definitions.js';
import type { StatementResult } from './statement-facade.js';
import { applied, leftAlone } from './statement-results.js';
import { alterTopic } from './topic-definitions.js';

/** Rows that a new query takes over at once, so that small tables are there when the statement answers. */
const rowsAtOnceDefault = 5_000;

type CreateAs = Extract<Statement, { readonly kind: 'create-as' }>;

export class DefinitionApplier {
  readonly #env: ApplierEnv;
  readonly #sources: SourceDefinitions;
  readonly #captured: CapturedDefinitions;
  readonly #drops: DropDefinitions;

  constructor(env: ApplierEnv) {
    this.#env = env;
    this.#sources = new SourceDefinitions(env);
    this.#captured = new CapturedDefinitions(env, this.#sources);
    this.#drops = new DropDefinitions(env, this.#captured);
  }

  /** `reached` is the frontier with the definition's append in it. */
  apply(definition: Definition, reached: Frontier): DefinitionResult {
    const { topics, registry } = this.#env;
    switch (definition.kind) {
      case 'statement':
        return this.#statement(definition, reached);
      case 'captured-table':
        return this.#captured.capture(definition, reached);
      case 'register-schema':
      case 'set-compatibility':
      case 'set-registry-mode':
      case 'delete-subject':
      case 'delete-schema-version':
        return registry.apply(definition);
      case 'topic-made':
        topics.made(definition.topic, definition.id);
        return { kind: 'noted' };
      case 'topic-settled':
        topics.settled(definition.topic, definition.seq);
        return { kind: 'noted' };
      case 'topic-altered':
        alterTopic(this.#env, definition, reached.seq);
        return { kind: 'noted' };
      case 'topic-dropped':
        topics.dropped(definition.topic, definition.id);
        return { kind: 'noted' };
      default:
        return unreachable(definition);
    }
  }

  /** In the open transaction. */
  forgetConnector(name: string): void {
    this.#captured.forget(name);
  }

  #statement(definition: Extract<Definition, { readonly kind: 'statement' }>, reached: Frontier): StatementResult {
    const { sql, owner, strict, failsOnTimestamp = false, seen = null, retention = nothingAsked } = definition;
    const [parsed] = parseStatements(sql, { accepted: true });
    const statement = analyzeStatement(parsed!, this.#env.catalog, analyzeOptions(strict, true));
    const placed: PlacedStatement = { sql, owner, strict, failsOnTimestamp, seen, retention, seq: reached.seq };
    switch (statement.kind) {
      case 'create-source':
        return this.#sources.create(statement, placed);
      case 'create-as':
        return this.#createAs(statement, placed);
      case 'drop':
        return this.#drops.drop(statement, placed);
      case 'pause':
      case 'resume':
      case 'terminate':
        return this.#drops.changeQueries(statement, sql, reached);
      default:
        throw new AppError('internal', `a ${statement.kind} statement is no definition`);
    }
  }

  #createAs(statement: CreateAs, placed: PlacedStatement): StatementResult {
    const { catalog, state, runtime } = this.#env;
    const { sql, owner, strict, seq } = placed;
    const byName = catalog.find(statement.name);
    if (byName && statement.ifNotExists) return leftAlone(sql, statement.sourceKind, statement.name, seq);
    if (byName && statement.orReplace) {
      throw new AppError('unsupported-statement', `CREATE OR REPLACE of ${byName.name} by a query`, {
        hint: `DROP ${byName.sourceKind.toUpperCase()} ${byName.name} first`,
      });
    }
    if (byName) throw exists(byName);
    assertTopicIsFree(catalog, statement.properties.topic);
    assertRuns(
      catalog,
      statement.plan.sources.map((name) => catalog.find(name)!),
    );
    const isTable = statement.sourceKind === 'table';
    const number = catalog.nextQueryNumber();
    const id = `${isTable ? 'CTAS' : 'CSAS'}_${statement.name}_${number}`;
    const entry: SourceEntry = {
      name: statement.name,
      sourceKind: statement.sourceKind,
      schema: statement.schema,
      properties: { ...statement.properties, partitions: this.#sinkTopic(statement, placed) },
      writtenBy: id,
      readOnly: false,
      owner,
      sql,
      table: isTable ? { id: catalog.nextTableId(), version: 1 } : null,
      captured: null,
      visible: false,
      failed: null,
      schemaIds: registerSinkSchemas(this.#env.registry, statement),
    };
    const query = { id, sql, sink: entry.name, owner, strict, state: { kind: 'running' }, number } as const;
    catalog.putSource(entry);
    catalog.putQuery(query);
    if (isTable) state.createTable(tableSpec(entry));
    runtime.attachSink(entry);
    this.#fillNew(entry, statement, query.id);
    this.#env.visibility.refresh();
    const command = { type: statement.sourceKind, name: statement.name, action: 'create' } as const;
    return applied(sql, command, `Created query with ID ${id}`, seq, id);
  }

  /** Its partitions: as declared, else as many as its first source has. */
  #sinkTopic({ properties, sourceKind, plan, retention }: CreateAs, placed: PlacedStatement): number {
    const { topics, catalog, serviceId } = this.#env;
    assertNotInternal(properties.topic, serviceId);
    const source = catalog.find(plan.sources[0]!)!.properties;
    return ensureTopic(topics, {
      name: properties.topic,
      partitions: properties.partitions,
      cleanup: sourceKind === 'table' ? 'compact' : 'delete',
      retention,
      defaults: placed.retention,
      seen: placed.seen,
      otherwise: topics.find(source.topic)?.partitions ?? source.partitions ?? 1,
    });
  }

  /** A new query starts from the earliest: from the rows that its tables hold, or from the records of its stream's topic. */
  #fillNew(entry: SourceEntry, statement: CreateAs, queryId: string): void {
    const { catalog, runtime, builder, topics } = this.#env;
    const sources = [...new Set(statement.plan.sources.map((name) => catalog.find(name)!))];
    const stream = sources.find((source) => source.sourceKind === 'stream');
    const base = {
      table: entry.name,
      version: entry.table?.version ?? 1,
      purpose: 'create',
      replayedSeq: 0,
      caughtUp: false,
      rows: 0,
      startedMs: this.#env.nowMs(),
    } as const;
    if (stream) {
      // A derived stream keeps no history of its own to replay; a query over it starts now.
      const replayable = stream.writtenBy === null && !topics.isEmpty(stream.properties.topic);
      if (!replayable) return runtime.attachQuery(catalog.query(queryId)!, entry);
      // The earliest is what its retention has left. A rebuild is another matter: it would have other rows.
      const replayedSeq = topics.lostSeq(stream.properties.topic);
      return builder.begin({ ...base, method: 'replay', cursors: {}, replayedSeq });
    }
    const cursors = Object.fromEntries(sources.map((source) => [source.name, { last: null, done: false }]));
    builder.begin({ ...base, method: 'scan', cursors });
    builder.scanNow(entry.name, this.#env.rowsAtOnce ?? rowsAtOnceDefault);
  }
}
