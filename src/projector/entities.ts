// The entities of ksqlDB's POST /ksql (REST API reference, "Run a ksqlDB statement"): plain objects with `@type`.
import { printType, type Column, type DataType } from '../core/data-type.js';
import type { QueryEntry, SourceEntry } from '../catalog/catalog.js';

export type Entity = Readonly<Record<string, unknown>>;

export function currentStatus(
  statementText: string,
  commandId: string,
  message: string,
  sequence: number,
  queryId?: string,
): Entity {
  return {
    '@type': 'currentStatus',
    statementText,
    commandId,
    commandStatus: { status: 'SUCCESS', message, queryId: queryId ?? null },
    commandSequenceNumber: sequence,
    warnings: [],
  };
}

export function warning(statementText: string, message: string): Entity {
  return { '@type': 'warning_entity', statementText, message, warnings: [] };
}

export function sourceList(statementText: string, kind: 'streams' | 'tables', entries: readonly SourceEntry[]): Entity {
  const list = entries.map((entry) => ({
    type: entry.sourceKind.toUpperCase(),
    name: entry.name,
    topic: entry.properties.topic,
    keyFormat: entry.properties.keyFormat,
    valueFormat: entry.properties.valueFormat,
    isWindowed: false,
  }));
  return { '@type': kind, statementText, [kind]: list, warnings: [] };
}

export function queryList(
  statementText: string,
  queries: readonly QueryEntry[],
  topicOf: (sink: string) => string,
): Entity {
  const list = queries.map((query) => ({
    queryString: query.sql,
    sinks: [query.sink],
    sinkKafkaTopics: [topicOf(query.sink)],
    id: query.id,
    statusCount: { [queryState(query)]: 1 },
    queryType: 'PERSISTENT',
    state: queryState(query),
  }));
  return { '@type': 'queries', statementText, queries: list, warnings: [] };
}

export function topicList(
  statementText: string,
  topics: readonly { readonly name: string; readonly partitions: number }[],
): Entity {
  const list = topics.map(({ name, partitions }) => ({
    name,
    replicaInfo: Array.from({ length: partitions }, () => 1),
  }));
  return { '@type': 'kafka_topics', statementText, topics: list, warnings: [] };
}

export function sourceDescription(
  statementText: string,
  entry: SourceEntry,
  extended: boolean,
  queries: { readonly read: readonly QueryEntry[]; readonly write: readonly QueryEntry[] },
  partitions: number,
): Entity {
  const queriesOf = (list: readonly QueryEntry[]) =>
    list.map((query) => ({
      queryString: query.sql,
      sinks: [query.sink],
      sinkKafkaTopics: [],
      id: query.id,
      queryType: 'PERSISTENT',
      state: queryState(query),
    }));
  return {
    '@type': 'sourceDescription',
    statementText,
    sourceDescription: {
      name: entry.name,
      windowType: null,
      readQueries: queriesOf(queries.read),
      writeQueries: queriesOf(queries.write),
      fields: entry.schema.columns.map((column, i) => field(column, entry.schema.keyColumns.includes(i))),
      type: entry.sourceKind.toUpperCase(),
      timestamp: entry.properties.timestampColumn ?? '',
      statistics: '',
      errorStats: entry.failed ? `${entry.failed.code}: ${entry.failed.message}` : '',
      extended,
      keyFormat: entry.properties.keyFormat,
      valueFormat: entry.properties.valueFormat,
      topic: entry.properties.topic,
      ...(entry.imported ? { imported: true } : {}),
      partitions,
      replication: 1,
      statement: entry.sql ?? '',
      queryOffsetSummaries: [],
      sourceConstraints: [],
    },
    warnings: [],
  };
}

export function queryDescription(
  statementText: string,
  query: {
    readonly id: string;
    readonly sql: string;
    readonly sources: readonly string[];
    readonly sinks: readonly string[];
    readonly state: string;
  },
  plan: string,
  columns: readonly Column[],
  keyColumns: readonly number[],
  queryType: 'PERSISTENT' | 'PUSH' | 'PULL',
): Entity {
  return {
    '@type': 'queryDescription',
    statementText,
    queryDescription: {
      id: query.id,
      statementText: query.sql,
      windowType: null,
      fields: columns.map((column, i) => field(column, keyColumns.includes(i))),
      sources: query.sources,
      sinks: query.sinks,
      topology: plan,
      executionPlan: plan,
      overriddenProperties: {},
      ksqlHostQueryStatus: {},
      queryType,
      queryErrors: [],
      tasksMetadata: [],
      state: query.state,
      consumerGroupId: null,
    },
    warnings: [],
  };
}

export function queryState(query: QueryEntry): 'RUNNING' | 'PAUSED' | 'ERROR' {
  return query.state.kind === 'running' ? 'RUNNING' : query.state.kind === 'failed' ? 'ERROR' : 'PAUSED';
}

function field(column: Column, isKey: boolean): Readonly<Record<string, unknown>> {
  return { name: column.name, schema: schemaOf(column.type), ...(isKey ? { type: 'KEY' } : {}) };
}

function schemaOf(type: DataType): Readonly<Record<string, unknown>> {
  switch (type.kind) {
    case 'ARRAY':
      return { type: 'ARRAY', fields: null, memberSchema: schemaOf(type.element) };
    case 'MAP':
      return { type: 'MAP', fields: null, memberSchema: schemaOf(type.value) };
    case 'STRUCT':
      return {
        type: 'STRUCT',
        fields: type.fields.map((f) => ({ name: f.name, schema: schemaOf(f.type) })),
        memberSchema: null,
      };
    case 'DECIMAL':
      return {
        type: 'DECIMAL',
        parameters: { precision: type.precision, scale: type.scale },
        fields: null,
        memberSchema: null,
      };
    default:
      return { type: printType(type), fields: null, memberSchema: null };
  }
}
