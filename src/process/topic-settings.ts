// The settings of topics for the HTTP server, over the engine.
import { AppError } from '../core/errors.js';
import { didYouMean } from '../core/nearest-name.js';
import { printLimit, type AskedRetention } from '../core/topic-retention.js';
import type { EngineApi, RetentionChanges } from '../engine/engine-api.js';
import type { SettingChanges, TopicsFacade } from '../server/topics-facade.js';
import type { Remote } from '../threads/rpc.js';

const keys = { 'retention.ms': 'ms', 'retention.bytes': 'bytes' } as const;

/** `defaults`: of new topics that are not compacted. */
export function topicSettingsOf(engine: Remote<EngineApi>, defaults: AskedRetention | undefined): TopicsFacade {
  return {
    async settings(name) {
      const topic = (await engine.topics()).find((each) => each.name === name);
      if (!topic) {
        throw new AppError('unknown-topic', `there is no topic "${name}"`, { hint: 'GET /v1/topics lists the topics' });
      }
      const { cleanup, retentionMs, retentionBytes } = topic;
      const limit = (key: keyof typeof keys, value: number | undefined) => {
        const usual = cleanup === 'compact' ? -1 : (defaults?.[keys[key]] ?? -1);
        return { name: key, value: printLimit(value), isDefault: (value ?? -1) === usual, isReadOnly: false };
      };
      return [
        { name: 'cleanup.policy', value: cleanup, isDefault: false, isReadOnly: true },
        limit('retention.ms', retentionMs),
        limit('retention.bytes', retentionBytes),
      ];
    },
    async alter(topic, changes) {
      await engine.alterTopic(topic, checkedChanges(changes));
    },
  };
}

function checkedChanges(changes: SettingChanges): RetentionChanges {
  const checked: { ms?: number | 'default'; bytes?: number | 'default' } = {};
  for (const [name, value] of Object.entries(changes)) {
    if (name !== 'retention.ms' && name !== 'retention.bytes') throw unknownSetting(name);
    checked[keys[name]] = value === null ? 'default' : limitOf(name, value);
  }
  return checked;
}

function limitOf(name: string, value: string): number {
  const limit = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(limit) && limit >= -1) return limit;
  throw new AppError('bad-topic-setting', `"${value}" is not a value of ${name}`, {
    hint: 'a whole number, or -1 for no limit',
    place: { path: name },
  });
}

function unknownSetting(name: string): AppError {
  const hint =
    name === 'cleanup.policy'
      ? 'it is decided when the topic is made: by the kind of its source, or by its connector'
      : (didYouMean(name, Object.keys(keys)) ?? 'retention.ms and retention.bytes can be set');
  return new AppError('bad-topic-setting', `${name} of a topic cannot be set here`, { hint, place: { path: name } });
}
