// The commit topic and its first record, which names the log. Whoever comes first makes both; a transactional id of their own
// sees to it that there is one first.
import { randomBytes } from 'node:crypto';
import { AppError } from '../../core/errors.js';
import type { AdminClient } from './admin-client.js';
import type { BrokerLink } from './broker-link.js';
import { headerOfLogStart, parseHeader, printHeader, type LogHeader } from './commit-record.js';
import { CommitTopic } from './commit-topic.js';
import { eachCommitted, fetchPartition } from './fetch-partition.js';
import { errorType } from './kafka-errors.js';
import { RecordBatch } from './record-batch.js';
import type { RecordReader } from './record-reader.js';
import type { TopicDirectory } from './topic-directory.js';
import { Transactions } from './transaction.js';

/** Positions can be long (sets of transaction ids), and a record holds those of up to 4,096 appends. */
const commitBytesMax = 16 * 1024 * 1024;
const noHeaders = Buffer.from([0]);

export function commitTopicName(serviceId: string): string {
  return `${serviceId}_commits`;
}

export async function createCommitTopic(admin: AdminClient, serviceId: string): Promise<void> {
  const topic = {
    topic: commitTopicName(serviceId),
    numPartitions: 1,
    configEntries: [
      { name: 'cleanup.policy', value: 'delete' },
      { name: 'retention.ms', value: '-1' },
      { name: 'retention.bytes', value: '-1' },
      { name: 'max.message.bytes', value: String(commitBytesMax) },
    ],
  };
  try {
    await admin.use((client) => client.createTopics({ topics: [topic] }));
  } catch (error) {
    if (errorType(error) !== 'TOPIC_ALREADY_EXISTS') throw error;
  }
}

export interface CommitTopicOptions {
  readonly serviceId: string;
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly follows: boolean;
  readonly signal: AbortSignal;
}

export async function openCommitTopic(options: CommitTopicOptions): Promise<CommitTopic> {
  const topic = commitTopicName(options.serviceId);
  const found = await readHeader(topic, options);
  if (found !== undefined) return found;
  if (options.follows)
    throw new AppError('log-unreachable', `the log "${options.serviceId}" is not there yet`, {
      hint: 'the process that leads the service makes it',
      retriable: true,
    });
  const transactions = await Transactions.begin(`${options.serviceId}-@log`, options);
  // Another one may have written it before it was fenced by this one's epoch.
  const meanwhile = await readHeader(topic, options);
  if (meanwhile !== undefined) return meanwhile;
  await writeHeader(topic, transactions);
  return openCommitTopic(options);
}

async function readHeader(topic: string, { link, directory }: CommitTopicOptions): Promise<CommitTopic | undefined> {
  const entry = await directory.get(topic);
  const { leaders } = entry;
  if (leaders.length !== 1)
    throw new AppError('log-foreign', `topic "${topic}" has ${leaders.length} partitions; a commit topic has one`);
  const leader = await directory.leader(topic, 0);
  const [start] = await link.listOffsets(leader, [{ topic, partition: 0 }], { at: 'start', committed: false });
  const end = await link.endOffset(leader, topic, 0, false);
  let found: { header: LogHeader; first: number; trimmed: boolean } | undefined;
  for (let at = start!; at < end && found === undefined;) {
    const options = { committed: true, waitMs: 100, bytesMax: 64 * 1024 };
    const part = await fetchPartition(link, directory, { topic, partition: 0, offset: at, ...options });
    if (part === undefined) break;
    // Behind a transaction that is still open: it may hold the header, and is decided soon.
    at = eachCommitted(part, at, (reader) => {
      found = firstRecord(reader, topic);
      return false;
    });
    if (found === undefined && part.lastStableOffset <= at && at < end) return undefined;
  }
  return found === undefined ? undefined : new CommitTopic(entry, found.header, found, directory);
}

function firstRecord(reader: RecordReader, topic: string) {
  const header = headerOfLogStart(reader.value());
  if (header === undefined)
    return { header: parseHeader(reader.value(), topic), first: reader.offset + 1, trimmed: false };
  if (header !== 'other commit') return { header, first: reader.offset, trimmed: true };
  throw new AppError('log-corrupt', `topic "${topic}" has lost its beginning`, {
    hint: 'set its retention.ms and retention.bytes to -1: only the option commits.retention.ms trims it so that it can be read',
  });
}

async function writeHeader(topic: string, transactions: Transactions): Promise<void> {
  const header: LogHeader = { logId: `k${randomBytes(9).toString('base64url')}`, base: 0 };
  const value = Buffer.from(printHeader(header));
  const batch = new RecordBatch(512);
  batch.add(Date.now(), value, 0, -1, 0, value.length, noHeaders, 1);
  await transactions.add([{ topic, partition: 0 }]);
  await transactions.produce([{ topic, partition: 0, batches: [batch], stored: () => {} }]);
  await transactions.commit();
}
