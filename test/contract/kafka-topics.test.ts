// What the log on Kafka promises beyond the contract: ordinary records that Kafka's own console consumer reads, fencing between
// processes, sinks, appends of any size, and errors that name the setting.
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { Kafka, logLevel, type ITopicConfig } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DerivedNumber } from '../../src/core/derived.js';
import { silentLogger } from '../../src/core/logger.js';
import { RecordSet } from '../../src/core/record.js';
import type { KafkaLog } from '../../src/stream/kafka/kafka-log.js';
import type { KafkaLogOptions } from '../../src/stream/kafka/kafka-log-options.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { kafkaDeadlines } from '../../src/stream/kafka/kafka-url.js';
import { appendChunk, buildChunk, recordsOf, testCommitTimeUs, type TestRecord } from '../support/chunk.js';
import { deleteTopicsOf, withKafkaAdmin } from '../support/kafka-admin.js';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { readAll } from './event-log.js';

const servers = await sharedServers('kafka');

let serviceId: string;
const logs: KafkaLog[] = [];

function open(options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> {
  const opening = openKafkaLog({ brokers: servers.kafka.brokers, serviceId, logger: silentLogger, ...options });
  return opening.then((log) => {
    logs.push(log);
    return log;
  });
}

beforeEach(() => {
  serviceId = `topics-${randomBytes(5).toString('hex')}`;
});
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close();
  if (servers.missing === false) await deleteTopicsOf(servers.kafka.brokers, serviceId);
});

function createRaw(topic: ITopicConfig): Promise<boolean> {
  return withKafkaAdmin(servers.kafka.brokers, (admin) => admin.createTopics({ topics: [topic] }));
}

async function withTopic(partitions = 1): Promise<{ log: KafkaLog; topic: string }> {
  const log = await open();
  const topic = `${serviceId}.t`;
  await log.createTopic({ name: topic, partitions, cleanup: 'delete' });
  return { log, topic };
}

/** The records of an append as a set, for those who hand over whole appends. */
function recordSet(records: readonly TestRecord[], timestamps?: readonly number[]): RecordSet {
  const { data, topics, extents, recordCount } = appendChunk('x', records);
  return new RecordSet({
    buffers: [Buffer.from(data.buffer, data.byteOffset, data.byteLength)],
    topics,
    extents,
    count: recordCount,
    timestamps: timestamps === undefined ? undefined : Float64Array.from(timestamps),
  });
}

