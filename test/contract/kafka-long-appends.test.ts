// Appends that are longer than the memory for them, read from a real Kafka: whole, in order, exactly once, through a file that has no
// name, and within a bound of memory that does not depend on their length.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { RecordSet } from '../../src/core/record.js';
import type { Append } from '../../src/core/append.js';
import type { KafkaLog } from '../../src/stream/kafka/kafka-log.js';
import type { KafkaLogOptions } from '../../src/stream/kafka/kafka-log-options.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { appendChunk, buildChunk, kept, recordsOf, type TestRecord } from '../support/chunk.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const dist = resolve(import.meta.dirname, '../../dist');
const MB = 1024 * 1024;

let serviceId: string;
let spillFolder: string;
let log: KafkaLog;
let a: string;
let b: string;

beforeEach(async () => {
  serviceId = `long-${randomBytes(5).toString('hex')}`;
  spillFolder = mkdtempSync(join(tmpdir(), 'wt-long-'));
  if (servers.missing !== false) return;
  log = await open({ spillBytes: MB });
  [a, b] = [`${serviceId}.a`, `${serviceId}.b`];
  await log.createTopic({ name: a, partitions: 3, cleanup: 'delete' });
  await log.createTopic({ name: b, partitions: 1, cleanup: 'delete' });
});
afterEach(async () => {
  if (servers.missing === false) {
    await log.close();
    await deleteTopicsOf(servers.kafka.brokers, serviceId);
  }
  expect(readdirSync(spillFolder)).toEqual([]);
  rmSync(spillFolder, { recursive: true });
});

function open(options: Partial<KafkaLogOptions>): Promise<KafkaLog> {
  return openKafkaLog({ brokers: servers.kafka.brokers, serviceId, logger: silentLogger, spillFolder, ...options });
}

/** Record i of the long append: long stretches in one partition and quick changes between them, and few records in topic b. */
function record(i: number, valueBytes: number): TestRecord {
  const inB = i % 997 === 0;
  const partition = i % 5000 < 2500 ? Math.floor(i / 5000) % 3 : i % 3;
  const value = i % 50 === 0 ? null : String(i).padEnd(valueBytes, 'x');
  return { topic: inB ? b : a, partition: inB ? 0 : partition, key: `k${i}`, value };
}

/** One append of `count` records, given over in chunks, with a short one on either side. */
async function writeLong(count: number, valueBytes: number): Promise<void> {
  const producer = await log.openProducer('p');
  await producer.write(appendChunk('1', [{ topic: a, key: 'before', value: 'v' }]));
  for (let from = 0; from < count; from += 500) {
    const records = Array.from({ length: Math.min(500, count - from) }, (_, i) => record(from + i, valueBytes));
    const end = { end: { position: '2', transactionId: 'long' } };
    await producer.write(buildChunk(from + 500 < count ? records : [...records, end]));
  }
  await producer.write(appendChunk('3', [{ topic: b, key: 'after', value: 'v' }]));
  await producer.flush();
  await producer.close();
}

describe.skipIf(servers.missing)('a long append on Kafka', () => {
  it('is read whole, in order, once, and is usable until the next group is asked for', async () => {
    const count = 20_000;
    await writeLong(count, 600);
    const appends: Append[] = [];
    const spilled: Append[] = [];
    for await (const group of log.read(0, { follow: false })) {
      // The groups before this one are over.
      for (const { records } of spilled) expect(() => records.key(0)).toThrow(/after its file was closed/);
      expect(readdirSync(spillFolder)).toEqual([]);
      spilled.push(...group.filter(({ records }) => !(records instanceof RecordSet)));
      appends.push(...group.map(kept));
    }
    expect(spilled.map(({ position }) => position)).toEqual(['2']);
    expect(appends.map(({ position, transactionId }) => [position, transactionId])).toEqual([
      ['1', undefined],
      ['2', 'long'],
      ['3', undefined],
    ]);
    const { records } = appends[1]!;
    expect(records.count).toBe(count);
    const found = recordsOf(records);
    const next = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const { topic, partition, key, value } = found[i]!;
      expect({ topic, partition, key, value }).toEqual(record(i, 600));
      const place = `${topic}/${partition}`;
      const offset = records.offset(i)!;
      expect(offset).toBeGreaterThanOrEqual(next.get(place) ?? 0);
      next.set(place, offset + 1);
    }
    // The same without a file.
    const plain = await open({ spillFolder: undefined });
    const inMemory: Append[] = [];
    for await (const group of plain.read(0, { follow: false })) inMemory.push(...group);
    await plain.close();
    expect(inMemory.map(({ seq }) => seq)).toEqual(appends.map(({ seq }) => seq));
    expect(recordsOf(inMemory[1]!.records)).toEqual(found);
  });

  it('is read by topic, and passed over by who has it already', async () => {
    await writeLong(8_000, 600);
    const ofB: Append[] = [];
    for await (const group of log.read(0, { follow: false, topics: [b] })) ofB.push(...group.map(kept));
    expect(ofB.map(({ position }) => position)).toEqual(['1', '2', '3']);
    const wanted = Array.from({ length: 9 }, (_, i) => `k${i * 997}`);
    expect(recordsOf(ofB[1]!.records).map(({ key }) => key)).toEqual(wanted);
    const behind: Append[] = [];
    for await (const group of log.read(ofB[1]!.seq, { follow: false })) behind.push(...group);
    expect(behind.map(({ position }) => position)).toEqual(['3']);
  });

  it('lets go of its file when the reader stops in the middle of it', async () => {
    await writeLong(8_000, 600);
    let records: Append['records'] | undefined;
    for await (const group of log.read(0, { follow: true })) {
      records = group.find((append) => append.position === '2')?.records;
      if (records !== undefined) break;
    }
    expect(() => records!.key(0)).toThrow(/after its file was closed/);
  });

  it('is read in memory that does not grow with it', { timeout: 60_000 }, async () => {
    expect(existsSync(join(dist, 'stream/kafka/kafka-log.js')), 'the program is built: npm run build').toBe(true);
    const [count, valueBytes] = [100_000, 2_500];
    await writeLong(count, valueBytes);
    // A process of its own, so that its memory is the reader's.
    const child = join(import.meta.dirname, 'kafka-reader-child.mjs');
    const args = [child, dist, servers.kafka.brokers.join(','), serviceId, spillFolder];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const { records, bytes, grownBytes } = JSON.parse(stdout) as Record<string, number>;
    expect(records).toBe(count + 2);
    expect(bytes).toBeGreaterThan(240e6);
    // Measured: 25 to 40 MB, also for twice as much; a reader that holds the append grows by 180 MB and more.
    expect(grownBytes).toBeLessThan(100 * MB);
  });
});
