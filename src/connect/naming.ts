// Names that connect decides: topics, and a connector's producer.
import { AppError } from '../core/errors.js';
import type { SourceTable } from '../core/row-encoder.js';
import { qualifiedName } from '../core/table-name.js';
import { topicName } from '../core/topic-name.js';

/** A key of several columns is an object whatever is configured. */
export function keyShapeOf(output: { readonly keyShape: 'bare' | 'object' }, table: SourceTable): 'bare' | 'object' {
  return table.keyColumns.length === 1 ? output.keyShape : 'object';
}

/** The topics of one connector's tables: two of them share none. */
export class TopicNames {
  readonly #tables = new Map<string, string>();

  /** Throws bad-connector-config where transforms lead another table there; names that only a topic cannot tell apart get a suffix. */
  claim(topic: string, { database, table }: SourceTable, output: Parameters<typeof topicName>[0]): void {
    const name = qualifiedName({ database, table });
    const other = this.#tables.get(topic);
    if (other === undefined || other === name || topic === topicName(output, { database, table })) {
      this.#tables.set(topic, name);
      return;
    }
    throw new AppError('bad-connector-config', `the transforms lead ${other} and ${name} to one topic, ${topic}`, {
      hint: 'let the replacement keep what tells them apart; rows of several tables meet in a query: INSERT INTO, or a join',
      place: { path: 'transforms' },
    });
  }
}

const producerPrefix = 'connector-';

export function producerName(connector: string): string {
  return producerPrefix + connector;
}

/** The connector that a producer belongs to; undefined for one that is no connector's. */
export function connectorOfProducer(producer: string): string | undefined {
  return producer.startsWith(producerPrefix) ? producer.slice(producerPrefix.length) : undefined;
}
