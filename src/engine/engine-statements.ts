// Statements as the engine runs them: the projector's Statements joined to log, registry and store, statements of query files that wait
// for their sources, and rebuilds on request.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { systemClock } from '../core/clock.js';
import { AppError } from '../core/errors.js';
import { failpoint } from '../core/failpoint.js';
import type { Logger } from '../core/logger.js';
import type { Builder } from '../projector/builder.js';
import { assertRuns } from '../projector/definition-checks.js';
import type { Definition } from '../projector/definition.js';
import { queryState, type Entity } from '../projector/entities.js';
import { querySources } from '../projector/query-sources.js';
import { newRebuild } from '../projector/new-rebuild.js';
import type { QueryStatus, RebuildProgress, StatementRequest } from '../projector/statement-facade.js';
import { Statements } from '../projector/statements.js';
import type { Registry } from '../registry/registry.js';
import { avroKeySchema, avroValueSchema } from '../schema/formats/avro-schema.js';
import { defaultKeyShape, keyFields, valueFields } from '../schema/formats/format.js';
import { partitionOf } from '../schema/formats/partitioner.js';
import { createKeyEncoder, createValueEncoder } from '../schema/formats/value-encoder.js';
import type { Statement } from '../sql/plan.js';
import type { StateWriter } from '../store/state-store.js';
import type { EventLog, TopicSpec } from '../stream/event-log.js';
import type { EngineOptions, WaitingStatement } from './engine-api.js';
import { FileStatements } from './file-statements.js';
import type { LocalAppends } from './local-appends.js';

export interface EngineStatementsEnv {
  readonly catalog: Catalog;
  readonly builder: Builder;
  readonly state: StateWriter;
  readonly registry: Registry;
  readonly log: EventLog;
  readonly createTopic: (spec: TopicSpec) => Promise<void>;
  readonly isForeign: (topic: string) => Promise<boolean>;
  readonly local: LocalAppends;
  readonly options: EngineOptions;
  readonly logger: Logger;
  readonly appendDefinition: (definition: Definition) => Promise<Entity>;
  /** A build began: the loop has work. */
  readonly wake: () => void;
  /** After a rollback: memory follows the store again. */
  readonly reload: () => void;
  /** As they should be; for SHOW CONNECTORS. */
  readonly connectors: () => readonly { readonly name: string; readonly className: string; readonly state: string }[];
}

type CreateAs = Extract<Statement, { readonly kind: 'create-as' }>;
type InsertValues = Extract<Statement, { readonly kind: 'insert-values' }>;

export class EngineStatements {
  readonly #env: EngineStatementsEnv;
  readonly #statements: Statements;
  readonly #files: FileStatements;

