// The contract of the event log, run by the one on Kafka against a real broker; each test has a log of its own on it.
import { randomBytes } from 'node:crypto';
import { describe } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { openKafkaLog } from '../../src/stream/kafka/kafka-log.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { eventLogContract, type EventLogHarness } from './event-log.js';

const servers = await sharedServers('kafka');

function createHarness(): Promise<EventLogHarness> {
  const serviceId = `contract-${randomBytes(5).toString('hex')}`;
  const stops = new Map<unknown, AbortController>();
  return Promise.resolve({
    async open() {
      const stop = new AbortController();
      const { brokers } = servers.kafka;
      const log = await openKafkaLog({ brokers, serviceId, logger: silentLogger, signal: stop.signal });
      stops.set(log, stop);
      return log;
    },
    abandon(log) {
      stops.get(log)!.abort();
      return Promise.resolve();
    },
    name: (name) => `${serviceId}-${name}`,
    dispose: () => deleteTopicsOf(servers.kafka.brokers, serviceId),
  });
}

describe.skipIf(servers.missing)('on Kafka', () => {
  eventLogContract('the Kafka log', createHarness);
});
