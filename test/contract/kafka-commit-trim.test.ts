// The commit topic is trimmed behind what a retention keeps: whoever has applied what is gone goes on as before, and nobody else does.
import { randomBytes } from 'node:crypto';
import { cpSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toAppError } from '../../src/core/errors.js';
import { silentLogger } from '../../src/core/logger.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { appendChunk } from '../support/chunk.js';
import { commitsBeginAt, deleteTopicsOf } from '../support/kafka-admin.js';
import { KafkaEngine, type KafkaEngineOptions } from '../support/kafka-engine.js';
import { consoleConsumer } from '../support/servers/console-consumer.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');
const poll = { timeout: 60_000, interval: 50 };
/** Followers of the test must never be so far behind, on whatever machine. */
const commitsRetentionMs = 3000;

let serviceId: string;
let engines: KafkaEngine[] = [];
const name = (topic: string) => `${serviceId}.${topic}`;

function engine(options: Partial<KafkaEngineOptions> = {}): KafkaEngine {
  const made = new KafkaEngine({ brokers: servers.kafka.brokers, serviceId, ...options });
  engines.push(made);
  return made;
}

beforeEach(() => {
  serviceId = `trim-${randomBytes(5).toString('hex')}`;
});
afterEach(async () => {
  for (const each of engines) await each.remove();
  engines = [];
  if (servers.missing === false) await deleteTopicsOf(servers.kafka.brokers, serviceId);
});

/** A table, and a stream with a query over it that derives nothing while only the table is written. */
async function define(leader: KafkaEngine): Promise<void> {
  await leader.run(`
    CREATE TABLE base (id INT PRIMARY KEY, v INT) WITH (KAFKA_TOPIC='${name('base')}', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='${name('s')}', VALUE_FORMAT='JSON', PARTITIONS=1);
    CREATE STREAM d WITH (KAFKA_TOPIC='${name('d')}') AS SELECT k, v FROM s EMIT CHANGES;`);
}

let next = 0;
const write = (leader: KafkaEngine) => leader.run(`INSERT INTO base (id, v) VALUES (${next % 5}, ${next++});`);

/** Writes to the table until the commit topic begins behind this offset. */
async function trimmedBehind(leader: KafkaEngine, offset: number): Promise<number> {
  for (const deadlineMs = performance.now() + poll.timeout; performance.now() < deadlineMs;) {
    await write(leader);
    const start = await commitsBeginAt(servers.kafka.brokers, serviceId);
    if (start > offset) return start;
  }
  return expect.fail(`the commit topic is not trimmed behind ${offset}`);
}

async function derived(atLeast: number) {
  const records = await consoleConsumer({ brokers: servers.kafka.brokers, topic: name('d'), atLeast });
  return records.map(({ value }) => (JSON.parse(value!) as { readonly v: number }).v);
}

describe.skipIf(servers.missing)('the commit topic', () => {
  it('loses what is older than its retention; leader, followers and restored folders go on, those before it are told', async () => {
    const leader = await engine().open();
    await define(leader);
    const behind = await engine({ role: 'follower' }).open();
    const follower = await engine({ role: 'follower' }).open();
    for (let v = 0; v < 3; v++) await leader.run(`INSERT INTO s (k, v) VALUES ('k', ${v});`);
    await expect.poll(() => leader.unsent(), poll).toBe(0);
    await expect.poll(() => behind.seq(), poll).toBe(leader.seq());
    await behind.stop();
    await leader.restart({ commitsRetentionMs });
    const first = await trimmedBehind(leader, 0);

    // Everybody who has applied what is gone goes on, and nothing that was derived before is written again.
    await leader.restart();
    await write(leader);
    const restored = engine({ commitsRetentionMs });
    await leader.stop();
    cpSync(leader.folder, restored.folder, { recursive: true });
    await restored.open();
    await restored.run(`INSERT INTO s (k, v) VALUES ('k', 3);`);
    await trimmedBehind(restored, first);
    expect(await derived(4)).toEqual([0, 1, 2, 3]);
    await expect.poll(() => follower.rows('base'), poll).toEqual(restored.rows('base'));
    await restored.restart();
    await restored.run(`INSERT INTO s (k, v) VALUES ('k', 4);`);
    expect(await derived(5)).toEqual([0, 1, 2, 3, 4]);
    expect([restored.failed, follower.failed]).toEqual([undefined, undefined]);

    // Who has not gets an error that says what to do, and never other rows.
    const told = { code: 'too-old', hint: expect.stringContaining('copy of the data folder') as string };
    await behind.open();
    await expect.poll(() => behind.failed, poll).toMatchObject(told);
    const empty = await engine({ role: 'follower' }).open();
    await expect.poll(() => empty.failed, poll).toMatchObject(told);
    expect(empty.seq()).toBe(0);
  });

  it('a rebuild that would replay what is gone is refused, and the table stays; one over tables goes on working', async () => {
    const leader = await engine({ commitsRetentionMs }).open();
    await define(leader);
    await leader.run(`CREATE TABLE sums WITH (KAFKA_TOPIC='${name('sums')}') AS SELECT id, v * 2 AS w FROM base;`);
    await trimmedBehind(leader, 0);
    const rows = leader.rows('base');
    const outcome = async (table: string) => {
      await leader.api.rebuild(table);
      const ended = async () => (await leader.api.rebuilds()).find((each) => each.table === table);
      await expect.poll(async () => (await ended())?.state, poll).toMatch(/done|failed/);
      return ended();
    };
    expect(await outcome('base')).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('no longer holds') as string,
    });
    expect(await outcome('sums')).toMatchObject({ state: 'done' });
    expect(leader.rows('base')).toEqual(rows);
    expect(leader.failed).toBeUndefined();
  });

  it('a producer that was silent since before goes on where it stood, if a frontier tells; else it is refused', async () => {
    const leader = await engine({ commitsRetentionMs }).open();
    await define(leader);
    const open = (known: boolean) =>
      openKafkaLog({
        brokers: servers.kafka.brokers,
        serviceId,
        logger: silentLogger,
        ...(known ? { knownPositions: knownNow } : {}),
      });
    let knownNow = await leader.api.knownPositions();
    const log = await open(true);
    const silent = await log.openProducer('silent');
    await silent.write(appendChunk('1', []));
    const seq = await silent.flush();
    await expect.poll(() => leader.seq(), poll).toBeGreaterThanOrEqual(seq);
    await log.close();
    // A seq is the offset of its commit record times 4096.
    await trimmedBehind(leader, Math.floor(seq / 4096));
    knownNow = await leader.api.knownPositions();
    const later = await open(true);
    expect((await later.openProducer('silent')).position).toBe('1');
    await later.close();
    const blind = await open(false);
    const refused = await blind.openProducer('never-seen').catch((error: unknown) => toAppError(error));
    expect(refused).toMatchObject({ code: 'too-old' });
    await blind.close();
  });

  it('is kept whole where nobody asks for anything else', async () => {
    const leader = await engine().open();
    await define(leader);
    for (let i = 0; i < 5; i++) await write(leader);
    const late = await engine({ role: 'follower' }).open();
    await expect.poll(() => late.seq(), poll).toBe(leader.seq());
    expect(await commitsBeginAt(servers.kafka.brokers, serviceId)).toBe(0);
    expect(late.rows('base')).toEqual(leader.rows('base'));
  });
});
