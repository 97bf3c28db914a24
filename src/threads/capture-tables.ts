// What has to be durable before the first record of a captured table: its topic, its schemas, its definition as a table.
import type { Catalog } from '../catalog/catalog.js';
import { keyShapeOf } from '../connect/naming.js';
import type { Definition } from '../projector/definition.js';
import type { Entity } from '../projector/entities.js';
import type { Registry } from '../registry/registry.js';
import { avroKeySchema, avroValueSchema } from '../schema/formats/avro-schema.js';
import { deletedField } from '../schema/formats/format.js';
import { tableFields } from '../schema/formats/row-encoder.js';
import type { TopicSpec } from '../stream/event-log.js';
import type { OpenedTable, OpenTableRequest } from './engine-api.js';

export interface CaptureTablesEnv {
  readonly catalog: Catalog;
  readonly createTopic: (spec: TopicSpec) => Promise<void>;
  readonly registry: Registry;
  readonly appendDefinition: (definition: Definition) => Promise<Entity>;
}

export class CaptureTables {
  readonly #env: CaptureTablesEnv;

  constructor(env: CaptureTablesEnv) {
    this.#env = env;
  }

  /** Idempotent: after a restart everything is there. */
  async open({ connector, table, topic, output, hidden, createTable }: OpenTableRequest): Promise<OpenedTable> {
    const { createTopic, registry, appendDefinition } = this.#env;
    await createTopic({ name: topic, partitions: output.partitions, cleanup: output.cleanup });
    const fields = tableFields(table);
    const keyShape = keyShapeOf(output, table);
    const isDeletedShape = output.shape === 'flat-with-deleted';
    const keySchemaId =
      output.keyFormat === 'AVRO'
        ? (await registry.register(`${topic}-key`, avroKeySchema(topic, fields.key, keyShape), 'AVRO')).id
        : undefined;
    const valueSchema = () => avroValueSchema(topic, fields.value, isDeletedShape ? [deletedField] : []);
    const valueSchemaId =
      output.valueFormat === 'AVRO' ? (await registry.register(`${topic}-value`, valueSchema(), 'AVRO')).id : undefined;
    if (createTable) {
      await appendDefinition({
        kind: 'captured-table',
        connector,
        database: table.database,
        table: table.table,
        schema: { columns: table.columns.map(({ name, type }) => ({ name, type })), keyColumns: table.keyColumns },
        properties: {
          topic,
          keyFormat: output.keyFormat,
          valueFormat: output.valueFormat,
          partitions: output.partitions,
          timestampColumn: null,
        },
        keyShape,
        deletedField: isDeletedShape,
        hidden,
      });
    }
    return { keySchemaId, valueSchemaId };
  }
}
