// Results of statements as the entities of ksqlDB's POST /ksql (REST API reference, "Run a ksqlDB statement"): plain objects with
// `@type` and `statementText`.
import { printType, type Column, type DataType } from '../core/data-type.js';
import { unreachable } from '../core/errors.js';
import type {
  CommandName,
  ExplainedQuery,
  QuerySummary,
  SourceDetail,
  SourceSummary,
  StatementResult,
} from '../projector/statement-facade.js';

export type StatementEntity = Readonly<Record<string, unknown>>;

export function toEntity(result: StatementResult): StatementEntity {
  const entity = bodyOf(result);
  const { '@type': type, ...rest } = entity;
  return { '@type': type, statementText: result.text, ...rest, warnings: [] };
}

function bodyOf(result: StatementResult): StatementEntity {
  switch (result.kind) {
    case 'applied': {
      const { command, message, seq, queryId } = result;
      return {
        '@type': 'currentStatus',
        commandId: commandId(command),
        commandStatus: { status: 'SUCCESS', message, queryId },
        commandSequenceNumber: seq,
      };
    }
    case 'left-alone':
      return { '@type': 'warning_entity', message: result.message };
    case 'sources': {
      const type = `${result.sourceKind}s`;
      return { '@type': type, [type]: result.sources.map(sourceEntity) };
    }
    case 'queries':
      return { '@type': 'queries', queries: result.queries.map(queryEntity) };
    case 'topics': {
      const topics = result.topics.map(({ name, partitions }) => ({
        name,
        replicaInfo: Array.from({ length: partitions }, () => 1),
      }));
      return { '@type': 'kafka_topics', topics };
    }
    case 'properties': {
      const properties = Object.entries(result.properties).map(([name, value]) => ({
        name,
        scope: 'KSQL',
        value,
        editable: false,
        level: 'SERVER',
      }));
      return { '@type': 'properties', properties, overwrittenProperties: [], defaultProperties: [] };
    }
    case 'functions':
      return {
        '@type': 'function_names',
        functions: result.names.map((name) => ({ name, type: 'SCALAR', category: 'OTHER' })),
      };
    case 'variables':
      return { '@type': 'variables', variables: [] };
    case 'types':
      return { '@type': 'type_list', types: {} };
    case 'connectors': {
      const connectors = result.connectors.map(({ name, className, state }) => ({
        name,
        type: 'source',
        className,
        state,
      }));
      return { '@type': 'connector_list', connectors };
    }
    case 'source':
      return { '@type': 'sourceDescription', sourceDescription: sourceDescription(result.source, result) };
    case 'explained':
      return { '@type': 'queryDescription', queryDescription: queryDescription(result.query) };
    default:
      return unreachable(result);
  }
}

/** As GET /status names it: sources are quoted, queries are not. */
function commandId({ type, name, action }: CommandName): string {
  return type === 'stream' || type === 'table' ? `${type}/\`${name}\`/${action}` : `${type}/${name}/${action}`;
}

function sourceEntity({ name, sourceKind, topic, keyFormat, valueFormat }: SourceSummary) {
  return { type: sourceKind.toUpperCase(), name, topic, keyFormat, valueFormat, isWindowed: false };
}

function queryEntity({ id, sql, sink, sinkTopic, state }: QuerySummary) {
  return {
    queryString: sql,
    sinks: [sink],
    sinkKafkaTopics: [sinkTopic],
    id,
    statusCount: { [state]: 1 },
    queryType: 'PERSISTENT',
    state,
  };
}

function sourceDescription(
  source: SourceDetail,
  {
    extended,
    readBy,
    writtenBy,
  }: {
    readonly extended: boolean;
    readonly readBy: readonly QuerySummary[];
    readonly writtenBy: readonly QuerySummary[];
  },
) {
  const { name, sourceKind, topic, keyFormat, valueFormat, schema, timestampColumn, partitions, sql, failure } = source;
  const queries = (list: readonly QuerySummary[]) =>
    list.map(({ id, sql: queryString, sink, state }) => ({
      queryString,
      sinks: [sink],
      sinkKafkaTopics: [],
      id,
      queryType: 'PERSISTENT',
      state,
    }));
  return {
    name,
    windowType: null,
    readQueries: queries(readBy),
    writeQueries: queries(writtenBy),
    fields: schema.columns.map((column, i) => field(column, schema.keyColumns.includes(i))),
    type: sourceKind.toUpperCase(),
    timestamp: timestampColumn ?? '',
    statistics: '',
    errorStats: failure ?? '',
    extended,
    keyFormat,
    valueFormat,
    topic,
    ...(source.imported ? { imported: true } : {}),
    partitions,
    replication: 1,
    statement: sql ?? '',
    queryOffsetSummaries: [],
    sourceConstraints: [],
  };
}

function queryDescription({
  id,
  sql,
  sources,
  sinks,
  state,
  queryType,
  plan,
  columns,
  keyColumns,
}: ExplainedQuery): StatementEntity {
  return {
    id,
    statementText: sql,
    windowType: null,
    fields: columns.map((column, i) => field(column, keyColumns.includes(i))),
    sources,
    sinks,
    topology: plan,
    executionPlan: plan,
    overriddenProperties: {},
    ksqlHostQueryStatus: {},
    queryType,
    queryErrors: [],
    tasksMetadata: [],
    state,
    consumerGroupId: null,
  };
}

function field(column: Column, isKey: boolean): StatementEntity {
  return { name: column.name, schema: schemaOf(column.type), ...(isKey ? { type: 'KEY' } : {}) };
}

function schemaOf(type: DataType): StatementEntity {
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
