// The law of subscriptions, over a whole engine: a stream that is broken off anywhere, inside an append, at the mark of a rebuild, in the
// middle of its snapshot, and goes on behind the last id, is the uninterrupted stream; snapshot plus changes folded is a later read.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BIGINT, STRING } from '../../../src/core/data-type.js';
import { toAppError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import { printVersion } from '../../../src/core/version.js';
import type { ChangeItem } from '../../../src/query/query-facade.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import { TestEngine, until, type TestRow } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';
import { alwaysCurrent } from '../../support/ages.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const columns = [
  { name: 'id', type: BIGINT },
  { name: 'v', type: BIGINT },
  { name: 'name', type: STRING },
];

/** Every bound small, so that pages, reads and the shared cache end in the middle of things. */
const limits = { readBytes: 40, snapshotBytes: 64 * 1024, snapshotPageRows: 2, cacheBytes: 300 };

class World {
  readonly engine = new TestEngine();
  subscriptions!: Subscriptions;

  async open(): Promise<void> {
    await this.engine.open();
    this.subscriptions = new Subscriptions(this.engine.reader, alwaysCurrent, silentLogger, limits);
    this.engine.onCommitted = () => this.subscriptions.wake();
    await this.engine.capture('a', columns);
    await this.engine.run('CREATE TABLE t AS SELECT id, v, name FROM a;');
  }

  version(): string {
    return this.engine.session(({ frontier }) => printVersion(frontier));
  }

  /** Everything from the place up to the newest commit. */
  async take(options: {
    table?: string;
    snapshot?: boolean;
    after?: string;
    most?: number;
    during?: () => Promise<unknown>;
  }): Promise<ChangeItem[]> {
    const stop = new AbortController();
    const items: ChangeItem[] = [];
    const { table = 't', snapshot = false, after, most = Number.POSITIVE_INFINITY, during } = options;
    let batches = 0;
    const stream = this.subscriptions.subscribe({ table, snapshot, after, signal: stop.signal });
    await stream.next();
    const reading = (async () => {
      for (;;) {
        const { value, done } = await stream.next();
        batches++;
        if (done === true) return;
        for (const item of value) if (items.length < most) items.push(item);
        if (items.length >= most) return;
        await during?.();
      }
    })();
    // At the end it sleeps until the next commit: some turns of the event loop without a batch say so.
    let quiet = 0;
    let seen = 0;
    await until(() => {
      quiet = seen === batches ? quiet + 1 : 0;
      seen = batches;
      return quiet > 20 || items.length >= most;
    }, 'the end of the stream');
    stop.abort();
    await reading;
    await stream.return(undefined);
    return items;
  }
}

interface Printed {
  readonly op: string;
  readonly key: string;
  readonly before: unknown;
  readonly after: { readonly id: string; readonly v: string; readonly name: string } | null;
}

function fold(items: readonly ChangeItem[], rows = new Map<string, unknown>()): Map<string, unknown> {
  for (const { json } of items) {
    const { key, after, op } = JSON.parse(json) as Printed;
    if (op === 'rebuilt' || op === 'caught-up') continue;
    if (after === null) rows.delete(String(key));
    else rows.set(String(key), [Number(after.id), Number(after.v), after.name]);
  }
  return rows;
}

const sorted = (rows: Map<string, unknown>) =>
  [...rows.values()].toSorted((a, b) => (a as number[])[0]! - (b as number[])[0]!);

let world: World;
beforeEach(async () => {
  poisonQueries();
  world = new World();
  await world.open();
});
afterEach(async () => {
  await world.engine.remove();
  vi.restoreAllMocks();
});

const ids = fc.integer({ min: 1, max: 7 });
const change = fc
  .tuple(ids, fc.option(fc.integer({ min: 0, max: 9 }), { nil: null }))
  .map(([id, v]): TestRow => ({ table: 'a', key: id, row: v === null ? null : { id, v, name: 'n' } }));
const appends = fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 8 });

