// The requests that we send in our own words through kafkajs's connections: Produce and Fetch, whose encoders there make objects
// per record, Metadata, which there knows no topic ids (they tell a topic from an earlier one of its name), IncrementalAlterConfigs,
// which it does not have (AlterConfigs resets every setting that it does not name), and DeleteRecords, whose leaders it does not look up.
// Versions: Produce 7 (Kafka 2.1), Metadata 11 (2.8), Fetch 13 (3.1, the first that asks by topic id), IncrementalAlterConfigs 0 (2.3),
// DeleteRecords 1 (2.0).
import { groupBy } from './group-by.js';
import { type WireReader, WireWriter } from './wire.js';

export interface WireRequest<T> {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly apiName: string;
  readonly body: Buffer;
  /** The broker may take so long on purpose. */
  readonly waitMs?: number | undefined;
  decode(reader: WireReader): { readonly value: T; readonly throttleMs: number };
}

export const neededVersions: readonly { readonly name: string; readonly apiKey: number; readonly version: number }[] = [
  { name: 'Produce', apiKey: 0, version: 7 },
  { name: 'Fetch', apiKey: 1, version: 13 },
  { name: 'Metadata', apiKey: 3, version: 11 },
  { name: 'IncrementalAlterConfigs', apiKey: 44, version: 0 },
  { name: 'DeleteRecords', apiKey: 21, version: 1 },
];

