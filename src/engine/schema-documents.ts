// The registry's entries: documents of the store, told in the topic `_schemas` as records of a query are, for other registries and
// consumers. A data folder of before has its entries in the topic alone, and takes them over once.
import type { Catalog } from '../catalog/catalog.js';
import type { SchemaStore, SchemaStoreEntry } from '../registry/schema-store.js';
import type { StateWriter } from '../store/state-store.js';
import type { EventLog } from '../stream/event-log.js';

const kind = 'schema-entry';
const pageRecords = 1_000;

export interface SchemaDocumentsEnv {
  readonly state: StateWriter;
  /** Tells an entry in the topic, with the open transaction. */
  readonly tell: (key: Buffer, value: Buffer | null) => void;
}

export function schemaDocuments({ state, tell }: SchemaDocumentsEnv): SchemaStore {
  return {
    load: () => state.documents(kind).map(({ name, json }) => ({ key: name, value: json })),
    put({ key, value }) {
      if (value === null) state.deleteDocument(kind, key);
      else state.putDocument(kind, key, value);
      tell(Buffer.from(key), value === null ? null : Buffer.from(value));
    },
    maxId: () => (JSON.parse(state.getDocument('catalog', 'registry') ?? '{}') as { maxId?: number }).maxId ?? 0,
    keepMaxId: (maxId) => state.putDocument('catalog', 'registry', JSON.stringify({ maxId })),
  };
}

/** The topic of a stream or table whose records are read by the schemas of a subject. */
export function topicWithSchemas(catalog: Catalog, subject: string): string | undefined {
  const topic = subject.replace(/-(?:key|value)$/, '');
  if (topic === subject) return undefined;
  return catalog.all().some(({ properties }) => properties.topic === topic) ? `topic ${topic}` : undefined;
}

/** At start, before anything is applied. */
export async function takeOverSchemas(log: EventLog, topic: string, state: StateWriter): Promise<void> {
  if (state.getDocument('catalog', 'registry') !== undefined) return;
  const entries = state.frontier.seq === 0 ? [] : await readEntries(log, topic);
  state.transaction(() => {
    for (const { key, value } of entries) if (value !== null) state.putDocument(kind, key, value);
    for (const { key, value } of entries) if (value === null) state.deleteDocument(kind, key);
    state.putDocument('catalog', 'registry', '{}');
  });
}

/** The newest of each key. */
async function readEntries(log: EventLog, topic: string): Promise<readonly SchemaStoreEntry[]> {
  const entries = new Map<string, SchemaStoreEntry>();
  const described = (await log.topics()).find(({ name }) => name === topic);
  const { first, next } = described?.offsets[0] ?? { first: 0, next: 0 };
  for (let offset = first; offset < next;) {
    const page = await log.readTopic(topic, 0, offset, pageRecords);
    if (page.length === 0) break;
    for (const { key, value } of page)
      entries.set(key!.toString(), { key: key!.toString(), value: value?.toString() ?? null });
    offset = page.at(-1)!.offset + 1;
  }
  return [...entries.values()];
}
