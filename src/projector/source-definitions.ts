// Definitions of streams and tables over topics that somebody declares. Everything that can be refused is refused before anything is
// changed.
import { tableSpec, type Owner, type SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import type { AskedRetention } from '../core/topic-retention.js';
import { AppError } from '../core/errors.js';
import type { SourceProperties, Statement } from '../sql/plan.js';
import type { ApplierEnv } from './applier-env.js';
import { assertSameRetention, ensureTopic, type SeenTopic } from './defined-topics.js';
import { isBeingCreated } from './build.js';
import { assertNotInternal, assertSameColumns, exists } from './definition-checks.js';
import { querySources } from './query-sources.js';
import type { StatementResult } from './statement-facade.js';
import { applied, leftAlone } from './statement-results.js';

type CreateSource = Extract<Statement, { readonly kind: 'create-source' }>;

/** A statement as it stands in the sequence. */
export interface PlacedStatement {
  readonly sql: string;
  readonly owner: Owner;
  readonly strict: boolean;
  readonly failsOnTimestamp: boolean;
  readonly seen: SeenTopic | null;
  /** Of new topics of streams, where the statement says nothing. */
  readonly retention: AskedRetention;
  readonly seq: number;
}

export class SourceDefinitions {
  readonly #env: ApplierEnv;

  constructor(env: ApplierEnv) {
    this.#env = env;
  }

  create(statement: CreateSource, placed: PlacedStatement): StatementResult {
    const { sql, owner, seq, seen, failsOnTimestamp } = placed;
    const { catalog } = this.#env;
    const isTable = statement.sourceKind === 'table';
    const command = { type: statement.sourceKind, name: statement.name, action: 'create' } as const;
    const done = `${isTable ? 'Table' : 'Stream'} created`;
    const byName = catalog.find(statement.name);
    if (byName && statement.ifNotExists) return leftAlone(sql, statement.sourceKind, statement.name, seq);
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
    if (automatic) this.#takeOver(automatic, statement, placed);
    else if (byName) this.#replace(byName, statement, sql, owner);
    else {
      // Whoever reads it already knows whose it is.
      const isImported =
        overTopic.some(({ imported }) => imported) || (overTopic.length === 0 && this.#isForeign(statement, seen));
      const partitions = this.#topicOf(statement, placed);
      const empty = this.#env.topics.isEmpty(statement.properties.topic);
      this.add(
        {
          name: statement.name,
          sourceKind: statement.sourceKind,
          schema: statement.schema,
          properties: { ...statement.properties, partitions },
          writtenBy: null,
          readOnly: statement.readOnly,
          ...(isImported ? { imported: true } : {}),
          ...(failsOnTimestamp ? { invalidTimestamp: 'fail' } : {}),
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
    return applied(sql, command, done, seq);
  }

  #isForeign({ properties }: CreateSource, seen: SeenTopic | null): boolean {
    return seen?.foreign === true && this.#env.topics.find(properties.topic) === undefined;
  }

  #topicOf({ properties, sourceKind, retention }: CreateSource, placed: PlacedStatement): number {
    const { topics, serviceId } = this.#env;
    const { topic, partitions } = properties;
    if (!topics.find(topic)) assertNotInternal(topic, serviceId);
    const cleanup = sourceKind === 'table' ? 'compact' : 'delete';
    return ensureTopic(topics, {
      name: topic,
      partitions,
      cleanup,
      retention,
      defaults: placed.retention,
      seen: placed.seen,
      otherwise: null,
    });
  }

  /** A table over a topic that has records already is filled from them, hidden until it has caught up. */
  add(entry: SourceEntry, empty: boolean): void {
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
    const found = this.#env.topics.find(existing.properties.topic);
    if (found) assertSameRetention(existing.properties.topic, statement.retention, found);
    const { topic, keyFormat, valueFormat } = existing.properties;
    const next = statement.properties;
    const same =
      existing.sourceKind === statement.sourceKind &&
      topic === next.topic &&
      keyFormat === next.keyFormat &&
      valueFormat === next.valueFormat &&
      sameTimestamp(existing.properties, next);
    if (!same) {
      throw new AppError('unsupported-statement', `CREATE OR REPLACE of ${existing.name} with other properties`, {
        hint: `DROP ${existing.sourceKind.toUpperCase()} ${existing.name} first`,
      });
    }
    this.#env.catalog.putSource({ ...existing, sql, owner, readOnly: statement.readOnly });
  }

  /**
   * CREATE TABLE over a captured topic: the automatic table gets the declared name; its rows stay. Where it declares another ROWTIME they
   * do not: the table is filled anew from the topic, hidden until it has caught up.
   */
  #takeOver(automatic: SourceEntry, statement: CreateSource, placed: PlacedStatement): void {
    const { catalog, state, runtime, builder } = this.#env;
    const { sql, owner, failsOnTimestamp } = placed;
    assertSameColumns(automatic, statement.schema, `captured table ${automatic.captured!.table}`);
    const retimed = !sameTimestamp(automatic.properties, statement.properties);
    // Another spelling of the same name is no other name, and a name once given stays.
    if (nameKey(automatic.name) === nameKey(statement.name) && !retimed)
      return catalog.putSource({ ...automatic, sql, owner });
    const reader = catalog
      .queries()
      .find((query) => querySources(catalog, query).some((source) => nameKey(source) === nameKey(automatic.name)));
    if (reader) {
      const under = retimed ? 'with another ROWTIME' : 'under that name';
      throw new AppError('invalid-statement', `captured table ${automatic.name} is read by ${reader.id} ${under}`);
    }
    if (isBeingCreated(state, automatic.name))
      throw new AppError('rebuild-running', `captured table ${automatic.name} is being built`, { retriable: true });
    // Only this process may know of a rebuild, so the statement cannot depend on it.
    builder.forget(automatic.name);
    runtime.dropSource(automatic.name);
    catalog.dropSource(automatic.name);
    if (automatic.visible) state.unpublish(automatic.name);
    const { timestampColumn, timestampFormat = null } = statement.properties;
    const entry: SourceEntry = {
      ...automatic,
      name: statement.name,
      sql,
      owner,
      properties: { ...automatic.properties, timestampColumn, timestampFormat },
      ...(failsOnTimestamp ? { invalidTimestamp: 'fail' } : {}),
    };
    if (retimed) return this.#refill(automatic, entry);
    catalog.putSource(entry);
    runtime.attachSource(entry);
    if (entry.visible) state.publish(tableSpec(entry));
  }

  #refill(automatic: SourceEntry, entry: SourceEntry): void {
    const { catalog, state, topics } = this.#env;
    state.dropTable(tableSpec(automatic));
    const empty = topics.isEmpty(entry.properties.topic);
    const visible = automatic.visible && empty;
    this.add({ ...entry, table: { id: catalog.nextTableId(), version: 1 }, visible }, empty);
  }
}

function sameTimestamp(a: SourceProperties, b: SourceProperties): boolean {
  return a.timestampColumn === b.timestampColumn && (a.timestampFormat ?? null) === (b.timestampFormat ?? null);
}
