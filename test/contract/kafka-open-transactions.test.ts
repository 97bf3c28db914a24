// What a dead producer has left open in the commit topic holds nobody up who begins to lead.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import type { KafkaLog } from '../../src/stream/kafka/kafka-log.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { appendChunk } from '../support/chunk.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');

describe.skipIf(servers.missing)('a transaction that was left open', () => {
  let serviceId: string;
  let log: KafkaLog;
  let dead: Producer;

  beforeEach(async () => {
    serviceId = `open-${randomBytes(5).toString('hex')}`;
    log = await openKafkaLog({ brokers: servers.kafka.brokers, serviceId, logger: silentLogger });
    const kafka = new Kafka({ brokers: [...servers.kafka.brokers], logLevel: logLevel.NOTHING });
    dead = kafka.producer({
      transactionalId: `${serviceId}-dead`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 300_000,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await dead.connect();
  });
  afterEach(async () => {
    await dead.disconnect();
    await log.close();
    await deleteTopicsOf(servers.kafka.brokers, serviceId);
  });

  it('is ended by who begins to lead, and all that lies behind it is seen at once', async () => {
    const transaction = await dead.transaction();
    await transaction.send({ topic: `${serviceId}_commits`, messages: [{ key: 'dead', value: '{}' }] });
    const topic = `${serviceId}.t`;
    await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' });
    const producer = await log.openProducer('alive');
    await producer.write(appendChunk('1', [{ topic, key: 'k', value: 'v' }]));
    const seq = await producer.flush();
    await log.endOpenTransactions();
    // Else only the time-out of the transaction would end the waiting.
    expect(await log.headSeq()).toBe(seq);
    await expect(transaction.commit()).rejects.toThrow();
    // Nothing is open any more.
    await log.endOpenTransactions();
  });
});
