// Definitions of streams and tables over topics: those that connectors announce and those that somebody declares. Everything that can
// be refused is refused before anything is changed.
import { tableSpec, type Owner, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { AppError } from '../core/errors.js';
import type { Statement } from '../sql/plan.js';
import type { ApplierEnv } from './applier-env.js';
import { alreadyThere, assertSameColumns, assertSameTimes, exists } from './definition-checks.js';
import type { Definition } from './definition.js';
import { currentStatus, type Entity } from './entities.js';
import { querySources } from './query-sources.js';

type CreateSource = Extract<Statement, { readonly kind: 'create-source' }>;
type CapturedTable = Extract<Definition, { readonly kind: 'captured-table' }>;

export class SourceDefinitions {
  readonly #env: ApplierEnv;

  constructor(env: ApplierEnv) {
    this.#env = env;
  }

  captured(definition: CapturedTable): Entity {
    const { catalog } = this.#env;
    const { topic } = definition.properties;
    const qualified = `${definition.database}.${definition.table}`;
    const existing = catalog
      .all()
      .find((entry) => entry.properties.topic === topic && entry.sourceKind === 'table' && entry.writtenBy === null);
    if (existing) {
      assertSameColumns(existing, definition.schema, `captured table ${qualified}`);
      assertSameTimes(existing, definition.schema, qualified);
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
    // The topic of a table that was dropped, or was not wanted before, holds the rows that the connector will not send again.
    const empty = this.#env.topicIsEmpty(topic);
    this.#add(
      {
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
          awaitsSnapshot: definition.hidden,
        },
        visible: !definition.hidden && empty,
        failed: null,
        schemaIds: null,
      },
      empty,
    );
    return currentStatus('', `table/${name}/create`, 'Table created', 0);
  }

  create(
    statement: CreateSource,
    definition: Extract<Definition, { readonly kind: 'statement' }>,
    seq: number,
  ): Entity {
    const { sql, owner, imported } = definition;
    const { catalog } = this.#env;
    const isTable = statement.sourceKind === 'table';
    const commandId = `${statement.sourceKind}/\`${statement.name}\`/create`;
    const done = `${isTable ? 'Table' : 'Stream'} created`;
    const byName = catalog.find(statement.name);
    if (byName && statement.ifNotExists) return alreadyThere(sql, statement.sourceKind, statement.name);
    const overTopic = catalog.all().filter((entry) => entry.properties.topic === statement.properties.topic);
    const automatic = isTable ? overTopic.find((entry) => entry.captured && entry.sql === null) : undefined;
    if (byName && byName !== automatic && (automatic || !statement.orReplace || byName.writtenBy)) throw exists(byName);
    const written = overTopic.find((entry) => entry.writtenBy !== null);
    if (written) {
      throw new AppError(
        'unsupported-statement',
        `topic ${written.properties.topic} is written by ${written.writtenBy}`,
        { hint: `read from ${written.name} instead of declaring it again` },
      );
    }
    if (automatic) this.#takeOver(automatic, statement, sql, owner);
    else if (byName) this.#replace(byName, statement, sql, owner);
    else {
      const empty = this.#env.topicIsEmpty(statement.properties.topic);
      this.#add(
        {
          name: statement.name,
          sourceKind: statement.sourceKind,
          schema: statement.schema,
          properties: statement.properties,
          writtenBy: null,
          readOnly: statement.readOnly,
          ...(imported ? { imported } : {}),
          owner,
          sql,
          table: isTable ? { id: catalog.nextTableId(), version: 1 } : null,
          captured: null,
          visible: !isTable || empty,
          failed: null,
          schemaIds: null,
        },
        empty,
      );
    }
    return currentStatus(sql, commandId, done, seq);
  }

  /** A table over a topic that has records already is filled from them, hidden until it has caught up. */
  #add(entry: SourceEntry, empty: boolean): void {
    const { catalog, state, runtime, builder } = this.#env;
    catalog.putSource(entry);
    if (entry.table === null) return runtime.attachSource(entry);
    state.createTable(tableSpec(entry));
    if (empty) {
      runtime.attachSource(entry);
      if (entry.visible) state.publish(tableSpec(entry));
      return;
    }
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
  }

  /** CREATE OR REPLACE of a declared one: its text and owner change; what would need other rows is refused. */
  #replace(existing: SourceEntry, statement: CreateSource, sql: string, owner: Owner): void {
    assertSameColumns(existing, statement.schema, `${existing.name} as it is replaced`);
    const { topic, keyFormat, valueFormat, timestampColumn } = existing.properties;
    const next = statement.properties;
    const same =
      existing.sourceKind === statement.sourceKind &&
      topic === next.topic &&
      keyFormat === next.keyFormat &&
      valueFormat === next.valueFormat &&
      timestampColumn === next.timestampColumn;
    if (!same) {
      throw new AppError('unsupported-statement', `CREATE OR REPLACE of ${existing.name} with other properties`, {
        hint: `DROP ${existing.sourceKind.toUpperCase()} ${existing.name} first`,
      });
    }
    this.#env.catalog.putSource({ ...existing, sql, owner, readOnly: statement.readOnly });
  }

  /** CREATE TABLE over a captured topic: the automatic table gets the declared name; its rows stay. */
  #takeOver(automatic: SourceEntry, statement: CreateSource, sql: string, owner: Owner): void {
    const { catalog, state, runtime, builder } = this.#env;
    assertSameColumns(automatic, statement.schema, `captured table ${automatic.captured!.table}`);
    // Another spelling of the same name is no other name, and a name once given stays.
    if (nameKey(automatic.name) === nameKey(statement.name)) return catalog.putSource({ ...automatic, sql, owner });
    const reader = catalog
      .queries()
      .find((query) => querySources(catalog, query).some((source) => nameKey(source) === nameKey(automatic.name)));
    if (reader)
      throw new AppError(
        'invalid-statement',
        `captured table ${automatic.name} is read by ${reader.id} under that name`,
      );
    if (builder.isBuilding(automatic.name))
      throw new AppError('rebuild-running', `captured table ${automatic.name} is being built`, { retriable: true });
    runtime.dropSource(automatic.name);
    catalog.dropSource(automatic.name);
    if (automatic.visible) state.unpublish(automatic.name);
    const entry = { ...automatic, name: statement.name, sql, owner };
    catalog.putSource(entry);
    runtime.attachSource(entry);
    if (entry.visible) state.publish(tableSpec(entry));
  }
}
