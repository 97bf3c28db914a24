// A data file with something of everything in it, and all that can be read of it as text by name: as readers read, and as the engine does.
import { join } from 'node:path';
import { BIGINT, BOOLEAN, BYTES, DOUBLE, INTEGER, STRING, type Column, type Row } from '../../../src/core/data-type.js';
import { systemClock } from '../../../src/core/clock.js';
import { extent, extentSize, RecordSet } from '../../../src/core/record.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { OutboxTable } from '../../../src/store/sqlite/outbox-table.js';
import { openStateReader } from '../../../src/store/sqlite/state-reader.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { StateWriter, TableSpec } from '../../../src/store/state-store.js';
import { LogReader } from '../../../src/stream/embedded/log-reader.js';
import { TopicIndex } from '../../../src/stream/embedded/topic-index.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../../src/stream/embedded/embedded-log.js';
import { createDice, type Dice } from '../harness/dice.js';
import { buildChunk, recordsOf, type TestRecord } from '../chunk.js';

const columns: readonly Column[] = [
  { name: 'id', type: BIGINT },
  { name: 'part', type: STRING },
  { name: 'count', type: INTEGER },
  { name: 'big', type: BIGINT },
  { name: 'ratio', type: DOUBLE },
  { name: 'note', type: STRING },
  { name: 'bytes', type: BYTES },
  { name: 'at', type: { kind: 'TIMESTAMP', digits: 6 } },
  { name: 'flag', type: BOOLEAN },
  { name: 'price', type: { kind: 'DECIMAL', precision: 30, scale: 4 } },
];

const tables: readonly TableSpec[] = [[0], [1], [1, 0]].map((keyColumns, i) => ({
  id: i + 1,
  version: 1,
  name: `table${i + 1}`,
  schema: { columns, keyColumns },
}));

const stateSpec = {
  name: 'q1_join',
  key: [{ name: 'part', type: STRING }],
  value: [
    { name: 'count', type: INTEGER },
    { name: 'note', type: STRING },
  ],
};

const lookup = { columns: [{ name: 'note', text: true }] };
const topics = ['orders', 'parts'] as const;
const rounds = 12;
const keys = 220;

function rowOf(dice: Dice, key: number): Row {
  const orNull = <T>(value: T): T | null => (dice.chance(0.1) ? null : value);
  return [
    key,
    `part ${key} é`,
    orNull(dice.between(-5, 1_000_000)),
    orNull(dice.chance(0.5) ? 2n ** 60n + BigInt(dice.between(0, 1e6)) : dice.between(0, 1e6)),
    orNull(dice.pick([0, -0, 1.5, Number.NaN, -1e300, 3])),
    orNull('a note of some length, '.repeat(dice.between(0, dice.chance(0.02) ? 400 : 6))),
    orNull(Buffer.from(`bytes ${dice.between(0, 1e6)}`)),
    orNull(1_767_000_000_000_000 + dice.between(0, 1e9)),
    orNull(dice.chance(0.5)),
    orNull(BigInt(dice.between(0, 1e9)) * 10n ** 15n),
  ];
}

interface Parts {
  readonly database: SqliteDatabase;
  readonly log: EmbeddedLog;
  readonly store: StateWriter;
  readonly outbox: OutboxTable;
}