describe(`a subscription (PROPERTY_SEED=${seed})`, () => {
  it('that goes on anywhere is the uninterrupted one, and folds to the table', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(appends, fc.boolean(), async (sequence, fails) => {
        const from = world.version();
        const { engine } = world;
        const base = new Map(engine.rows('t').map((row) => [String(row[0]), row as unknown]));
        for (const rows of sequence) await engine.write(rows);
        if (fails) {
          // The table misses changes; a rebuild tells them as differences, and then its mark.
          await engine.write([{ table: 'a', key: 8, row: { id: 8, v: 0, name: 'poison t' } }]);
          await engine.write([
            { table: 'a', key: 8, row: null },
            ...sequence[0]!.map((row) => ({ ...row, row: null })),
          ]);
          await engine.write([{ table: 'a', key: 9, row: { id: 9, v: sequence.length, name: 'n' } }]);
          await engine.api.rebuild('t');
          await until(async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'), 'rebuilt');
          await engine.write(sequence[0]!);
        }
        const all = await world.take({ after: from });
        expect(sorted(fold(all, base))).toEqual(engine.rows('t'));
        if (fails) expect(all.filter(({ op }) => op === 'rebuilt')).toHaveLength(1);
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        for (const [i, { id }] of all.entries()) {
          expect((await world.take({ after: id })).map((item) => item.json)).toEqual(
            all.slice(i + 1).map((item) => item.json),
          );
        }
      }),
      { seed, numRuns: 15, includeErrorInReport: true },
    );
  });

  it(
    'with a snapshot that is broken off anywhere, while changes go on, folds to the table',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(appends, fc.integer({ min: 1, max: 9 }), async (sequence, most) => {
          const { engine } = world;
          const left = [...sequence];
          const during = async () => {
            const rows = left.pop();
            if (rows) await engine.write(rows);
          };
          const first = await world.take({ snapshot: true, most, during });
          const rest = first.length === 0 ? [] : await world.take({ after: first.at(-1)!.id, during });
          while (left.length > 0) await during();
          const last = [...first, ...rest].at(-1);
          const end = last === undefined ? [] : await world.take({ after: last.id });
          expect(sorted(fold([...first, ...rest, ...end]))).toEqual(engine.rows('t'));
        }),
        { seed, numRuns: 25, includeErrorInReport: true },
      );
    },
  );

  it('several at one table, each at its own place, all get the same', async () => {
    const { engine } = world;
    const from = world.version();
    const stop = new AbortController();
    const got = Array.from({ length: 5 }, () => [] as string[]);
    const readers = got.map(async (list, i) => {
      for await (const items of world.subscriptions.subscribe({
        table: 't',
        snapshot: false,
        after: from,
        signal: stop.signal,
      })) {
        for (const { id } of items) list.push(id);
        for (let turn = 0; turn < i * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let n = 0; n < 60; n++)
      await engine.write([1, 2, 3].map((id) => ({ table: 'a', key: id, row: { id, v: n, name: 'n' } })));
    await until(() => got.every((list) => list.length === 180), 'all have all');
    stop.abort();
    await Promise.all(readers);
    for (const list of got) expect(list).toEqual(got[0]);
    expect(world.subscriptions.count).toBe(0);
  });

  it('ends when its table is dropped and made again, instead of printing one table as the other', async () => {
    const { engine } = world;
    const stream = world.subscriptions.subscribe({ table: 't', snapshot: false, signal: new AbortController().signal });
    await stream.next();
    const next = stream.next().then(
      () => 'more',
      (error: unknown) => toAppError(error).code,
    );
    await engine.run('DROP TABLE t; CREATE TABLE t AS SELECT name, COUNT(*) AS n FROM a GROUP BY name;');
    await engine.write([{ table: 'a', key: 1, row: { id: 1, v: 1, name: 'n' } }]);
    expect(['too-old', 'unknown-table']).toContain(await next);
  });

  it('is refused for what the feed no longer holds, for another log, and for the future', async () => {
    const { engine } = world;
    const refused = (after: string) =>
      world.subscriptions
        .subscribe({ table: 't', snapshot: false, after, signal: new AbortController().signal })
        .next()
        .then(
          () => 'ok',
          (error: unknown) => toAppError(error).code,
        );
    const [logId, seq] = world.version().split(':') as [string, string];
    expect(await refused(`${logId}:0`)).toBe('too-old');
    expect(await refused(`other:${seq}`)).toBe('too-old');
    expect(await refused(`${logId}:${Number(seq) + 1}`)).toBe('too-old');
    expect(await refused('nonsense')).toBe('bad-request');
    expect(await refused(`${logId}:${seq}`)).toBe('ok');
    expect(engine.failed).toBeUndefined();
  });
});

it('a snapshot that is broken off does not say that it has caught up', async () => {
  const { engine } = world;
  await engine.write([1, 2, 3, 4, 5].map((id) => ({ table: 'a', key: id, row: { id, v: 0, name: 'n' } })));
  const stop = new AbortController();
  const ops: string[] = [];
  for await (const items of world.subscriptions.subscribe({ table: 't', snapshot: true, signal: stop.signal })) {
    for (const { op } of items) ops.push(op);
    if (ops.length === 2) stop.abort();
  }
  expect(ops).toEqual(['r', 'r']);
});
