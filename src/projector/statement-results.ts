// Results of statements, from catalogue entries.
import type { QueryEntry, SourceEntry } from '../catalog/catalog.js';
import type {
  CommandName,
  QueryStateName,
  QuerySummary,
  SourceDetail,
  SourceSummary,
  StatementResult,
} from './statement-facade.js';

export function applied(
  text: string,
  command: CommandName,
  message: string,
  seq: number,
  queryId: string | null = null,
): StatementResult {
  return { kind: 'applied', text, command, message, seq, queryId };
}

export function leftAlone(text: string, kind: string, name: string, seq: number): StatementResult {
  const message = `Cannot add ${kind} '${name}': A ${kind} with the same name already exists.`;
  return { kind: 'left-alone', text, message, seq };
}

export function sourceSummary({ name, sourceKind, properties }: SourceEntry): SourceSummary {
  const { topic, keyFormat, valueFormat } = properties;
  return { name, sourceKind, topic, keyFormat, valueFormat };
}

export function sourceDetail(entry: SourceEntry, partitions: number): SourceDetail {
  const { schema, sql, failed, properties } = entry;
  return {
    ...sourceSummary(entry),
    schema,
    timestampColumn: properties.timestampColumn,
    partitions,
    imported: entry.imported === true,
    sql,
    failure: failed ? `${failed.code}: ${failed.message}` : null,
  };
}

export function querySummary(query: QueryEntry, sinkTopic: string): QuerySummary {
  const { id, sql, sink } = query;
  return { id, sql, sink, sinkTopic, state: queryState(query) };
}

export function queryState(query: QueryEntry): QueryStateName {
  return query.state.kind === 'running' ? 'RUNNING' : query.state.kind === 'failed' ? 'ERROR' : 'PAUSED';
}
