// The registry's entries as records of a compacted topic, appended like everything else.
import { AppError } from '../core/errors.js';
import type { SchemaStore, SchemaStoreEntry } from '../registry/schema-store.js';
import type { EventLog } from '../stream/event-log.js';
import type { LocalAppends } from './local-appends.js';

const pageRecords = 1_000;

export async function openSchemaTopic(
  log: EventLog,
  topic: string,
  /** Undefined: another process writes it, and makes it. */
  appends: (() => LocalAppends) | undefined,
  nowUs: () => number,
): Promise<SchemaStore> {
  if (appends) await log.createTopic({ name: topic, partitions: 1, cleanup: 'compact' });
  return {
    async load() {
      const entries: SchemaStoreEntry[] = [];
      const description = (await log.topics()).find(({ name }) => name === topic);
      if (description === undefined) return entries;
      let { first } = description.offsets[0]!;
      const { next } = description.offsets[0]!;
      while (first < next) {
        const page = await log.readTopic(topic, 0, first, pageRecords);
        if (page.length === 0) break;
        for (const { key, value } of page)
          entries.push({ key: key!.toString(), value: value === null ? null : value.toString() });
        first = page.at(-1)!.offset + 1;
      }
      return entries;
    },
    async append({ key, value }) {
      const record = { topic, partition: 0, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) };
      if (!appends) throw new AppError('not-leader', 'this process follows the log and registers nothing');
      await appends().append({ records: [record], commitTimeUs: nowUs() });
    },
  };
}
