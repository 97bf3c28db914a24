// A transaction may be of any length: its changes come in the same order as those of many short ones, from every place in it, and neither
// the store nor a subscription holds more of it than a page.
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTEGER, STRING } from '../../../src/core/data-type.js';
import { silentLogger } from '../../../src/core/logger.js';
import type { ChangeItem } from '../../../src/query/query-facade.js';
import type { RowStep } from '../../../src/query/shown-rows.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openStateReader } from '../../../src/store/sqlite/state-reader.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { RowChange, StateReader, StateWriter, TableSpec } from '../../../src/store/state-store.js';
import { alwaysCurrent } from '../../support/ages.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const columns = [
  { name: 'id', type: INTEGER },
  { name: 'text', type: STRING },
];
const tables = ['long', 'short'].map((name, i): TableSpec => ({
  id: i + 1,
  version: 1,
  name,
  schema: { columns, keyColumns: [0] },
}));

let folder: string;
let database: SqliteDatabase;
let writer: StateWriter;
let reader: StateReader;
let subscriptions: Subscriptions;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-long-'));
  const path = join(folder, 'writethrough.db');
  database = openDatabase(path, { durability: 'normal' });
  writer = openStateStore(database, { logId: 'L' });
  commit(1, () => {
    for (const table of tables) {
      writer.createTable(table);
      writer.publish(table);
    }
  });
  reader = openStateReader(path);
  subscriptions = new Subscriptions(reader, alwaysCurrent, silentLogger);
});
afterEach(() => {
  reader.close();
  writer.close();
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function commit(seq: number, work: () => void): void {
  writer.transaction(
    () => {
      work();
    },
    { ...writer.frontier, seq },
  );
}

function feed(table: string, seq: number, index: number, id: number, text: string | null): void {
  const change: RowChange = {
    seq,
    index,
    before: text === null ? [id, 'before'] : null,
    after: text === null ? null : [id, text],
    rowtimeMs: 0,
    commitTimeUs: 0,
  };
  writer.feed(table, change);
}

/** Page by page, until so many have come. */
async function* pages(table: string, after: string, count: number): AsyncGenerator<readonly ChangeItem[]> {
  const stop = new AbortController();
  for await (const page of subscriptions.subscribe({ table, snapshot: false, after, signal: stop.signal })) {
    yield page;
    count -= page.length;
    if (count <= 0) return;
  }
}

async function take(table: string, after: string, count: number): Promise<ChangeItem[]> {
  const items: ChangeItem[] = [];
  if (count > 0) for await (const page of pages(table, after, count)) items.push(...page);
  return items;
}

/** Everything but the place, which tells the transaction. */
const content = (items: readonly ChangeItem[]) =>
  items.map(({ op, json }) => `${op} ${json.slice(json.indexOf('"key"'))}`);

describe(`a long transaction (PROPERTY_SEED=${seed})`, () => {
  it('gives what many short ones give, from every place in it', { timeout: 60_000 }, async () => {
    let seq = 1;
    const size = fc.oneof(fc.nat(20), fc.nat(20_000), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 50, maxLength: 150 }), async (sizes) => {
        const from = `L:${seq}`;
        const long = ++seq;
        commit(seq, () => {
          for (const [i, of] of sizes.entries()) feed('long', long, i, i, of === null ? null : 'x'.repeat(of));
        });
        for (const [i, of] of sizes.entries())
          commit(++seq, () => feed('short', seq, 0, i, of === null ? null : 'x'.repeat(of)));
        subscriptions.wake();
        const all = await take('long', from, sizes.length);
        expect(all.map(({ id }) => id)).toEqual(sizes.map((_, i) => `L:${long}.${i}`));
        expect(content(all)).toEqual(content(await take('short', from, sizes.length)));
        for (const [i, { id }] of all.entries())
          expect(await take('long', id, sizes.length - i - 1)).toEqual(all.slice(i + 1));
      }),
      { seed, numRuns: 8, includeErrorInReport: true },
    );
  });

  const count = 120_000;
  const textBytes = 300;
  /** Of what is alive while a page is handed out; the whole transaction takes more than ten times as much. */
  const liveBytesMax = 12 * 1024 * 1024;

  function writeLong(): void {
    commit(2, () => {
      for (let i = 0; i < count; i++) feed('long', 2, i, i, `${i}`.padEnd(textBytes, 'x'));
    });
  }

  function liveBytes(): number {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }

  /** Buffers are freed beside the thread, some time after the collection: those of the test before must not count for this one. */
  async function restingBytes(): Promise<number> {
    for (let last = liveBytes(); ;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      const now = liveBytes();
      if (now >= last) return now;
      last = now;
    }
  }

  it('is never held whole for its subscribers, of which some are slow', { timeout: 60_000 }, async () => {
    const before = await restingBytes();
    let most = Number.NEGATIVE_INFINITY;
    let page = 0;
    const measure = () => {
      if (page++ % 50 === 0) most = Math.max(most, liveBytes() - before);
    };
    const stop = new AbortController();
    const idle = subscriptions.subscribe({ table: 'long', snapshot: false, after: 'L:1', signal: stop.signal });
    await idle.next();
    const streams = [0, 1, 7].map(async (turns) => {
      let got = 0;
      for await (const items of pages('long', 'L:1', count)) {
        for (const { id } of items) expect(id).toBe(`L:2.${got++}`);
        if (items.length > 0) measure();
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      }
      return got;
    });
    writeLong();
    subscriptions.wake();
    expect(await Promise.all(streams)).toEqual([count, count, count]);
    expect((await idle.next()).value?.[0]?.id).toBe('L:2.0');
    measure();
    stop.abort();
    await idle.return(undefined);
    expect(most).not.toBe(Number.NEGATIVE_INFINITY);
    expect(most).toBeLessThan(liveBytesMax);
  });

  it('is never held whole for a push query', { timeout: 60_000 }, async () => {
    const before = await restingBytes();
    const stop = new AbortController();
    const stream = subscriptions.rows({ table: 'long', snapshot: false, signal: stop.signal });
    const first = stream.next();
    writeLong();
    subscriptions.wake();
    let got = 0;
    let most = Number.NEGATIVE_INFINITY;
    let page = 0;
    const take = (rows: readonly RowStep[]) => {
      for (const { after } of rows) expect(after?.[0]).toBe(got++);
      if (page++ % 50 === 0) most = Math.max(most, liveBytes() - before);
    };
    take((await first).value ?? []);
    while (got < count) take((await stream.next()).value ?? []);
    stop.abort();
    await stream.return(undefined);
    expect(most).toBeLessThan(liveBytesMax);
  });
});