export interface ProducePart {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProducedPart {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
}

export function produceRequest(
  transactionalId: string,
  parts: readonly ProducePart[],
  timeoutMs: number,
): WireRequest<ProducedPart[]> {
  const bytes = parts.reduce(
    (sum, part) => sum + part.batch.length + part.topic.length * 3 + 32,
    64 + transactionalId.length * 3,
  );
  const writer = new WireWriter(bytes);
  writer.string(transactionalId).int16(-1).int32(timeoutMs);
  // One entry per partition, also where a topic comes twice: brokers take that.
  const topics = groupBy(parts, (part) => part.topic);
  writer.int32(topics.size);
  for (const [topic, partitions] of topics) {
    writer.string(topic).int32(partitions.length);
    for (const { partition, batch } of partitions) writer.int32(partition).int32(batch.length).bytes(batch);
  }
  return {
    apiKey: 0,
    apiVersion: 7,
    apiName: 'Produce',
    body: writer.written(),
    waitMs: timeoutMs,
    decode: decodeProduced,
  };
}

function decodeProduced(reader: WireReader): { value: ProducedPart[]; throttleMs: number } {
  const value: ProducedPart[] = [];
  for (let topics = reader.int32(); topics > 0; topics--) {
    const topic = reader.string();
    for (let partitions = reader.int32(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const baseOffset = reader.int64();
      reader.int64(); // append time
      reader.int64(); // log start
      value.push({ topic, partition, errorCode, baseOffset });
    }
  }
  return { value, throttleMs: reader.int32() };
}

export interface FetchPart {
  /** 16 bytes as hex */
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly bytesMax: number;
}

export interface FetchOptions {
  readonly committed: boolean;
  readonly waitMs: number;
  readonly bytesMax: number;
}

export interface FetchedPart {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  readonly aborted: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** Whole batches, the last one perhaps cut off. */
  readonly records: Buffer;
}

const noBytes = Buffer.alloc(0);

export function fetchRequest(parts: readonly FetchPart[], options: FetchOptions): WireRequest<FetchedPart[]> {
  const writer = new WireWriter(64 + parts.length * 64);
  writer.tags(); // of the request's header
  writer
    .int32(-1)
    .int32(options.waitMs)
    .int32(1)
    .int32(options.bytesMax)
    .int8(options.committed ? 1 : 0);
  writer.int32(0).int32(-1); // no session
  const topics = groupBy(parts, (part) => part.topicId);
  writer.compactCount(topics.size);
  for (const [topicId, partitions] of topics) {
    writer.bytes(Buffer.from(topicId, 'hex')).compactCount(partitions.length);
    for (const { partition, offset, bytesMax } of partitions) {
      writer.int32(partition).int32(-1).int64(offset).int32(-1).int64(-1).int32(bytesMax).tags();
    }
    writer.tags();
  }
  writer.compactCount(0).compactString('').tags();
  return {
    apiKey: 1,
    apiVersion: 13,
    apiName: 'Fetch',
    body: writer.written(),
    waitMs: options.waitMs,
    decode: decodeFetched,
  };
}

function decodeFetched(reader: WireReader): { value: FetchedPart[]; throttleMs: number } {
  reader.skipTags();
  const throttleMs = reader.int32();
  const sessionError = reader.int16();
  reader.int32(); // session id
  const value: FetchedPart[] = [];
  for (let topics = reader.compactCount(); topics > 0; topics--) {
    const topicId = reader.view(16).toString('hex');
    for (let partitions = reader.compactCount(); partitions > 0; partitions--) {
      const partition = reader.int32();
      const errorCode = reader.int16() || sessionError;
      const highWatermark = reader.int64();
      const lastStableOffset = reader.int64();
      const logStartOffset = reader.int64();
      const aborted = [];
      for (let left = reader.compactCount(); left > 0; left--) {
        aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
        reader.skipTags();
      }
      reader.int32(); // preferred replica
      const records = reader.compactBytes() ?? noBytes;
      reader.skipTags();
      value.push({ topicId, partition, errorCode, highWatermark, lastStableOffset, logStartOffset, aborted, records });
    }
    reader.skipTags();
  }
  return { value, throttleMs };
}

export interface TopicMetadata {
  readonly name: string;
  /** 16 bytes as hex */
  readonly topicId: string;
  readonly errorCode: number;
  readonly internal: boolean;
  /** By partition: the node that leads it, -1 while there is none. */
  readonly leaders: readonly number[];
}

const anyTopicId = Buffer.alloc(16);

/** Undefined: all topics. */
export function metadataRequest(topics: readonly string[] | undefined): WireRequest<TopicMetadata[]> {
  const writer = new WireWriter(64);
  writer.tags(); // of the request's header
  if (topics === undefined) writer.uvarint(0);
  else {
    writer.compactCount(topics.length);
    for (const topic of topics) writer.bytes(anyTopicId).compactString(topic).tags();
  }
  // Neither made by asking, nor authorised operations.
  writer.int8(0).int8(0).tags();
  return { apiKey: 3, apiVersion: 11, apiName: 'Metadata', body: writer.written(), decode: decodeMetadata };
}

function decodeMetadata(reader: WireReader): { value: TopicMetadata[]; throttleMs: number } {
  reader.skipTags();
  const throttleMs = reader.int32();
  for (let brokers = reader.compactCount(); brokers > 0; brokers--) {
    reader.int32();
    reader.compactString();
    reader.int32();
    reader.compactString();
    reader.skipTags();
  }
  reader.compactString(); // cluster
  reader.int32(); // controller
  const value: TopicMetadata[] = [];
  for (let topics = reader.compactCount(); topics > 0; topics--) {
    const errorCode = reader.int16();
    const name = reader.compactString() ?? '';
    const topicId = reader.view(16).toString('hex');
    const internal = reader.int8() !== 0;
    const leaders: number[] = [];
    for (let partitions = reader.compactCount(); partitions > 0; partitions--) {
      reader.int16();
      const partition = reader.int32();
      leaders[partition] = reader.int32();
      reader.int32(); // leader epoch
      for (let lists = 3; lists > 0; lists--) {
        const nodes = reader.compactCount();
        reader.view(nodes * 4);
      }
      reader.skipTags();
    }
    reader.int32(); // authorised operations
    reader.skipTags();
    value.push({ name, topicId, errorCode, internal, leaders });
  }
  reader.skipTags();
  return { value, throttleMs };
}

const topicResource = 2;
const setOperation = 0;

/** Sets these settings of a topic, and leaves its others. Any broker passes it on. */
export function alterConfigsRequest(
  topic: string,
  settings: Readonly<Record<string, string>>,
): WireRequest<{ readonly errorCode: number; readonly message: string | undefined }> {
  const entries = Object.entries(settings);
  const writer = new WireWriter().int32(1).int8(topicResource).string(topic).int32(entries.length);
  for (const [name, value] of entries) writer.string(name).int8(setOperation).string(value);
  writer.int8(0); // not only to validate
  return {
    apiKey: 44,
    apiVersion: 0,
    apiName: 'IncrementalAlterConfigs',
    body: writer.written(),
    decode: (reader) => {
      const throttleMs = reader.int32();
      const answers = reader.int32();
      const errorCode = answers === 0 ? 0 : reader.int16();
      const length = answers === 0 ? -1 : reader.int16();
      const message = length < 0 ? undefined : reader.view(length).toString('utf8');
      return { value: { errorCode, message }, throttleMs };
    },
  };
}

/** Lets a partition begin at an offset; only its leader can. Answers with an error code. */
export function deleteRecordsRequest(
  topic: string,
  partition: number,
  offset: number,
  timeoutMs: number,
): WireRequest<number> {
  const writer = new WireWriter().int32(1).string(topic).int32(1).int32(partition).int64(offset).int32(timeoutMs);
  return {
    apiKey: 21,
    apiVersion: 1,
    apiName: 'DeleteRecords',
    body: writer.written(),
    waitMs: timeoutMs,
    decode: (reader) => {
      const throttleMs = reader.int32();
      reader.int32(); // one topic
      reader.string();
      reader.int32(); // one partition
      reader.int32();
      reader.int64(); // where it begins now
      return { value: reader.int16(), throttleMs };
    },
  };
}
