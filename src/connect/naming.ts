// Names that connect decides: topics, and a connector's producer.
import type { SourceTable } from '../core/row-encoder.js';

/** `<prefix>.<database>.<table>`, with what Kafka does not allow in a topic name replaced by `_` (as Debezium does). */
export function topicName(prefix: string, table: SourceTable): string {
  return [prefix, table.database, table.table].map((part) => part.replaceAll(/[^A-Za-z0-9._-]/g, '_')).join('.');
}

/** A key of several columns is an object whatever is configured. */
export function keyShapeOf(output: { readonly keyShape: 'bare' | 'object' }, table: SourceTable): 'bare' | 'object' {
  return table.keyColumns.length === 1 ? output.keyShape : 'object';
}

const producerPrefix = 'connector-';

export function producerName(connector: string): string {
  return producerPrefix + connector;
}

/** The connector that a producer belongs to; undefined for one that is no connector's. */
export function connectorOfProducer(producer: string): string | undefined {
  return producer.startsWith(producerPrefix) ? producer.slice(producerPrefix.length) : undefined;
}
