// Applies one definition of the sequence to catalogue, tables and wiring, inside the engine's open transaction. Everything that can
// be refused is refused before anything is changed, so a refusal leaves no trace.
import { nameKey, tableSpec, type Catalog, type Owner, type SourceEntry } from '../catalog/catalog.js';
import { sameType, type RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { analyzeStatement } from '../sql/analyze/statement.js';
import { parseStatements } from '../sql/parser/parse.js';
import type { Statement } from '../sql/plan.js';
import type { Runtime } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import { removeBuild } from './build.js';
import type { Builder } from './builder.js';
import type { Definition } from './definition.js';
import { currentStatus, warning, type Entity } from './entities.js';
import { analyzeOptions, querySources } from './query-sources.js';

/** Rows that a new query takes over at once, so that small tables are there when the statement answers. */
const rowsAtOnce = 5_000;

export interface ApplierEnv {
  readonly state: StateWriter;
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  readonly builder: Builder;
  readonly nowMs: () => number;
  /** The topic has no record yet, so there is nothing to replay. */
  readonly topicIsEmpty: (topic: string) => boolean;
  readonly refreshVisibility: () => void;
}

type Of<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>;

export class DefinitionApplier {
  readonly #env: ApplierEnv;

  constructor(env: ApplierEnv) {
    this.#env = env;
  }

  apply(definition: Definition, seq: number): Entity {
    if (definition.kind === 'captured-table') return this.#capturedTable(definition);
    const [parsed] = parseStatements(definition.sql);
    const statement = analyzeStatement(parsed!, this.#env.catalog, analyzeOptions(definition.strict));
    switch (statement.kind) {
      case 'create-source':
        return this.#createSource(statement, definition.sql, definition.owner, seq);
      case 'create-as':
        return this.#createAs(statement, definition, seq);
      case 'drop':
        return this.#drop(statement, definition.sql, seq);
      case 'pause':
      case 'resume':
      case 'terminate':
        return this.#changeQueries(statement, definition.sql, seq);
      default:
        throw new AppError('internal', `a ${statement.kind} statement is no definition`);
    }
  }

  #capturedTable(definition: Extract<Definition, { readonly kind: 'captured-table' }>): Entity {
    const { catalog, state, runtime } = this.#env;
    const qualified = `${definition.database}.${definition.table}`;
    const existing = catalog
      .all()
      .find((entry) => entry.properties.topic === definition.properties.topic && entry.writtenBy === null);
    if (existing) {
      assertSameColumns(existing, definition.schema, `captured table ${qualified}`);
      return currentStatus('', `table/${existing.name}/create`, 'Table exists', 0);
    }
    const name =
      catalog.find(definition.table) === undefined ? definition.table : `${definition.database}_${definition.table}`;
    if (catalog.find(name)) {
      throw new AppError(
        'already-exists',
        `no name is left for captured table ${qualified}: ${definition.table} and ${name} exist`,
      );
    }
    const entry: SourceEntry = {
      name,
      sourceKind: 'table',
      schema: definition.schema,
      properties: definition.properties,
      writtenBy: null,
      readOnly: false,
      owner: { kind: 'connector', name: definition.connector },
      sql: null,
      table: { id: catalog.nextTableId(), version: 1 },
      captured: {
        connector: definition.connector,
        table: qualified,
        deletedField: definition.deletedField,
        keyShape: definition.keyShape,
      },
      visible: !definition.hidden,
      failed: null,
      schemaIds: null,
    };
    catalog.putSource(entry);
    state.createTable(tableSpec(entry));
    runtime.attachSource(entry);
    if (entry.visible) state.publish(tableSpec(entry));
    return currentStatus('', `table/${name}/create`, 'Table created', 0);
  }

  #createSource(statement: Of<'create-source'>, sql: string, owner: Owner, seq: number): Entity {
    const { catalog, state, runtime, builder } = this.#env;
    const commandId = `${statement.sourceKind}/\`${statement.name}\`/create`;
    const done = `${statement.sourceKind === 'table' ? 'Table' : 'Stream'} created`;
    const byName = catalog.find(statement.name);
    if (byName && statement.ifNotExists) return alreadyThere(sql, statement.sourceKind, statement.name);
    const overTopic = catalog.all().find((entry) => entry.properties.topic === statement.properties.topic);
    const automatic =
      overTopic?.captured && overTopic.sql === null && statement.sourceKind === 'table' ? overTopic : undefined;
    if (byName && byName !== automatic && !statement.orReplace) throw exists(byName);
    if (byName?.writtenBy) throw exists(byName);
    if (overTopic?.writtenBy) {
      throw new AppError(
        'unsupported-statement',
        `topic ${overTopic.properties.topic} is written by ${overTopic.writtenBy}`,
        {
          hint: `read from ${overTopic.name} instead of declaring it again`,
        },
      );
    }
    if (automatic) return this.#takeOver(automatic, statement, sql, owner, commandId, done, seq);
    if (byName) {
      assertSameColumns(byName, statement.schema, `${byName.name} as it is replaced`);
      catalog.putSource({ ...byName, sql, owner, readOnly: statement.readOnly });
      return currentStatus(sql, commandId, done, seq);
    }
    const isTable = statement.sourceKind === 'table';
    const empty = this.#env.topicIsEmpty(statement.properties.topic);
    const entry: SourceEntry = {
      name: statement.name,
      sourceKind: statement.sourceKind,
      schema: statement.schema,
      properties: statement.properties,
      writtenBy: null,
      readOnly: statement.readOnly,
      owner,
      sql,
      table: isTable ? { id: catalog.nextTableId(), version: 1 } : null,
      captured: null,
      visible: !isTable || empty,
      failed: null,
      schemaIds: null,
    };
    catalog.putSource(entry);
    if (isTable) state.createTable(tableSpec(entry));
    if (isTable && !empty) {
      const document = {
        table: entry.name,
        version: 1,
        purpose: 'create',
        method: 'replay',
        cursors: {},
        replayedSeq: 0,
        caughtUp: false,
        rows: 0,
        startedMs: this.#env.nowMs(),
      } as const;
      // The document comes first: it keeps the new node from hearing its topic before the replay has caught up.
      builder.announce(document);
      runtime.attachSource(entry);
      builder.begin(document);
    } else {
      runtime.attachSource(entry);
      if (isTable) state.publish(tableSpec(entry));
    }
    return currentStatus(sql, commandId, done, seq);
  }

  /** CREATE TABLE over a captured topic: the automatic table gets the declared name; its rows stay. */
  #takeOver(
    automatic: SourceEntry,
    statement: Of<'create-source'>,
    sql: string,
    owner: Owner,
    commandId: string,
    done: string,
    seq: number,
  ): Entity {
    const { catalog, state, runtime } = this.#env;
    assertSameColumns(automatic, statement.schema, `captured table ${automatic.captured!.table}`);
    if (nameKey(automatic.name) !== nameKey(statement.name)) {
      const reader = catalog
        .queries()
        .find((query) => querySources(catalog, query).some((source) => nameKey(source) === nameKey(automatic.name)));
      if (reader)
        throw new AppError(
          'invalid-statement',
          `captured table ${automatic.name} is read by ${reader.id} under that name`,
        );
      runtime.dropSource(automatic.name);
      catalog.dropSource(automatic.name);
      if (automatic.visible) state.unpublish(automatic.name);
    }
    const entry = { ...automatic, name: statement.name, sql, owner };
    catalog.putSource(entry);
    if (nameKey(automatic.name) !== nameKey(statement.name)) {
      runtime.attachSource(entry);
      if (entry.visible) state.publish(tableSpec(entry));
    }
    return currentStatus(sql, commandId, done, seq);
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
    builder.scanNow(entry.name, rowsAtOnce);
  }

  #drop(statement: Of<'drop'>, sql: string, seq: number): Entity {
    const { catalog, state, runtime } = this.#env;
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
    if (entry.writtenBy) this.#dropQuery(entry.writtenBy, entry);
    runtime.dropSource(entry.name);
    removeBuild(state, entry.name);
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
    const { catalog, runtime, state, builder } = this.#env;
    builder.forget(entry.name);
    const stateNames = runtime.runningQuery(id)?.running.topology.stateNames ?? [];
    runtime.detachQuery(id);
    for (const name of stateNames) state.dropState(name);
    catalog.dropQuery(id);
  }

  #changeQueries(statement: Of<'pause' | 'resume' | 'terminate'>, sql: string, seq: number): Entity {
    const { catalog, runtime } = this.#env;
    const queries =
      statement.queryId === null
        ? catalog.queries()
        : catalog.queries().filter((query) => query.id.toUpperCase() === statement.queryId!.toUpperCase());
    if (queries.length === 0 && statement.queryId !== null) {
      throw new AppError('invalid-statement', `Unknown queryId: ${statement.queryId}`, {
        hint: 'SHOW QUERIES lists them',
      });
    }
    if (statement.kind === 'resume') {
      throw new AppError('unsupported-statement', 'RESUME of a query', {
        hint: 'a paused query has missed changes: rebuild its table (`writethrough rebuild TABLE`), which lets it run again',
      });
    }
    for (const query of queries) {
      if (query.state.kind !== 'running') continue;
      runtime.detachQuery(query.id);
      catalog.putQuery({ ...query, state: { kind: statement.kind === 'pause' ? 'paused' : 'terminated', atSeq: seq } });
    }
    return currentStatus(
      sql,
      `${statement.kind}/${statement.queryId ?? 'ALL'}/execute`,
      `Query ${statement.kind === 'pause' ? 'paused' : 'terminated'}.`,
      seq,
    );
  }
}

