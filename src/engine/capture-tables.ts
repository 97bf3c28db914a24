// What has to be durable before the first record of a captured table: its topic, its schemas, its definition as a table.
import { hash } from 'node:crypto';
import type { Catalog } from '../catalog/catalog.js';
import { keyShapeOf } from '../connect/naming.js';
import { AppError } from '../core/errors.js';
import { noPosition } from '../core/record.js';
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
  /** Of the connector's newest applied append; null: none yet. */
  readonly position: (connector: string) => string | null;
}

/** Who fills a topic. */
interface Claim {
  readonly connector: string;
  /** `database.table` */
  readonly table: string;
}

export class CaptureTables {
  readonly #env: CaptureTablesEnv;
  /** Of tables that are not in the catalogue, as long as this process lives. */
  readonly #topicsOnly = new Map<string, Claim>();

  constructor(env: CaptureTablesEnv) {
    this.#env = env;
  }

  /** Idempotent: after a restart everything is there. Rejects with already-exists where the topic holds what is not the table's. */
  async open(request: OpenTableRequest): Promise<OpenedTable> {
    const { createTopic, registry, appendDefinition } = this.#env;
    const { connector, table, output, hidden, createTable } = request;
    const topic = this.#topicFor(request);
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
    return { topic, keySchemaId, valueSchemaId };
  }

  /**
   * Its own topic, the one that its name gives, or where another table has that one (names may differ only in what a topic's name
   * cannot hold) one with a suffix of its own. Once it has a table it keeps its topic.
   */
  #topicFor({ connector, table, topic: named, createTable }: OpenTableRequest): string {
    const qualified = `${table.database}.${table.table}`;
    const suffixed = `${named}_${hash('sha1', qualified).slice(0, 8)}`;
    const own = [named, suffixed].find((each) => {
      const claim = this.#claimOn(each);
      return claim?.connector === connector && claim.table === qualified;
    });
    // Only another table of this connector is evaded; one of another connector is in the way, whatever the topic is called.
    const topic = own ?? (this.#claimOn(named)?.connector === connector ? suffixed : named);
    const claim = this.#claimOn(topic);
    if (claim !== undefined && claim.connector !== connector) throw taken(topic, claim);
    if (claim !== undefined && this.#env.position(connector) === noPosition) throw staleRows(topic, connector);
    if (!createTable) this.#topicsOnly.set(topic, { connector, table: qualified });
    return topic;
  }

  /** The connector is deleted: what it filled without a table is nobody's. */
  forget(connector: string): void {
    for (const [topic, claim] of this.#topicsOnly) if (claim.connector === connector) this.#topicsOnly.delete(topic);
  }

  #claimOn(topic: string): Claim | undefined {
    const entry = this.#env.catalog.all().find((each) => each.captured !== null && each.properties.topic === topic);
    return entry?.captured ?? this.#topicsOnly.get(topic);
  }
}

/** Two connectors would mix their rows, and a new snapshot cannot tell which rows of an earlier one are gone by now. */
function taken(topic: string, claim: Claim): AppError {
  return new AppError(
    'already-exists',
    `topic ${topic} holds ${claim.table} as connector ${claim.connector} captured it`,
    {
      hint: `give this connector another topic.prefix, or, when ${claim.connector} is gone, drop its tables first: DROP TABLE ... DELETE TOPIC`,
    },
  );
}

function staleRows(topic: string, connector: string): AppError {
  return new AppError(
    'already-exists',
    `topic ${topic} still holds what was captured before the position was given up`,
    {
      hint: `drop its table first (DROP TABLE ... DELETE TOPIC), or \`writethrough connect delete ${connector} --topics\` and create it again`,
    },
  );
}
