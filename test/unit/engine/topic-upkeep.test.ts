// The topics of Kafka between a definition's commit and the moment at which the brokers have followed.
import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.js';
import { TopicUpkeep, type TopicBroker } from '../../../src/engine/topic-upkeep.js';
import { WrittenTopics } from '../../../src/engine/written-topics.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { TopicDescription } from '../../../src/stream/event-log.js';

const there: TopicDescription = { name: 'old', partitions: 1, cleanup: 'delete', offsets: [{ first: 3, next: 9 }] };

/** Brokers that hold the topic `old`, and carry nothing out. */
function idleBrokers(): TopicBroker {
  const never = () => new Promise<never>(() => {});
  return {
    createTopic: never,
    alterTopic: never,
    deleteTopicOf: never,
    topics: async () => [there],
    seeTopic: async () => undefined,
    topicSettings: async () => ({ cleanup: 'delete' }),
    checkTopicName: () => {},
  };
}

it('lists topics as the definitions say it, before the brokers have followed', async () => {
  const state = openStateStore(openDatabase(':memory:'), { logId: 'l' });
  const written = new WrittenTopics(state);
  const topics = new TopicUpkeep({
    state,
    broker: idleBrokers(),
    written,
    isForeign: async () => false,
    logger: silentLogger,
    signal: new AbortController().signal,
    onDropped: () => {},
    settled: async () => {},
  });
  const names = async () => (await topics.shown()).map(({ name }) => name);
  state.transaction(() => topics.create({ name: 'new', partitions: 2, cleanup: 'compact', retentionMs: 5 }));
  expect(await topics.shown()).toEqual([
    there,
    {
      name: 'new',
      partitions: 2,
      cleanup: 'compact',
      retentionMs: 5,
      offsets: [
        { first: 0, next: 0 },
        { first: 0, next: 0 },
      ],
    },
  ]);
  state.transaction(() => topics.adopt('old', { partitions: 1, id: 'a', foreign: false }));
  expect(await names()).toEqual(['old', 'new']);
  state.transaction(() => topics.delete('old', 7));
  state.transaction(() => topics.delete('new', 8));
  expect(await names()).toEqual([]);
  // Again under the name of one whose records are still there: the new one is empty.
  state.transaction(() => topics.create({ name: 'old', partitions: 1, cleanup: 'delete' }));
  expect((await topics.shown()).map(({ name, offsets }) => [name, offsets])).toEqual([
    ['old', [{ first: 0, next: 0 }]],
  ]);
});
