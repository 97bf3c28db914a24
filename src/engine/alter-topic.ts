// An alteration of a topic's settings on its way into the sequence. What the process's settings say is told by the append, since others
// that apply it may have other settings.
import type { AskedRetention } from '../core/topic-retention.js';
import type { DefinitionAppends } from './definition-appends.js';
import type { RetentionChanges } from './engine-api.js';

export async function alterTopic(
  definitions: DefinitionAppends,
  topic: string,
  { ms, bytes }: RetentionChanges,
  defaults: AskedRetention | undefined,
): Promise<void> {
  const retention = {
    ms: ms === 'default' ? (defaults?.ms ?? -1) : (ms ?? null),
    bytes: bytes === 'default' ? (defaults?.bytes ?? -1) : (bytes ?? null),
  };
  await definitions.appendFor(null, [topic], () => ({ kind: 'topic-altered', topic, retention }));
}
