// The contract of the event log, run by the one on Kafka against a real broker; each test has a log of its own on it. Once as it is,
// and once with so small a bound that every append is read through a spill file.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { deleteTopicsOf } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { eventLogContract, type EventLogHarness } from './event-log.js';

const servers = await sharedServers('kafka');

function createHarness(spillBytes: number | undefined): Promise<EventLogHarness> {
  const serviceId = `contract-${randomBytes(5).toString('hex')}`;
  const stops = new Map<unknown, AbortController>();
  const spillFolder = mkdtempSync(join(tmpdir(), 'wt-contract-'));
  return Promise.resolve({
    async open() {
      const stop = new AbortController();
      const { brokers } = servers.kafka;
      const options = { brokers, serviceId, logger: silentLogger, signal: stop.signal, spillFolder, spillBytes };
      const log = await openKafkaLog(options);
      stops.set(log, stop);
      return log;
    },
    abandon(log) {
      stops.get(log)!.abort();
      return Promise.resolve();
    },
    name: (name) => `${serviceId}-${name}`,
    async dispose() {
      expect(readdirSync(spillFolder)).toEqual([]);
      rmSync(spillFolder, { recursive: true });
      await deleteTopicsOf(servers.kafka.brokers, serviceId);
    },
  });
}

describe.skipIf(servers.missing)('on Kafka', () => {
  eventLogContract('the Kafka log', () => createHarness(undefined));
  eventLogContract('the Kafka log, reading through spill files,', () => createHarness(1));
});