describe.skipIf(servers.missing)('a log on Kafka', () => {
  it('writes records that any consumer can read', async () => {
    const { log, topic } = await withTopic();
    const producer = await log.openProducer('p');
    await producer.write(
      appendChunk(
        '1',
        [
          { topic, key: 'k1', value: 'välue', op: 'u' },
          { topic, key: 'k2', value: null },
        ],
        { transactionId: 'gtid:7' },
      ),
    );
    await producer.flush();
    const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic });
    expect(records.map(({ key, value, timestamp, headers }) => ({ key, value, timestamp, headers }))).toEqual([
      {
        key: 'k1',
        value: 'välue',
        timestamp: Math.floor(testCommitTimeUs / 1000),
        headers: { op: 'u', order: '0', gtid: 'gtid:7', 'commit-time-us': String(testCommitTimeUs) },
      },
      {
        key: 'k2',
        value: null,
        timestamp: Math.floor(testCommitTimeUs / 1000),
        headers: { op: 'd', order: '1', gtid: 'gtid:7', 'commit-time-us': String(testCommitTimeUs) },
      },
    ]);
    const commits = await consoleConsumer({ brokers: servers.kafka.brokers, topic: `${serviceId}_commits` });
    expect(JSON.parse(commits[0]!.value!)).toMatchObject({ format: 'writethrough-commits/1', logId: log.logId });
    expect(commits.at(-1)!.key).toBe('p');
    expect(JSON.parse(commits.at(-1)!.value!)).toMatchObject({
      p: '1',
      parts: [[topic, expect.any(String), 0, [0, 2]]],
    });
  });

  it('fences a producer that another process has, also in the middle of its work', async () => {
    const { log, topic } = await withTopic();
    const first = await log.openProducer('p');
    let durable = 0;
    first.onDurable((position) => (durable = Number(position)));
    let failure: unknown;
    const writing = (async () => {
      for (let n = 1; failure === undefined; n++) {
        await first
          .write(appendChunk(String(n), [{ topic, key: 'k', value: String(n) }]))
          .catch((error: unknown) => (failure = error));
        await new Promise((done) => setImmediate(done));
      }
    })();
    await expect.poll(() => durable, { timeout: 20_000 }).toBeGreaterThan(20);
    const other = await open();
    const told = durable;
    const second = await other.openProducer('p');
    const start = Number(second.position);
    expect(start).toBeGreaterThanOrEqual(told);
    for (let n = start + 1; n <= start + 50; n++)
      await second.write(appendChunk(String(n), [{ topic, key: 'k', value: String(n) }]));
    await second.flush();
    await writing;
    expect(failure).toMatchObject({ code: 'producer-fenced' });
    const numbers = Array.from({ length: start + 50 }, (_, i) => String(i + 1));
    expect((await readAll(log, 0)).map((append) => append.position)).toEqual(numbers);
    const seen = await consoleConsumer({ brokers: servers.kafka.brokers, topic });
    expect(seen.map((record) => record.value)).toEqual(numbers);
  });

  it('keeps derived records out of the sequence, tagged with the seq that caused them', async () => {
    const { log, topic } = await withTopic();
    const sink = `${serviceId}.sink`;
    await log.createTopic({ name: sink, partitions: 1, cleanup: 'compact' });
    const producer = await log.openProducer('p');
    await producer.write(appendChunk('1', [{ topic, key: 'k', value: 'v' }]));
    const seq = await producer.flush();
    const sinks = await log.openSinkProducer();
    expect(sinks.position).toEqual({ seq: 0, piece: 0 });
    const told: DerivedNumber[] = [];
    sinks.onDurable((durable) => told.push(durable));
    await sinks.write({
      seq,
      piece: 1,
      commitTimeUs: 5_000_000,
      records: recordSet([{ topic: sink, key: 'k', value: 'derived' }]),
    });
    await sinks.flush();
    await sinks.close();
    expect(told).toEqual([{ seq, piece: 1 }]);
    expect(await log.headSeq()).toBe(seq);
    expect((await readAll(log, 0)).map((append) => append.seq)).toEqual([seq]);
    expect((await (await open()).openSinkProducer()).position).toEqual({ seq, piece: 1 });
    expect(await log.sinkPosition()).toEqual({ kind: 'number', number: { seq, piece: 1 } });
    const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic: sink });
    expect(records.map(({ value, timestamp, headers }) => [value, timestamp, headers['seq']])).toEqual([
      ['derived', 5000, String(seq)],
    ]);
  });

  it('gives records their own timestamps back, as far ahead as they may be', async () => {
    const { log, topic } = await withTopic();
    const producer = await log.openAppendProducer('statements');
    const times = [1, 4_102_444_800_000, 1_700_000_000_000];
    await producer.append({
      position: null,
      commitTimeUs: testCommitTimeUs,
      records: recordSet(
        times.map((time) => ({ topic, key: String(time), value: 'v' })),
        times,
      ),
    });
    await producer.append({
      position: null,
      commitTimeUs: testCommitTimeUs,
      records: recordSet([{ topic, key: 'k', value: 'v' }]),
    });
    await producer.flush();
    const [first, second] = await readAll(log, 0);
    expect([...first!.records.timestamps!]).toEqual(times);
    expect(first!.position).toBeNull();
    expect(second!.records.timestamps).toBeUndefined();
    expect((await log.readTopic(topic, 0, 0, 10)).map((record) => record.timestampMs)).toEqual([
      ...times,
      Math.floor(testCommitTimeUs / 1000),
    ]);
    expect(await log.producerPosition('statements')).toBeNull();
  });

  it('takes an append that is larger than its memory for it', async () => {
    const { log, topic } = await withTopic(3);
    const producer = await log.openProducer('p');
    await producer.write(appendChunk('1', [{ topic, key: 'before', value: 'v' }]));
    const filler = 'x'.repeat(20_000);
    const chunks = 60;
    for (let c = 0; c < chunks; c++) {
      const records = Array.from({ length: 20 }, (_, i) => ({
        topic,
        partition: i % 3,
        key: `${c}-${i}`,
        value: filler,
      }));
      await producer.write(
        buildChunk(c < chunks - 1 ? records : [...records, { end: { position: '2', transactionId: 'big' } }]),
      );
    }
    await producer.write(appendChunk('3', [{ topic, key: 'after', value: 'v' }]));
    await producer.flush();
    const [before, large, after] = await readAll(log, 0);
    expect([before!.position, large!.position, after!.position]).toEqual(['1', '2', '3']);
    expect(large!.transactionId).toBe('big');
    expect(recordsOf(large!.records).map((record) => record.key)).toEqual(
      Array.from({ length: chunks * 20 }, (_, i) => `${Math.floor(i / 20)}-${i % 20}`),
    );
    expect(large!.records.timestamps).toBeUndefined();
    // The same, but never ended: nobody sees anything of it.
    for (let c = 0; c < chunks; c++) {
      await producer.write(
        buildChunk(Array.from({ length: 20 }, (_, i) => ({ topic, key: `open-${c}-${i}`, value: filler }))),
      );
    }
    await producer.close();
    const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic });
    expect(records.filter(({ key }) => key!.startsWith('open'))).toEqual([]);
    expect(records).toHaveLength(chunks * 20 + 2);
  });

  it.each([
    ['value', { value: 'x'.repeat(2000) }],
    ['headers', { value: 'v', headers: { long: 'x'.repeat(2000) } }],
  ])(
    'refuses a record over max.message.bytes by its %s, naming both, and stores nothing of its append',
    async (_, record) => {
      const { log } = await withTopic();
      const small = `${serviceId}.small`;
      await createRaw({
        topic: small,
        numPartitions: 1,
        configEntries: [{ name: 'max.message.bytes', value: '2000' }],
      });
      const producer = await log.openProducer('p');
      await producer.write(
        appendChunk(
          '1',
          Array.from({ length: 50 }, (_, i) => ({ topic: small, key: `k${i}`, value: 'x'.repeat(300) })),
        ),
      );
      await producer.flush();
      await expect(
        producer.write(
          appendChunk('2', [
            { topic: small, key: 'a', value: 'v' },
            { topic: small, key: 'b', ...record },
          ]),
        ),
      ).rejects.toMatchObject({
        code: 'record-too-large',
        message: expect.stringMatching(new RegExp(`max.message.bytes .*2000.*${small}`)) as string,
      });
      await expect(producer.flush()).rejects.toMatchObject({ code: 'record-too-large' });
      expect((await log.openProducer('p')).position).toBe('1');
      expect(await log.readTopic(small, 0, 0, 100)).toHaveLength(50);
    },
  );

  it('refuses a topic and a partition that are not there', async () => {
    const { log, topic } = await withTopic(2);
    const producer = await log.openProducer('p');
    await expect(
      producer.write(appendChunk('1', [{ topic, partition: 2, key: 'k', value: 'v' }])),
    ).rejects.toMatchObject({
      code: 'unknown-topic',
    });
    const next = await log.openProducer('p');
    await expect(
      next.write(appendChunk('1', [{ topic: `${serviceId}.nope`, key: 'k', value: 'v' }])),
    ).rejects.toMatchObject({
      code: 'unknown-topic',
    });
  });

  it('looks for positions only behind what the reader knows already', async () => {
    const { log, topic } = await withTopic();
    for (const name of ['p', 'q']) {
      const producer = await log.openProducer(name);
      await producer.write(appendChunk(`${name}1`, [{ topic, key: 'k', value: 'v' }]));
      await producer.flush();
    }
    const seq = await log.headSeq();
    const producer = await log.openProducer('q');
    await producer.write(appendChunk('q2', [{ topic, key: 'k', value: 'v' }]));
    await producer.flush();
    const again = await open({ knownPositions: { seq, positions: { p: 'p1', q: 'q1' } } });
    expect(await again.producerPosition('p')).toBe('p1');
    expect(await again.producerPosition('q')).toBe('q2');
    expect((await again.openProducer('p')).position).toBe('p1');
    expect((await again.openProducer('q')).position).toBe('q2');
    expect((await again.openProducer('new')).position).toBeNull();
  });

  it('finds a position that lies far behind other producers’ commits', async () => {
    const { log, topic } = await withTopic();
    const quiet = await log.openProducer('quiet');
    await quiet.write(appendChunk('far', [{ topic, key: 'k', value: 'v' }]));
    await quiet.flush();
    const busy = await log.openProducer('busy');
    for (let n = 0; n < 300; n++) {
      await busy.write(appendChunk(String(n)));
      await busy.flush();
    }
    expect(await (await open()).producerPosition('quiet')).toBe('far');
    expect((await (await open()).openProducer('quiet')).position).toBe('far');
  });

  it('does not take the records of a new topic for those of an earlier one of its name', async () => {
    const { log, topic } = await withTopic();
    const producer = await log.openProducer('p');
    await producer.write(appendChunk('1', [{ topic, key: 'old', value: 'v' }]));
    await producer.flush();
    await log.deleteTopic(topic);
    await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' });
    await producer.write(appendChunk('2', [{ topic, key: 'new', value: 'v' }]));
    await producer.flush();
    expect((await readAll(log, 0)).map((append) => recordsOf(append.records).map((record) => record.key))).toEqual([
      [],
      ['new'],
    ]);
  });

  it('tells a reader whose records are gone, and nobody else', async () => {
    const { log, topic } = await withTopic();
    const other = `${serviceId}.other`;
    await log.createTopic({ name: other, partitions: 1, cleanup: 'delete' });
    const producer = await log.openProducer('p');
    for (let n = 1; n <= 5; n++) {
      await producer.write(
        appendChunk(String(n), [
          { topic, key: `k${n}`, value: 'v' },
          { topic: other, key: `k${n}`, value: 'v' },
        ]),
      );
      await producer.flush();
    }
    const appends = await readAll(log, 0);
    const third = appends[2]!;
    await withKafkaAdmin(servers.kafka.brokers, async (admin) => {
      await admin.fetchTopicOffsets(topic); // it must have met the topic before
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: String(third.records.offset(0)! + 1) }],
      });
    });
    await expect(readAll(log, 0)).rejects.toMatchObject({ code: 'too-old' });
    await expect(readAll(log, appends[1]!.seq)).rejects.toMatchObject({ code: 'too-old' });
    expect(await readAll(log, third.seq)).toHaveLength(2);
    expect(await readAll(log, 0, [other])).toHaveLength(5);
    const description = (await log.topics()).find(({ name }) => name === topic)!;
    expect((await log.readTopic(topic, 0, 0, 10)).map((record) => record.key?.toString())).toEqual(['k4', 'k5']);
    expect(description.offsets[0]!.first).toBe(third.records.offset(0)! + 1);
  });

  it('reads a compacted topic: what is left, in its order', async () => {
    const log = await open();
    const [topic, plain] = [`${serviceId}.compacted`, `${serviceId}.plain`];
    await createRaw({
      topic,
      numPartitions: 1,
      configEntries: Object.entries({
        'cleanup.policy': 'compact',
        'segment.bytes': '1048576',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'delete.retention.ms': '100',
      }).map(([name, value]) => ({ name, value })),
    });
    await log.createTopic({ name: plain, partitions: 1, cleanup: 'delete' });
    const producer = await log.openProducer('p');
    for (let n = 0; n < 40; n++) {
      await producer.write(
        appendChunk(
          String(n),
          [
            { topic, key: `k${n % 4}`, value: `v${n}` },
            { topic: plain, key: `x${n}`, value: 'v' },
          ],
          { commitTimeUs: Date.now() * 1000 },
        ),
      );
      await producer.flush();
    }
    const before = await readAll(log, 0);
    // A segment is closed when something comes after its time; the one that is open is never compacted.
    let n = 40;
    const left = async () => {
      await producer.write(
        appendChunk(String(n), [{ topic, key: 'last', value: `${n}` }], { commitTimeUs: Date.now() * 1000 }),
      );
      n++;
      await producer.flush();
      return (await log.readTopic(topic, 0, 0, 1000)).filter((record) => record.key?.toString() !== 'last').length;
    };
    await expect.poll(left, { timeout: 90_000, interval: 500 }).toBe(4);
    const appends = (await readAll(log, 0)).slice(0, 40);
    expect(appends.map((append) => append.seq)).toEqual(before.map((append) => append.seq));
    expect(appends.map((append) => recordsOf(append.records).map((record) => record.value))).toEqual(
      before.map((_, i) => (i < 36 ? ['v'] : [`v${i}`, 'v'])),
    );
    expect(appends.slice(36).map((append) => append.records.offset(0))).toEqual(
      before.slice(36).map((append) => append.records.offset(0)),
    );
    const spilling = await open({ spillFolder: tmpdir(), spillBytes: 1 });
    const spilled = (await readAll(spilling, 0)).slice(0, 40);
    expect(spilled.map((append) => append.seq)).toEqual(appends.map((append) => append.seq));
    expect(spilled.map((append) => recordsOf(append.records))).toEqual(
      appends.map((append) => recordsOf(append.records)),
    );
  });

  it('does not take a topic for its own that somebody else has filled', async () => {
    const topic = `${serviceId}_commits`;
    await createRaw({ topic, numPartitions: 1 });
    const producer = new Kafka({
      brokers: [...servers.kafka.brokers],
      clientId: 'test',
      logLevel: logLevel.NOTHING,
    }).producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'something else' }] });
    await producer.disconnect();
    await expect(open()).rejects.toMatchObject({ code: 'log-foreign' });
  });

  it('is the same log for all who open it at once', async () => {
    const opened = await Promise.all([open(), open(), open()]);
    expect(new Set(opened.map((log) => log.logId)).size).toBe(1);
    expect(await opened[0]!.headSeq()).toBe(0);
  });

  it('says that no broker answers, and that it may be tried again', async () => {
    await expect(open({ brokers: ['127.0.0.1:1'], deadlines: { ...kafkaDeadlines, call: 300 } })).rejects.toMatchObject(
      {
        code: 'log-unreachable',
        retriable: true,
      },
    );
  });
});