function exists(entry: SourceEntry): AppError {
  return new AppError(
    'already-exists',
    `Cannot add ${entry.sourceKind} '${entry.name}': A ${entry.sourceKind} with the same name already exists`,
    {
      hint: `DROP ${entry.sourceKind.toUpperCase()} ${entry.name} first, or use CREATE ... IF NOT EXISTS`,
    },
  );
}

function alreadyThere(sql: string, kind: string, name: string): Entity {
  return warning(sql, `Cannot add ${kind} '${name}': A ${kind} with the same name already exists.`);
}

function assertSameColumns(entry: SourceEntry, schema: RowSchema, what: string): void {
  const describe = (s: RowSchema) => s.columns.map((c) => c.name).join(', ');
  const same =
    entry.schema.columns.length === schema.columns.length &&
    entry.schema.columns.every(
      (column, i) =>
        nameKey(column.name) === nameKey(schema.columns[i]!.name) && sameType(column.type, schema.columns[i]!.type),
    ) &&
    entry.schema.keyColumns.length === schema.keyColumns.length &&
    entry.schema.keyColumns.every(
      (at, i) => nameKey(entry.schema.columns[at]!.name) === nameKey(schema.columns[schema.keyColumns[i]!]!.name),
    );
  if (same) return;
  throw new AppError('invalid-statement', `the columns of ${entry.name} do not agree with ${what}`, {
    detail: `there: ${describe(entry.schema)}; here: ${describe(schema)}`,
  });
}
