// The requests that come in the words of Kafka's wire format, read and answered: Produce 7, Fetch 13,
// Metadata 11, IncrementalAlterConfigs 0. The code under test
// writes and decodes them itself, so both ends of the wire meet here.
import { WireReader, WireWriter } from '../../../src/stream/kafka/wire.js';
import { codes, type SimulatedBroker, type SimulatedTopic } from './broker.js';
import type { AbortedTransaction } from './partition.js';

export interface Trouble {
  /** What a partition answers instead of what it should, and whether it does what it is asked all the same. */
  readonly code: number;
  readonly done: boolean;
}

export function answerProduce(broker: SimulatedBroker, body: Buffer, trouble: Trouble | undefined): Buffer {
  const reader = new WireReader(body);
  const writer = new WireWriter();
  const transactionalId = reader.string();
  reader.int16(); // acks
  reader.int32(); // time-out
  const topics = reader.int32();
  writer.int32(topics);
  for (let i = 0; i < topics; i++) {
    const topic = reader.string();
    const partitions = reader.int32();
    writer.string(topic).int32(partitions);
    for (let j = 0; j < partitions; j++) {
      const partition = reader.int32();
      const batch = reader.view(reader.int32());
      const stored = trouble?.done === false ? undefined : broker.produce(transactionalId, topic, partition, batch);
      const { code, offset } = trouble ? { code: trouble.code, offset: -1 } : stored!;
      writer.int32(partition).int16(code).int64(offset).int64(-1).int64(0);
    }
  }
  writer.int32(0);
  return writer.written();
}

interface FetchedPartition {
  readonly number: number;
  readonly offset: number;
  readonly bytesMax: number;
}

export interface Fetch {
  readonly waitMs: number;
  /** Nothing to tell yet. */
  readonly isEmpty: () => boolean;
  readonly answer: (trouble: Trouble | undefined) => Buffer;
}

export function readFetch(broker: SimulatedBroker, body: Buffer): Fetch {
  const reader = new WireReader(body);
  reader.skipTags();
  reader.int32(); // replica
  const waitMs = reader.int32();
  reader.int32(); // least bytes
  const bytesMax = reader.int32();
  const committed = reader.int8() === 1;
  reader.int32();
  reader.int32();
  const wanted: { readonly id: string; readonly partitions: FetchedPartition[] }[] = [];
  for (let topics = reader.compactCount(); topics > 0; topics--) {
    const id = reader.view(16).toString('hex');
    const partitions: FetchedPartition[] = [];
    for (let left = reader.compactCount(); left > 0; left--) {
      const number = reader.int32();
      reader.int32();
      const offset = reader.int64();
      reader.int32();
      reader.int64();
      partitions.push({ number, offset, bytesMax: reader.int32() });
      reader.skipTags();
    }
    reader.skipTags();
    wanted.push({ id, partitions });
  }
  const isEmpty = (): boolean =>
    wanted.every(({ id, partitions }) =>
      partitions.every(({ number, offset }) => {
        const partition = broker.byId(id)?.partitions[number];
        return partition !== undefined && offset === (committed ? partition.stableEnd : partition.end);
      }),
    );
  const answer = (trouble: Trouble | undefined): Buffer => {
    const writer = new WireWriter();
    writer.tags().int32(0).int16(0).int32(0).compactCount(wanted.length);
    let room = bytesMax;
    for (const { id, partitions } of wanted) {
      writer.bytes(Buffer.from(id, 'hex')).compactCount(partitions.length);
      for (const part of partitions)
        room -= writePartition(writer, broker.byId(id), part, { committed, room, isFirst: room === bytesMax, trouble });
      writer.tags();
    }
    writer.tags();
    return writer.written();
  };
  return { waitMs, isEmpty, answer };
}

function writePartition(
  writer: WireWriter,
  topic: SimulatedTopic | undefined,
  { number, offset, bytesMax }: FetchedPartition,
  how: {
    readonly committed: boolean;
    readonly room: number;
    readonly isFirst: boolean;
    readonly trouble: Trouble | undefined;
  },
): number {
  const partition = topic?.partitions[number];
  let code = how.trouble?.code ?? 0;
  if (code === 0 && partition === undefined) code = codes.unknownTopicId;
  else if (code === 0 && (offset < partition!.start || offset > partition!.end)) code = codes.offsetOutOfRange;
  let records = Buffer.alloc(0);
  let aborted: readonly AbortedTransaction[] = [];
  if (code === 0 && (how.isFirst || how.room > 0))
    ({ records, aborted } = partition!.read(offset, how.committed, Math.min(bytesMax, how.room)) as {
      records: Buffer<ArrayBuffer>;
      aborted: readonly AbortedTransaction[];
    });
  writer.int32(number).int16(code);
  writer.int64(code === 0 ? partition!.end : -1).int64(code === 0 ? partition!.stableEnd : -1);
  writer.int64(code === 0 ? partition!.start : -1).compactCount(aborted.length);
  for (const { producerId, firstOffset } of aborted) writer.int64(producerId).int64(firstOffset).tags();
  writer
    .int32(-1)
    .uvarint(records.length + 1)
    .bytes(records)
    .tags();
  return records.length;
}

export function answerMetadata(broker: SimulatedBroker, body: Buffer): Buffer {
  const reader = new WireReader(body);
  reader.skipTags();
  const count = reader.uvarint();
  const names = count === 0 ? broker.topics().map(({ name }) => name) : [];
  for (let left = count - 1; left > 0; left--) {
    reader.view(16);
    names.push(reader.compactString() ?? '');
    reader.skipTags();
  }
  const writer = new WireWriter();
  writer.tags().int32(0).compactCount(1).int32(nodeId).compactString('kafka').int32(9092).uvarint(0).tags();
  writer.compactString('simulated').int32(nodeId).compactCount(names.length);
  for (const name of names) {
    const topic = broker.topic(name);
    writer.int16(topic ? 0 : codes.unknownTopic).compactString(name);
    writer.bytes(Buffer.from(topic?.id ?? '0'.repeat(32), 'hex')).int8(0);
    writer.compactCount(topic?.partitions.length ?? 0);
    for (const number of topic?.partitions.keys() ?? []) {
      writer.int16(0).int32(number).int32(nodeId).int32(0);
      for (let list = 0; list < 2; list++) writer.compactCount(1).int32(nodeId);
      writer.compactCount(0).tags();
    }
    writer.int32(0).tags();
  }
  writer.tags();
  return writer.written();
}

/** Of one topic. */
export function answerAlterConfigs(broker: SimulatedBroker, body: Buffer): Buffer {
  const reader = new WireReader(body);
  reader.int32(); // resources
  reader.int8(); // a topic
  const topic = broker.topic(reader.string());
  for (let left = reader.int32(); left > 0; left--) {
    const name = reader.string();
    reader.int8();
    topic?.settings.set(name, reader.string());
  }
  return new WireWriter()
    .int32(0)
    .int32(1)
    .int16(topic ? 0 : codes.unknownTopic)
    .int16(-1)
    .written();
}

/** The one that there is. */
export const nodeId = 1;