  constructor(env: EngineStatementsEnv) {
    this.#env = env;
    const { log, options } = env;
    this.#statements = new Statements({
      catalog: env.catalog,
      strict: options.strict,
      appendDefinition: async (definition) => {
        failpoint('statement-before-append');
        const entity = await env.appendDefinition(definition);
        failpoint('statement-after-append');
        return entity;
      },
      insertRow: (target, row) => this.#insertRow(target, row),
      topics: async () => (await log.topics()).map(({ name, partitions }) => ({ name, partitions })),
      partitions: (topic) => log.partitions(topic, 'now'),
      createTopic: async (name, partitions, compact) => {
        this.#assertForeign(name);
        await env.createTopic({ name, partitions, cleanup: compact ? 'compact' : 'delete' });
      },
      isForeign: env.isForeign,
      registerSchemas: (statement) => this.#registerSchemas(statement),
      deleteTopic: async (name) => {
        // Rows that were inserted before are on their way: a record of a topic that is gone would stop the engine.
        await env.local.settled();
        await log.deleteTopic(name);
      },
      properties: () => options.properties,
      connectors: async () => env.connectors(),
    });
    this.#files = new FileStatements({
      catalog: env.catalog,
      log,
      strict: options.strict,
      logger: env.logger,
      execute: (request) => this.execute(request),
    });
  }

  execute(request: StatementRequest): Promise<readonly Entity[]> {
    return this.#statements.execute(request);
  }

  executeOrWait({ sql, file }: StatementRequest): Promise<{ readonly waiting: readonly string[] }> {
    return this.#files.apply(sql, file ?? '');
  }

  /** A stream or table has appeared: what waited for it may run now. */
  retryWaiting(): Promise<void> {
    return this.#files.retry();
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

  /** Begins to derive a table again beside itself. */
  async rebuild(table: string): Promise<RebuildProgress> {
    const { catalog, builder, state } = this.#env;
    const entry = catalog.find(table);
    if (!entry?.table) throw new AppError('unknown-table', `no table ${table}`);
    if (builder.isBuilding(entry.name)) throw new AppError('rebuild-running', `table ${entry.name} is being rebuilt`);
    const query = entry.writtenBy === null ? undefined : catalog.query(entry.writtenBy);
    const standsStill = entry.failed !== null || (query !== undefined && query.state.kind !== 'running');
    if (!entry.visible && !standsStill)
      throw new AppError('snapshotting', `table ${entry.name} is still being filled for the first time`, {
        retriable: true,
      });
    if (query && query.state.kind === 'terminated') {
      throw new AppError('invalid-statement', `the query of ${entry.name} was terminated`, {
        hint: 'drop the table and create it again',
      });
    }
    const sources = query ? [...new Set(querySources(catalog, query))].map((name) => catalog.find(name)!) : [];
    assertRuns(catalog, sources);
    const forgetful = sources.find((source) => source.sourceKind === 'stream' && source.writtenBy !== null);
    if (forgetful) {
      throw new AppError('unsupported-statement', `rebuild of ${entry.name}, which reads ${forgetful.name}`, {
        hint: `a derived stream is not kept to be replayed: select from the source of ${forgetful.name} instead`,
      });
    }
    const document = newRebuild(catalog, entry, this.#nextVersion(entry), systemClock.nowMs());
    try {
      state.transaction(() => builder.begin(document));
    } catch (error) {
      this.#env.reload();
      throw error;
    }
    this.#env.wake();
    return builder.progress().find((progress) => nameKey(progress.table) === nameKey(entry.name))!;
  }

  /** Versions that a failed rebuild has left behind are not used again before they are gone. */
  #nextVersion(entry: SourceEntry): number {
    const versions = this.#env.state.physicalTables().filter(({ id }) => id === entry.table!.id);
    return Math.max(entry.table!.version, ...versions.map(({ version }) => version)) + 1;
  }

  /** Definitions and schemas lie in topics too, and are not written by SQL. */
  #assertForeign(topic: string): void {
    if (topic !== '_schemas' && !topic.startsWith(`${this.#env.options.serviceId}_`)) return;
    throw new AppError('invalid-statement', `topic ${topic} is internal`, { hint: 'name another one' });
  }

  async #registerSchemas({ schema, properties }: CreateAs) {
    const { registry } = this.#env;
    const { topic } = properties;
    if (properties.keyFormat !== 'AVRO' && properties.valueFormat !== 'AVRO') return null;
    const isKey = new Set(schema.keyColumns);
    const valueColumns = schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
    const register = async (subject: string, text: string) => (await registry.register(subject, text, 'AVRO')).id;
    const key =
      properties.keyFormat === 'AVRO' && isKey.size > 0
        ? await register(`${topic}-key`, avroKeySchema(topic, keyFields(schema), defaultKeyShape(schema)))
        : null;
    const value =
      properties.valueFormat === 'AVRO'
        ? await register(`${topic}-value`, avroValueSchema(topic, valueFields(schema, valueColumns)))
        : null;
    return { key, value };
  }

  async #insertRow(target: SourceEntry, { row, rowtime }: InsertValues): Promise<void> {
    const { log, local, catalog } = this.#env;
    const { schema, properties } = target;
    const writer = catalog.all().find(({ captured, writtenBy, properties: { topic }, sourceKind }) => {
      const isWritten = captured !== null || (writtenBy !== null && sourceKind === 'table');
      return isWritten && topic === properties.topic;
    });
    if (writer !== undefined) {
      const by = writer.captured ? `connector ${writer.captured.connector}` : writer.writtenBy;
      throw new AppError(
        'invalid-statement',
        `Cannot insert into ${target.name}: ${by} writes topic ${properties.topic}`,
        {
          hint: writer.captured ? 'write to the source database' : 'write to the sources of the query',
        },
      );
    }
    this.#assertForeign(properties.topic);
    if (target.imported) {
      throw new AppError(
        'invalid-statement',
        `Cannot insert into ${target.name}: others write topic ${properties.topic}`,
        {
          hint: 'write to the topic with a Kafka producer: what it holds is imported',
        },
      );
    }
    if (properties.valueFormat === 'AVRO' || properties.keyFormat === 'AVRO') {
      throw new AppError('unsupported-statement', `INSERT VALUES into ${target.name}, whose format is AVRO`);
    }
    const isKey = new Set(schema.keyColumns);
    const valueColumns = schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
    const key =
      isKey.size === 0
        ? null
        : createKeyEncoder({ format: properties.keyFormat, schema, keyShape: defaultKeyShape(schema) }).encode(
            schema.keyColumns.map((i) => row[i]!),
          );
    const value = createValueEncoder({ format: properties.valueFormat, schema, valueColumns }).encode(row);
    const partitions = (await log.partitions(properties.topic, 'known')) ?? 1;
    const partition = key === null ? 0 : partitionOf(key, 0, key.length, partitions);
    // Looked up again, with nothing awaited behind it: it may have been dropped meanwhile, and its topic with it.
    if (catalog.find(target.name)?.properties.topic !== properties.topic)
      throw new AppError('unknown-table', `${target.name} was dropped meanwhile`);
    const commitTimeUs = rowtime === null ? systemClock.nowUs() : rowtime * 1000;
    await local.append({ records: [{ topic: properties.topic, partition, key, value }], commitTimeUs });
  }
}
