// The tap of topics for the HTTP server, over the engine's log.
import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';
import type { TapBytes, TapFacade } from '../server/tap-facade.js';
import type { EngineApi } from '../engine/engine-api.js';
import type { Remote } from '../threads/rpc.js';

export function tapOf(engine: Remote<EngineApi>): TapFacade {
  return {
    async topics() {
      return (await engine.topics()).map(({ name, cleanup, retentionMs = -1, retentionBytes = -1, offsets }) => ({
        name,
        cleanupPolicy: cleanup,
        retentionMs,
        retentionBytes,
        partitions: offsets.map(({ first, next }, partition) => ({
          partition,
          start: String(first),
          end: String(next),
        })),
      }));
    },
    async records({ topic, partition, offset, limit }) {
      const topics = await engine.topics();
      const found = topics.find(({ name }) => name === topic);
      if (!found) {
        // A topic of a captured table ends with the table's name, which is what people ask for first.
        const meant = topics.find(({ name }) => name.endsWith(`.${topic}`))?.name;
        throw new AppError('unknown-topic', `there is no topic "${topic}"`, {
          hint: meant === undefined ? 'GET /v1/topics lists the topics' : `did you mean "${meant}"?`,
        });
      }
      const place = found.offsets[partition];
      if (!place)
        throw new AppError(
          'bad-request',
          `topic "${topic}" has ${found.offsets.length} partitions, no partition ${partition}`,
        );
      const from =
        offset === undefined
          ? place.first
          : offset < 0n
            ? Math.max(place.first, place.next + Number(offset))
            : Number(offset);
      const records = await engine.readTopic(topic, partition, from, limit, bounds.tapBytes.value);
      const last = records.at(-1);
      return {
        records: records.map((record) => ({
          offset: String(record.offset),
          timestamp: record.timestampMs,
          key: shown(record.key),
          value: shown(record.value),
          headers: record.headers,
        })),
        nextOffset: String(last ? last.offset + 1 : Math.max(from, place.next)),
        endOffset: String(place.next),
      };
    },
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function shown(bytes: Uint8Array | null): TapBytes | null {
  if (bytes === null) return null;
  try {
    return { encoding: 'utf8', text: utf8.decode(bytes) };
  } catch {
    return { encoding: 'base64', text: Buffer.from(bytes).toString('base64') }; // not text: the other encoding says so
  }
}
