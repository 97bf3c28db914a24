// Reads a topic through Kafka's own console consumer: the independent view that tests compare ours with.
// How it knows that it has read everything: the consumer commits its position every 50 ms as a group of its own, and a
// position moves past transaction markers and aborted records, too; once it stands at the end that each partition had
// when the call began, every record before it has been printed. An idle time-out would lose records on a slow machine.
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { tail } from './command.js';
import { consumerArgs, parseRecords, type ConsoleRecord } from './console-format.js';
import type { KafkaAddress } from './kafka.js';
import { kafkaCommand, kafkaTool } from './kafka-jars.js';

export interface ConsoleConsumerOptions {
  brokers: KafkaAddress['brokers'];
  topic: string;
  /** Default: read_committed. */
  isolation?: 'read_committed' | 'read_uncommitted';
  /** Wait until at least so many records are there, not only for the end of now. */
  atLeast?: number;
  timeoutMs?: number;
}

/** Records of the topic from its beginning, in offset order within each partition; open transactions are not waited for. */
export async function consoleConsumer(options: ConsoleConsumerOptions): Promise<ConsoleRecord[]> {
  const { topic, isolation = 'read_committed', atLeast = 0, timeoutMs = 60_000 } = options;
  const brokers = [...options.brokers];
  const deadline = Date.now() + timeoutMs;
  const group = `console-${randomBytes(6).toString('hex')}`;
  const admin = new Kafka({ clientId: group, brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const ends = await endOffsets(admin, options);
    if (atLeast === 0 && ends.size === 0) return [];
    const consumer = await startConsumer(
      brokers,
      consumerArgs({ brokers, topic, isolation, group, idleMs: timeoutMs }),
    );
    try {
      for (;;) {
        const behind = await partitionsBehind(admin, group, topic, ends);
        const records = behind.length === 0 ? parseRecords(consumer.output()) : [];
        if (behind.length === 0 && records.length >= atLeast) return records;
        if (consumer.ended()) throw new Error(`the console consumer ended early:\n${tail(consumer.errors())}`);
        if (Date.now() > deadline) {
          const state = behind.length === 0 ? `${records.length} of ${atLeast} records` : behind.join(', ');
          throw new Error(
            `topic ${topic} was not read to its end in ${timeoutMs} ms: ${state}` +
              (isolation === 'read_committed' && atLeast > 0 ? ' (is a transaction still open?)' : ''),
          );
        }
        await sleep(50);
      }
    } finally {
      await consumer.stop();
    }
  } finally {
    await admin.disconnect();
  }
}

/**
 * The end of every partition that holds something, as a reader of that isolation sees it: up to the first transaction
 * that is still open (what kafkajs asks for, whatever its field is called), or up to the high watermark.
 */
async function endOffsets(admin: Admin, options: ConsoleConsumerOptions): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(options.topic);
  const filled = offsets
    .filter(({ low, high }) => low !== high)
    .map(({ partition, high }) => [partition, high] as const);
  const ends = options.isolation === 'read_uncommitted' ? await highWatermarks(options) : filled;
  return new Map(ends.map(([partition, end]) => [Number(partition), BigInt(end)]));
}

/** Partitions that hold something, open transactions included. */
async function highWatermarks({ brokers, topic }: ConsoleConsumerOptions): Promise<[string, string][]> {
  const ask = async (time: string): Promise<[string, string][]> => {
    const args = ['--bootstrap-server', brokers.join(','), '--topic-partitions', topic, '--time', time];
    const printed = await kafkaTool('org.apache.kafka.tools.GetOffsetShell', args);
    return [...printed.matchAll(/:(\d+):(\d+)$/gm)].map(([, partition = '', offset = '']) => [partition, offset]);
  };
  const [first, last] = await Promise.all([ask('earliest'), ask('latest')]);
  return last.filter(([partition, end]) => !first.some(([other, start]) => other === partition && start === end));
}

async function partitionsBehind(
  admin: Admin,
  group: string,
  topic: string,
  ends: ReadonlyMap<number, bigint>,
): Promise<string[]> {
  let positions = new Map<number, bigint>();
  try {
    const [answer] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    positions = new Map(answer?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]));
  } catch {
    // A broker that has just started answers only after its coordinator has loaded.
  }
  return [...ends]
    .filter(([partition, end]) => (positions.get(partition) ?? -1n) < end)
    .map(([partition, end]) => `partition ${partition} at ${positions.get(partition) ?? 'the start'} of ${end}`);
}

interface Consumer {
  output(): string;
  errors(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

async function startConsumer(brokers: readonly string[], args: readonly string[]): Promise<Consumer> {
  const [file = 'java', ...rest] = await kafkaCommand('org.apache.kafka.tools.consumer.ConsoleConsumer', args);
  const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  child.on('error', (error) =>
    errors.push(Buffer.from(`${file} does not start for ${brokers.join()}: ${error.message}`)),
  );
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    output: () => Buffer.concat(output).toString('utf8'),
    errors: () => Buffer.concat(errors).toString('utf8'),
    ended,
    stop: async () => {
      if (ended()) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL'); // nothing to save: the group is of this call alone
      await gone;
    },
  };
}
