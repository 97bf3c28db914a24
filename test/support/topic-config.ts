// The settings of a topic as an engine tells them.
import type { EngineApi } from '../../src/engine/engine-api.js';

export async function settingsOf(api: EngineApi, topic: string) {
  const found = (await api.topics()).find(({ name }) => name === topic);
  if (!found) throw new Error(`there is no topic ${topic}`);
  const { cleanup, retentionMs = -1, retentionBytes = -1 } = found;
  return { cleanup, retentionMs, retentionBytes };
}
