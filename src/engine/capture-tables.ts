// What has to be durable before the first record of a captured table: its topic, its schemas, its definition as a table. One append.
import { producerName } from '../connect/naming.js';
import { newTopicOf } from '../connect/topic-creation.js';
import { assert } from '../core/errors.js';
import type { AskedRetention } from '../core/topic-retention.js';
import { topicsOfCaptured } from '../projector/captured-definitions.js';
import { tableFields } from '../schema/formats/row-encoder-options.js';
import type { DefinitionAppends } from './definition-appends.js';
import type { OpenedTable, OpenTableRequest } from './engine-api.js';

/** Idempotent: after a restart everything is there. Rejects with already-exists where the topic holds what is not the table's. */
export async function openCapturedTable(
  definitions: DefinitionAppends,
  { connector, table, topic, output, hidden, cause, createTable }: OpenTableRequest,
  defaults: AskedRetention | undefined,
): Promise<OpenedTable> {
  const { key, value } = tableFields(table);
  const { keyFormat, keyShape, valueFormat, shape, schemas, envelope } = output;
  const { partitions, cleanup, retention: asked } = newTopicOf(output, topic);
  const retention = {
    ms: asked?.ms ?? defaults?.ms ?? null,
    bytes: asked?.bytes ?? defaults?.bytes ?? null,
  };
  const columns = table.columns.map(({ name, type }) => ({ name, type }));
  const result = await definitions.appendFor(null, topicsOfCaptured(topic, table.database, table.table), (seen) => ({
    kind: 'captured-table',
    connector,
    producer: producerName(connector),
    database: table.database,
    table: table.table,
    schema: { columns, keyColumns: table.keyColumns },
    key,
    value,
    topic,
    partitions,
    cleanup,
    ...(cleanup === 'delete' ? { retention } : {}),
    keyFormat,
    valueFormat,
    keyShape,
    deletedField: shape === 'flat-with-deleted',
    ...(schemas === undefined ? {} : { schemas }),
    ...(envelope === undefined ? {} : { envelope: { connector: envelope.connector } }),
    hidden,
    ...(cause === undefined ? {} : { reconciling: cause }),
    createTable,
    seen,
  }));
  assert(result.kind === 'captured', `a captured table came to ${result.kind}`);
  return result;
}