function openParts(path: string): Parts {
  const database = openDatabase(path, { durability: 'normal' });
  try {
    const log = openEmbeddedLog(database, { durability: 'normal' });
    const store = openStateStore(database, { logId: log.logId });
    return { database, log, store, outbox: new OutboxTable(database, systemClock) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Writes `writethrough.db` into the folder. */
export async function writeWholeFile(folder: string, seed: number): Promise<void> {
  const dice = createDice(seed);
  const { database, log, store, outbox } = openParts(join(folder, 'writethrough.db'));
  for (const name of topics) await log.createTopic({ name, partitions: 2, cleanup: 'compact' });
  const producer = await log.openProducer('connector');
  store.transaction(() => {
    for (const spec of tables) {
      store.createTable(spec);
      store.setLookups(spec, [lookup]);
      store.publish(spec);
    }
  });
  for (let round = 1; round <= rounds; round++) {
    const records = Array.from({ length: 60 }, (): TestRecord => {
      const key = dice.between(1, keys);
      const value = dice.chance(0.1) ? null : JSON.stringify(rowOf(dice, key), (_, each: unknown) => String(each));
      return { topic: dice.pick(topics), partition: key % 2, key: String(key), value };
    });
    await producer.write(buildChunk([...records, { end: { position: `gtid-${round}`, transactionId: `t:${round}` } }]));
    const group = log.queue.take(1);
    const reached = { ...store.frontier, seq: round, positions: { connector: `gtid-${round}` } };
    log.queue.confirm(
      store.transaction(() => writeRound({ database, log, store, outbox }, group, dice, round), reached),
    );
  }
  await log.close();
  database.close();
}

function writeRound(
  { log, store, outbox }: Parts,
  group: ReturnType<EmbeddedLog['queue']['take']>,
  dice: Dice,
  seq: number,
) {
  const written = log.write(group);
  const state = store.openState(stateSpec);
  let index = 0;
  for (const spec of tables) {
    const table = store.openTable(spec);
    for (let i = 0; i < 40; i++) {
      const row = rowOf(dice, dice.between(1, keys));
      const key = spec.schema.keyColumns.map((column) => row[column]!);
      const before = table.get(key) ?? null;
      const after = dice.chance(0.15) ? null : row;
      if (after === null && before === null) continue;
      if (after === null) table.delete(key);
      else table.put(after, 1_767_000_000_000 + seq, before ?? undefined);
      store.feed(spec.name, { seq, index: index++, before, after, rowtimeMs: seq, commitTimeUs: seq * 1000 });
    }
  }
  store.feedRebuilt('table1', seq);
  for (let i = 0; i < 30; i++) state.put([`part ${dice.between(1, keys)}`], [i, 'what a join keeps']);
  store.putDocument('source', `S${seq}`, JSON.stringify({ name: `S${seq}`, sql: 'CREATE TABLE x (id INT)' }));
  outbox.add({ seq, piece: 0, commitTimeUs: seq, records: derived(`a record that seq ${seq} has caused`) });
  return written;
}

function derived(value: string): RecordSet {
  const extents = new Int32Array(extentSize);
  extents[extent.keyLength] = -1;
  extents[extent.valueLength] = value.length;
  return new RecordSet({
    buffers: [Buffer.from(value)],
    topics: ['sink'],
    count: 1,
    extents,
    timestamps: Float64Array.of(5),
  });
}

/** What a read gave, or the error that it ended with. */
export type Answer = { readonly text: string } | { readonly error: unknown };

/** Everything, by the name of the read. */
export function readWhole(path: string): ReadonlyMap<string, Answer> {
  const answers = new Map<string, Answer>();
  const ask = (name: string, read: () => unknown): void => {
    try {
      answers.set(name, { text: print(read()) });
    } catch (error) {
      answers.set(name, { error });
    }
  };
  asReaders(path, ask);
  asEngine(path, ask);
  return answers;
}

type Ask = (name: string, read: () => unknown) => void;

function asReaders(path: string, ask: Ask): void {
  ask('readers', () => {
    const reader = openStateReader(path);
    try {
      for (const { name, schema } of tables) {
        for (let key = 0; key <= keys + 1; key++) {
          const row = [key, `part ${key} é`];
          ask(`${name} ${key}`, () => reader.point(name, () => schema.keyColumns.map((i) => row[i]!), 0).found);
        }
      }
      const session = reader.session();
      try {
        for (const { name } of tables) {
          ask(`${name} scan`, () => [...session.scan({ table: name })]);
          ask(`${name} feed`, () => session.changes(name, { seq: 0, index: Infinity }, 1e9));
          ask(`${name} description`, () => session.table(name).rowCount);
        }
        ask('documents', () => session.documents('source'));
        return session.frontier.seq;
      } finally {
        session.close();
      }
    } finally {
      reader.close();
    }
  });
}

function asEngine(path: string, ask: Ask): void {
  ask('engine', () => {
    const { database, log, store, outbox } = openParts(path);
    try {
      const reader = new LogReader(database, new TopicIndex(database));
      for (const topic of topics)
        for (const partition of [0, 1])
          ask(`records of ${topic} ${partition}`, () =>
            reader.readTopic(topic, partition, { offset: 0, limit: 10_000 }),
          );
      ask('appends', () => {
        const all: unknown[] = [];
        for (let after = 0; after < rounds;) {
          const group = log.readGroup(after);
          if (group.length === 0) break;
          for (const append of group) all.push([append.seq, append.position, recordsOf(append.records)]);
          after = group.at(-1)!.seq;
        }
        return all;
      });
      ask('position', () => reader.lastAppend('connector'));
      const state = store.openState(stateSpec);
      for (let key = 0; key <= keys; key++) ask(`state ${key}`, () => state.get([`part ${key}`]));
      ask('state scan', () => state.scan([]));
      for (const spec of tables) {
        const table = store.openTable(spec);
        ask(`${spec.name} pages`, () => table.scan(null, 10_000));
        for (const note of ['', 'a note of some length, '.repeat(3)])
          ask(`${spec.name} by index, ${note.length}`, () => table.find(lookup, [note], null, 10_000));
      }
      ask('outbox', () => {
        const groups: unknown[] = [];
        let after = { seq: 0, piece: -1 };
        for (let next = outbox.next(after); next !== undefined; next = outbox.next(after)) {
          groups.push([next.seq, next.records.topics, recordsOf(next.records)]);
          after = { seq: next.seq, piece: next.piece };
        }
        return groups;
      });
      return store.frontier.positions;
    } finally {
      database.close();
    }
  });
}

function print(value: unknown): string {
  return JSON.stringify(value ?? null, (_, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`;
    if (typeof each === 'number' && !Number.isFinite(each)) return String(each);
    return Object.is(each, -0) ? '-0' : each;
  });
}

/** Whether a read looks for what may not be there, with nothing that tells of what should be. */
export function mayMiss(name: string): boolean {
  return name.includes(' by index') || name.startsWith('state ') || name === 'appends';
}
