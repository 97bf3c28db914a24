// Settings of a topic that is there, changed by an append of their own: what the definitions before it have left decides, on every
// process alike. What others write is theirs to set.
import { AppError } from '../core/errors.js';
import { nothingAsked, retentionOf } from '../core/topic-retention.js';
import type { ApplierEnv } from './applier-env.js';
import { assertNotInternal } from './definition-checks.js';
import type { Definition } from './definition.js';

type AlterTopic = Extract<Definition, { readonly kind: 'topic-altered' }>;

export function alterTopic(
  { topics, catalog, serviceId }: ApplierEnv,
  { topic: name, retention }: AlterTopic,
  seq: number,
): void {
  const topic = topics.find(name);
  if (!topic) {
    throw new AppError('unknown-topic', `there is no topic "${name}" that a statement or a connector has made`, {
      hint: 'GET /v1/topics lists the topics',
    });
  }
  assertNotInternal(name, serviceId);
  if (catalog.all().some(({ properties, imported }) => imported && properties.topic === name)) {
    throw new AppError('bad-topic-setting', `topic ${name} is written by others`, { hint: 'set it where it is made' });
  }
  const limited = (retention.ms ?? -1) >= 0 ? 'retention.ms' : (retention.bytes ?? -1) >= 0 ? 'retention.bytes' : null;
  if (topic.cleanup === 'compact' && limited !== null) {
    throw new AppError('bad-topic-setting', `topic ${name} is compacted, so it loses nothing by age or size`, {
      hint: 'captured topics are made with cleanup.policy=delete of their connector; the topic of a table is always compacted',
      place: { path: limited },
    });
  }
  const has = { ms: topic.retentionMs ?? null, bytes: topic.retentionBytes ?? null };
  const limits = retentionOf({ ms: retention.ms ?? has.ms, bytes: retention.bytes ?? has.bytes }, nothingAsked);
  topics.alter(name, limits, seq);
}
