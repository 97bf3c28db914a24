// Single records of one partition, as a tap shows them: committed ones only, whoever wrote them.
import { AppError } from '../../core/errors.js';
import { readHeaders } from '../../core/record-headers.js';
import type { TapRecord } from '../event-log.js';
import { tapRecordBytes } from '../tap-record.js';
import type { BrokerLink } from './broker-link.js';
import { eachCommitted, fetchPartition } from './fetch-partition.js';
import type { RecordReader } from './record-reader.js';
import type { TopicDirectory } from './topic-directory.js';

export interface TapRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly limit: number;
  /** Of keys and values; the first record comes however long it is. */
  readonly bytesMax: number;
  /** What lies before it is durable, or will be decided, so it must be seen. */
  readonly durableEnd: number;
}

const fetchBytesMax = 1024 * 1024;
/** How long at most until the markers of a transaction that has been committed are there. */
const markerWaitMs = 100;

export async function readTap(link: BrokerLink, directory: TopicDirectory, request: TapRequest): Promise<TapRecord[]> {
  const { topic, partition, limit, bytesMax, durableEnd } = request;
  const { leaders } = await directory.get(topic);
  if (partition < 0 || partition >= leaders.length) {
    throw new AppError(
      'unknown-topic',
      `topic "${topic}" has ${leaders.length} partitions, so none with number ${partition}`,
    );
  }
  const records: TapRecord[] = [];
  let bytes = 0;
  for (let at = request.offset; records.length < limit && bytes < bytesMax;) {
    const waitMs = at < durableEnd ? markerWaitMs : 0;
    const part = await fetchPartition(link, directory, {
      topic,
      partition,
      offset: at,
      committed: true,
      waitMs,
      bytesMax: fetchBytesMax,
    });
    if (part === undefined) {
      const leader = await directory.leader(topic, partition);
      const [start] = await link.listOffsets(leader, [{ topic, partition }], { at: 'start', committed: true });
      if (at >= start!) break;
      at = start!;
      continue;
    }
    at = eachCommitted(part, at, (reader) => {
      const record = tapRecord(topic, partition, reader);
      records.push(record);
      bytes += tapRecordBytes(record);
      return records.length < limit && bytes < bytesMax;
    });
    if (at >= part.lastStableOffset && at >= durableEnd) break;
  }
  return records;
}

/** Per partition, behind the last record that is replicated. */
export async function tapEnds(link: BrokerLink, directory: TopicDirectory, topic: string): Promise<readonly number[]> {
  const { leaders } = await directory.get(topic);
  const end = async (partition: number) =>
    link.endOffset(await directory.leader(topic, partition), topic, partition, false);
  return Promise.all(leaders.map((_, partition) => end(partition)));
}

function tapRecord(topic: string, partition: number, reader: RecordReader): TapRecord {
  const { offset, timestampMs } = reader;
  // Copies: a tap keeps a few records, and views would keep all that was fetched.
  return {
    topic,
    partition,
    offset,
    timestampMs,
    key: copied(reader.key()),
    value: copied(reader.value()),
    headers: readHeaders(reader.source, reader.headersStart, reader.headerCount),
  };
}

function copied(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
