// INSERT VALUES: one record in the topic of a stream or table, as an append. What it means is decided where it stands in the sequence:
// definitions of its target that are on their way come first, and between the look at the catalogue and the append nothing is awaited.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import { systemClock } from '../core/clock.js';
import { AppError } from '../core/errors.js';
import type { SeenTopic } from '../projector/defined-topics.js';
import { assertNotInternal } from '../projector/definition-checks.js';
import { defaultKeyShape } from '../schema/formats/format.js';
import { partitionOf } from '../schema/formats/partitioner.js';
import { createKeyEncoder, createValueEncoder } from '../schema/formats/value-encoder.js';
import type { Statement } from '../sql/plan.js';
import type { DefinitionAppends } from './definition-appends.js';
import type { EngineTopics } from './engine-topics.js';
import type { LocalAppends } from './local-appends.js';

export type InsertValues = Extract<Statement, { readonly kind: 'insert-values' }>;

export interface InsertEnv {
  readonly catalog: Catalog;
  readonly definitions: DefinitionAppends;
  readonly local: LocalAppends;
  readonly topics: EngineTopics;
  readonly serviceId: string;
  /** Counts the records without a key: they take turns in the partitions of their topic. */
  readonly nextKeyless: () => number;
}

/** `analyze` gives the statement as it means against the catalogue of that moment. */
export async function insertValues(
  { catalog, definitions, local, topics, serviceId, nextKeyless }: InsertEnv,
  name: string,
  analyze: () => InsertValues,
): Promise<void> {
  const topicOf = () => catalog.find(name)?.properties.topic;
  let seen: SeenTopic | undefined;
  for (;;) {
    await definitions.settled(name);
    const topic = topicOf();
    if (topic !== undefined) {
      await topics.ready(topic);
      // Data folders of before do not know all topics that there are.
      if (topics.shared && !topics.find(topic)) seen = await topics.see(topic);
    }
    // Another definition may have come while the topic was waited for; what is ready is looked at once more.
    if (topic === topicOf() && definitions.isSettled(name)) break;
  }
  // From here to the append nothing is awaited.
  const { row, rowtime, target: targetName } = analyze();
  const target = catalog.find(targetName)!;
  assertWritable(catalog, target, serviceId);
  const { properties } = target;
  const { key, value } = encode(target, row);
  const partitions = topics.find(properties.topic)?.partitions ?? seen?.partitions ?? 1;
  const partition = key === null ? nextKeyless() % partitions : partitionOf(key, 0, key.length, partitions);
  const commitTimeUs = rowtime === null ? systemClock.nowUs() : rowtime * 1000;
  await local.append({ records: [{ topic: properties.topic, partition, key, value }], commitTimeUs });
}

function assertWritable(catalog: Catalog, { name, properties, imported }: SourceEntry, serviceId: string): void {
  const { topic, keyFormat, valueFormat } = properties;
  const writer = catalog.all().find((entry) => {
    const isWritten = entry.captured !== null || (entry.writtenBy !== null && entry.sourceKind === 'table');
    return isWritten && entry.properties.topic === topic;
  });
  if (writer !== undefined) {
    const by = writer.captured ? `connector ${writer.captured.connector}` : writer.writtenBy;
    throw new AppError('invalid-statement', `Cannot insert into ${name}: ${by} writes topic ${topic}`, {
      hint: writer.captured ? 'write to the source database' : 'write to the sources of the query',
    });
  }
  assertNotInternal(topic, serviceId);
  if (imported) {
    throw new AppError('invalid-statement', `Cannot insert into ${name}: others write topic ${topic}`, {
      hint: 'write to the topic with a Kafka producer: what it holds is imported',
    });
  }
  const registered = [valueFormat, keyFormat].find((format) => format === 'AVRO' || format === 'PROTOBUF');
  if (registered !== undefined)
    throw new AppError('unsupported-statement', `INSERT VALUES into ${name}, whose format is ${registered}`);
}

function encode({ schema, properties }: SourceEntry, row: InsertValues['row']) {
  const isKey = new Set(schema.keyColumns);
  const valueColumns = schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
  const key =
    isKey.size === 0
      ? null
      : createKeyEncoder({ format: properties.keyFormat, schema, keyShape: defaultKeyShape(schema) }).encode(
          schema.keyColumns.map((i) => row[i]!),
        );
  const value = createValueEncoder({ format: properties.valueFormat, schema, valueColumns }).encode(row);
  return { key, value };
}
