// A producer is opened although a topic of its last transaction goes at that very moment: what had to be decided there is gone with it.
import { randomBytes } from 'node:crypto';
import { afterEach, expect, it, describe, vi } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import { openKafkaLog } from '../../src/stream/kafka/open-kafka-log.js';
import { TopicDirectory } from '../../src/stream/kafka/topic-directory.js';
import { appendChunk } from '../support/chunk.js';
import { deleteTopicsOf, withKafkaAdmin } from '../support/kafka-admin.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('kafka');

describe.skipIf(servers.missing)('a topic that goes while a producer is opened that has written it', () => {
  afterEach(() => vi.restoreAllMocks());

  it('keeps nobody from opening it, at the position of before', async () => {
    const { brokers } = servers.kafka;
    const serviceId = `vanish-${randomBytes(5).toString('hex')}`;
    const topic = `${serviceId}.t`;
    const log = await openKafkaLog({ brokers, serviceId, logger: silentLogger });
    try {
      await log.createTopic({ name: topic, partitions: 1, cleanup: 'delete' });
      const before = await log.openProducer('p');
      await before.write(appendChunk('1', [{ topic, key: 'k', value: 'v' }]));
      await before.flush();
      await before.close();

      let gone = false;
      // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
      const find = TopicDirectory.prototype.find;
      vi.spyOn(TopicDirectory.prototype, 'find').mockImplementation(async function (this: TopicDirectory, name) {
        const entry = await find.call(this, name);
        if (name !== topic || gone) return entry;
        gone = true;
        await withKafkaAdmin(brokers, (admin) => admin.deleteTopics({ topics: [topic] }));
        // Another producer has met trouble, so everybody asks anew.
        this.doubt();
        return entry;
      });
      const after = await log.openProducer('p');
      expect(gone).toBe(true);
      expect(after.position).toBe('1');
    } finally {
      await log.close();
      await deleteTopicsOf(brokers, serviceId);
    }
  });
});
