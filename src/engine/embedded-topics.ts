// Topics of the embedded log: rows of the engine's own file, so what a definition does to them commits or is rolled back with it.
import type { EmbeddedLog } from '../stream/embedded/embedded-log.js';
import type { EngineTopics } from './engine-topics.js';

export function embeddedTopics(log: EmbeddedLog): EngineTopics {
  return {
    shared: false,
    shown: () => log.topics(),
    find: (name) => log.findTopic(name),
    isEmpty: (name) => log.topicIsEmpty(name),
    lostSeq: (name) => log.topicLostSeq(name),
    create: (spec) => log.createTopicNow(spec),
    alter: (name, limits) => log.alterTopicNow(name, limits),
    delete: (name) => log.deleteTopicNow(name),
    adopt: (name) => {
      throw new Error(`topic ${name} of the embedded log is nobody else's`);
    },
    release: () => {},
    made: () => {},
    settled: () => {},
    dropped: () => {},
    see: async () => undefined,
    ready: async () => {},
    stateOf: (name) => (log.findTopic(name) ? 'made' : undefined),
    start: () => {},
  };
}
