// One fetch from one partition, and the walk over those of its records that are committed.
import { AppError } from '../../core/errors.js';
import type { BrokerLink } from './broker-link.js';
import { KafkaProtocolError } from './kafka-errors.js';
import { RecordReader } from './record-reader.js';
import { fetchRequest, type FetchedPart, type FetchOptions } from './requests.js';
import type { TopicDirectory } from './topic-directory.js';

const offsetOutOfRange = 1;

export interface PartitionFetch extends FetchOptions {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Undefined: the partition does not (or no longer) have this offset. */
export async function fetchPartition(
  link: BrokerLink,
  directory: TopicDirectory,
  fetch: PartitionFetch,
): Promise<FetchedPart | undefined> {
  const { topic, partition, offset, bytesMax } = fetch;
  const leader = await directory.leader(topic, partition);
  const { topicId } = await directory.get(topic);
  const broker = await link.broker(leader);
  const [part] = await link.send(broker, fetchRequest([{ topicId, partition, offset, bytesMax }], fetch));
  if (part === undefined)
    throw new AppError('log-corrupt', `the Kafka broker answers a fetch from topic "${topic}" with nothing`);
  if (part.errorCode === offsetOutOfRange) return undefined;
  if (part.errorCode !== 0) {
    directory.forget(topic);
    throw new KafkaProtocolError(part.errorCode, `topic "${topic}", partition ${partition}`);
  }
  return part;
}

/**
 * Calls `visit` with each committed data record from `offset` on; gives the offset behind the last whole batch, whatever it held.
 * `visit` ends the walk by giving false.
 */
export function eachCommitted(
  part: FetchedPart,
  offset: number,
  visit: (reader: RecordReader) => boolean | void,
): number {
  const reader = new RecordReader(part.records);
  const aborted = part.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const aborting = new Set<number>();
  let next = offset;
  while (reader.nextBatch()) {
    while (aborted[0] !== undefined && aborted[0].firstOffset <= reader.lastOffset)
      aborting.add(aborted.shift()!.producerId);
    next = Math.max(next, reader.lastOffset + 1);
    if (reader.control) {
      if (reader.controlType() === 'abort') aborting.delete(reader.producerId);
      continue;
    }
    if (reader.transactional && aborting.has(reader.producerId)) continue;
    while (reader.nextRecord()) {
      if (reader.offset >= offset && visit(reader) === false) return reader.offset + 1;
    }
  }
  return next;
}
