// Applies one definition of the sequence to catalogue, tables and wiring, inside the engine's open transaction. Everything that can
// be refused is refused before anything is changed, so a refusal leaves no trace.
import { tableSpec, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { AppError } from '../core/errors.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { Statement } from '../sql/plan.js';
import type { Frontier } from '../store/state-store.js';
import type { ApplierEnv } from './applier-env.js';
import { alreadyThere, assertRuns, assertTopicIsFree, exists } from './definition-checks.js';
import type { Definition } from './definition.js';
import { currentStatus, type Entity } from './entities.js';
import { analyzeOptions, querySources } from './query-sources.js';
import { SourceDefinitions } from './source-definitions.js';

/** Rows that a new query takes over at once, so that small tables are there when the statement answers. */
const rowsAtOnceDefault = 5_000;

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export class DefinitionApplier {
  readonly #env: ApplierEnv;
  readonly #sources: SourceDefinitions;

  constructor(env: ApplierEnv) {
    this.#env = env;
    this.#sources = new SourceDefinitions(env);
  }

  /** `reached` is the frontier with the definition's append in it. */
  apply(definition: Definition, reached: Frontier): Entity {
    const { seq } = reached;
    if (definition.kind === 'captured-table') return this.#sources.captured(definition);
    const [parsed] = parseStatements(definition.sql);
    const statement = analyzeStatement(parsed!, this.#env.catalog, analyzeOptions(definition.strict));
    switch (statement.kind) {
      case 'create-source':
        return this.#sources.create(statement, definition, seq);
      case 'create-as':
        return this.#createAs(statement, definition, seq);
      case 'drop':
        return this.#drop(statement, definition.sql, seq);
      case 'pause':
      case 'resume':
      case 'terminate':
        return this.#changeQueries(statement, definition.sql, reached);
      default:
        throw new AppError('internal', `a ${statement.kind} statement is no definition`);
    }
  }

  #createAs(
    statement: Of<'create-as'>,
    definition: Extract<Definition, { readonly kind: 'statement' }>,
    seq: number,
  ): Entity {
    const { catalog, state, runtime } = this.#env;
    const { sql, owner, strict } = definition;
    const commandId = `${statement.sourceKind}/\`${statement.name}\`/create`;
    const byName = catalog.find(statement.name);
    if (byName && statement.ifNotExists) return alreadyThere(sql, statement.sourceKind, statement.name);
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
      properties: statement.properties,
      writtenBy: id,
      readOnly: false,
      owner,
      sql,
      table: isTable ? { id: catalog.nextTableId(), version: 1 } : null,
      captured: null,
      visible: false,
      failed: null,
      schemaIds: definition.schemaIds,
    };
    const query = { id, sql, sink: entry.name, owner, strict, state: { kind: 'running' }, number } as const;
    catalog.putSource(entry);
    catalog.putQuery(query);
    if (isTable) state.createTable(tableSpec(entry));
    runtime.attachSink(entry);
    this.#fillNew(entry, statement, query.id);
    this.#env.refreshVisibility();
    return currentStatus(sql, commandId, `Created query with ID ${id}`, seq, id);
  }

  /** A new query starts from the earliest: from the rows that its tables hold, or from the records of its stream's topic. */
  #fillNew(entry: SourceEntry, statement: Of<'create-as'>, queryId: string): void {
    const { catalog, runtime, builder } = this.#env;
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
      const replayable = stream.writtenBy === null && !this.#env.topicIsEmpty(stream.properties.topic);
      if (!replayable) return runtime.attachQuery(catalog.query(queryId)!, entry);
      return builder.begin({ ...base, method: 'replay', cursors: {} });
    }
    const cursors = Object.fromEntries(sources.map((source) => [source.name, { last: null, done: false }]));
    builder.begin({ ...base, method: 'scan', cursors });
    builder.scanNow(entry.name, this.#env.rowsAtOnce ?? rowsAtOnceDefault);
  }

  #drop(statement: Of<'drop'>, sql: string, seq: number): Entity {
    const { catalog, state, runtime, builder } = this.#env;
    const entry = catalog.find(statement.name);
    if (!entry && statement.ifExists)
      return currentStatus(
        sql,
        `${statement.sourceKind}/\`${statement.name}\`/drop`,
        `Source \`${statement.name}\` does not exist.`,
        seq,
      );
    if (!entry) throw new AppError('unknown-table', `Source ${statement.name} does not exist.`);
    if (entry.sourceKind !== statement.sourceKind) {
      throw new AppError(
        'invalid-statement',
        `Incompatible data source type is ${entry.sourceKind.toUpperCase()}, but statement was DROP ${statement.sourceKind.toUpperCase()}`,
      );
    }
    const readers = catalog
      .queries()
      .filter(
        (query) =>
          query.sink !== entry.name &&
          querySources(catalog, query).some((source) => nameKey(source) === nameKey(entry.name)),
      );
    if (readers.length > 0) {
      const names = readers.map((query) => query.id).join(', ');
      throw new AppError(
        'invalid-statement',
        `Cannot drop ${entry.name}. The following queries read from this source: [${names}]`,
        {
          hint: 'drop what they write first',
        },
      );
    }
    builder.forget(entry.name);
    if (entry.writtenBy) this.#dropQuery(entry.writtenBy, entry);
    runtime.dropSource(entry.name);
    catalog.dropSource(entry.name);
    if (entry.table) {
      if (entry.visible) state.unpublish(entry.name);
      state.dropTable(tableSpec(entry));
    }
    return currentStatus(
      sql,
      `${entry.sourceKind}/\`${entry.name}\`/drop`,
      `Source \`${entry.name}\` (topic: ${entry.properties.topic}) was dropped.`,
      seq,
    );
  }

  #dropQuery(id: string, entry: SourceEntry): void {
    const { catalog, runtime, state } = this.#env;
    // A query that stands still, or was being filled, has states too: compiling it tells their names.
    const topology =
      runtime.runningQuery(id)?.running.topology ??
      runtime.compile(catalog.query(id)!, entry, entry.table?.version ?? 1, () => {}).topology;
    runtime.detachQuery(id);
    for (const name of topology.stateNames) state.dropState(name);
    catalog.dropQuery(id);
  }

  #changeQueries(statement: Of<'pause' | 'resume' | 'terminate'>, sql: string, reached: Frontier): Entity {
    const { seq } = reached;
    const { catalog, runtime, builder } = this.#env;
    const queries =
      statement.queryId === null
        ? catalog.queries()
        : catalog.queries().filter((query) => nameKey(query.id) === nameKey(statement.queryId!));
    if (queries.length === 0 && statement.queryId !== null) {
      throw new AppError('invalid-statement', `Unknown queryId: ${statement.queryId}`, {
        hint: 'SHOW QUERIES lists them',
      });
    }
    if (statement.kind === 'resume') {
      throw new AppError('unsupported-statement', 'RESUME is not supported', {
        hint: 'a paused query has missed changes: rebuild its table (`writethrough rebuild TABLE`), which lets it run again',
      });
    }
    const kind = statement.kind === 'pause' ? 'paused' : 'terminated';
    const ids = queries.map(({ id }) => id);
    const stopped = runtime.stopQueries(ids, reached, { kind, atSeq: seq }, { kind: 'paused', atSeq: seq });
    for (const id of stopped) {
      const { sink } = catalog.query(id)!;
      if (!builder.isBuilding(sink)) continue;
      // Refused behind the change: the engine rolls it back.
      throw new AppError('rebuild-running', `${sink} is being built`, {
        hint: `wait for it, or DROP ${sink}`,
        retriable: true,
      });
    }
    return currentStatus(
      sql,
      `${statement.kind}/${statement.queryId ?? 'ALL'}/execute`,
      `Query ${statement.kind === 'pause' ? 'paused' : 'terminated'}.`,
      seq,
    );
  }
}
