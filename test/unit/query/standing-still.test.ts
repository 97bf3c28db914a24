// A table that stands still, because it or its query failed or was paused, is answered as what it is: a cut of its own past. Its version,
// positions and age are those of where it stopped, on every way of reading it, and its change stream says so.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { producerName } from '../../../src/connect/naming.js';
import { SourceFreshness } from '../../../src/connect/source-freshness.js';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { opaquePositions } from '../../../src/core/position.js';
import { silentLogger } from '../../../src/core/logger.js';
import { parseEventId } from '../../../src/core/version.js';
import type { ChangeItem, Freshness } from '../../../src/query/query-facade.js';
import { QueryService } from '../../../src/query/query-service.js';
import { runReadTask } from '../../../src/query/read-task.js';
import { testCommitTimeUs } from '../../support/chunk.js';
import { TestEngine, until, type TestRow } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'v', type: BIGINT },
  { name: 'name', type: STRING },
];
const row = (id: number, name = ''): TestRow => ({ table: 'a', key: id, row: { id, v: id, name } });
/** Ours, and the commit time of every append of the test's source. */
const ageMs = 90_000;

let engine: TestEngine;
let lag: SourceFreshness;
let service: QueryService;
beforeEach(async () => {
  poisonQueries();
  engine = await new TestEngine().open();
  serve();
  await engine.capture('a', columns);
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
  vi.restoreAllMocks();
});

function serve(): void {
  const frontier = () => engine.session((session) => session.frontier);
  const nowMs = testCommitTimeUs / 1000 + ageMs;
  const clock = { nowMs: () => nowMs, nowUs: () => nowMs * 1000, monotonicMs: () => nowMs };
  lag = new SourceFreshness({ clock, frontier, keep: () => {} });
  lag.stands(engine.connector, { kind: 'followed' });
  lag.tables(engine.tableSources);
  engine.onTableSources = (tables) => lag.tables(tables);
  service = new QueryService({
    reader: engine.reader,
    runTask: async (task) => runReadTask(engine.reader, task, { resultBytesMax: 1e6, deadlineMs: 10_000 }),
    ages: lag,
    positions: opaquePositions,
    strict: false,
    logger: silentLogger,
  });
  const answering = service;
  engine.onCommitted = (seq) => answering.committed(seq);
}

/** The source says that it has handed over all that it has, and that is applied. */
function sourceIsCurrent(): void {
  const { seq } = engine.session(({ frontier }) => frontier);
  const nowMs = testCommitTimeUs / 1000 + ageMs;
  lag.heard(engine.connector, { state: { phase: 'streaming', caughtUp: true }, confirmed: { atMs: nowMs, seq } });
}

/** Of every way to read one table. */
async function freshnessOf(table: string): Promise<Freshness> {
  const signal = new AbortController().signal;
  const answers: readonly Freshness[] = [
    service.point(table, '1', 'strings'),
    service.point(table, '999', 'strings'),
    await service.read([{ table }], {}),
    await service.read([{ table, key: '1' }, { table }], {}),
    await service.select(`SELECT * FROM ${table};`, {}, { signal }),
    await service.select(`SELECT * FROM ${table} EMIT CHANGES LIMIT 1;`, {}, { signal }),
  ];
  const all = answers.map(({ version, position, lagMs }) => ({ version, position, lagMs }));
  for (const each of all) expect(each).toEqual(all[0]);
  const { tables } = await service.tables();
  const { freshness } = tables.find(({ name }) => name.toLowerCase() === table.toLowerCase())!;
  expect(freshness).toMatchObject(all[0]!);
  return all[0]!;
}

const seqOf = ({ version }: Freshness) => parseEventId(version).seq;
const positionOf = (at: number) => `${producerName(engine.connector)}=${at}`;

async function pause(table: string): Promise<void> {
  const { id } = (await engine.api.queries()).find(({ sink }) => sink === table)!;
  await engine.run(`PAUSE ${id};`);
}

describe('a table whose query failed', () => {
  it('has version, position and age of where it stopped, and so has what reads it; also after a restart', async () => {
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    await engine.run('CREATE TABLE behind AS SELECT id, v FROM bad;');
    const last = await engine.write([row(1)]);
    await engine.write([row(2, 'poison bad')]);
    await engine.write([row(3)]);
    const check = async () => {
      sourceIsCurrent();
      for (const table of ['bad', 'behind', 'BAD']) {
        const stopped = await freshnessOf(table);
        expect(stopped).toMatchObject({ position: positionOf(1), lagMs: ageMs });
        expect(seqOf(stopped)).toBe(last);
      }
      const live = await freshnessOf('a');
      expect(live.lagMs).toBe(0);
      expect(seqOf(live)).toBeGreaterThan(last);
    };
    await check();
    expect(await freshnessOf('a')).toMatchObject({ position: positionOf(3) });
    await engine.restart();
    serve();
    await check();
  });

  it('is live again when it is rebuilt', async () => {
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    await engine.write([row(1)]);
    await engine.write([row(2, 'poison bad')]);
    await engine.write([row(2)]);
    sourceIsCurrent();
    expect((await freshnessOf('bad')).lagMs).toBe(ageMs);
    await engine.api.rebuild('bad');
    await until(async () => (await engine.state('bad')) === 'RUNNING', 'it is rebuilt');
    expect(await freshnessOf('bad')).toEqual(await freshnessOf('a'));
  });
});

describe('a captured table that failed', () => {
  it('has version, position and age of where it stopped', async () => {
    await engine.capture('b');
    await engine.run('CREATE TABLE c AS SELECT id, name FROM b;');
    const last = await engine.write([{ table: 'b', key: 1, row: { id: 1, name: 'x' } }]);
    await engine.write([{ table: 'b', key: 2, row: { id: 'no number', name: 'y' } }]);
    await engine.write([row(1)]);
    sourceIsCurrent();
    for (const table of ['b', 'c']) {
      const stopped = await freshnessOf(table);
      expect(stopped).toMatchObject({ position: positionOf(1), lagMs: ageMs });
      expect(seqOf(stopped)).toBe(last);
    }
    expect((await freshnessOf('a')).lagMs).toBe(0);
  });
});

describe('a table whose query was paused', () => {
  it('has the version of the statement and what was applied before it, also in one commit with what comes behind', async () => {
    for (let i = 0; i < 8; i++) await engine.run(`CREATE TABLE p${i} AS SELECT id, v FROM a;`);
    let id = 1;
    await engine.write([row(id)]);
    for (let i = 0; i < 8; i++) {
      // Sent at once, so that rows and statement share commits now and then.
      const sent = [1, 2, 3].map(() => engine.send([row(++id)]));
      const paused = pause(`p${i}`);
      for (let n = 0; n < i; n++) await Promise.resolve();
      sent.push(...[1, 2, 3].map(() => engine.send([row(++id)])));
      await Promise.all([paused, ...sent]);
    }
    await engine.write([row(++id)]);
    sourceIsCurrent();
    for (let i = 0; i < 8; i++) {
      const stopped = await freshnessOf(`p${i}`);
      // Position n is that of the append which inserts row n.
      expect(stopped).toMatchObject({ position: positionOf(engine.rows(`p${i}`).length), lagMs: ageMs });
      expect(engine.session((session) => session.table(`p${i}`).frontier.seq)).toBe(seqOf(stopped));
    }
  });

  it('read together with others where that is allowed, the oldest of them counts', async () => {
    await engine.run('CREATE TABLE p AS SELECT id, v FROM a; CREATE TABLE q AS SELECT id, v FROM a;');
    await engine.write([row(1)]);
    await pause('p');
    await engine.write([row(2)]);
    await pause('q');
    await engine.write([row(3)]);
    sourceIsCurrent();
    const reads = ['a', 'q', 'p'].map((table) => ({ table }));
    await expect(service.read(reads, {})).rejects.toThrow(
      expect.objectContaining({ code: 'not-at-one-version', detail: expect.stringContaining('is paused') as unknown }),
    );
    const { pages, ...oldest } = await service.read(reads, { staleOk: true });
    expect(JSON.parse(pages.take().toString())).toMatchObject({ results: [{}, {}, { rows: [{ id: 1 }] }] });
    expect(oldest).toMatchObject(await freshnessOf('p'));
    expect(oldest.stale).toBe('detached');
    expect(oldest).toMatchObject({ position: positionOf(1), lagMs: ageMs });
    expect(await freshnessOf('q')).toMatchObject({ position: positionOf(2) });
  });
});

describe('the change stream of a table that stands still', () => {
  const stop = new AbortController();
  let events: AsyncIterator<readonly ChangeItem[]>;
  afterEach(() => events.return?.());
  const subscribe = (options: { readonly snapshot: boolean; readonly after?: string }) => {
    events = service.subscribe({ table: 'p', signal: stop.signal, ...options })[Symbol.asyncIterator]();
  };
  async function next(count: number): Promise<readonly ChangeItem[]> {
    const items: ChangeItem[] = [];
    while (items.length < count) items.push(...((await events.next()).value as readonly ChangeItem[]));
    return items;
  }
  const opsOf = (items: readonly ChangeItem[]) => items.map(({ op }) => op);

  beforeEach(async () => {
    await engine.run('CREATE TABLE p AS SELECT id, v FROM a;');
    await engine.write([row(1)]);
    sourceIsCurrent();
  });

  it('says so behind the current rows, with their version, and not that it is caught up', async () => {
    await pause('p');
    await engine.write([row(2)]);
    subscribe({ snapshot: true });
    const items = await next(2);
    expect(opsOf(items)).toEqual(['r', 'stopped']);
    const { version } = await freshnessOf('p');
    expect(JSON.parse(items[1]!.json)).toEqual({ id: items[1]!.id, op: 'stopped', version });
  });

  it('says so when it stops, goes on when it is rebuilt, and every id is a place to go on from', async () => {
    subscribe({ snapshot: true });
    expect(opsOf(await next(2))).toEqual(['r', 'caught-up']);
    await engine.write([row(2)]);
    await pause('p');
    await engine.write([row(3)]);
    const [created, stopped] = await next(2);
    expect([created!.op, stopped!.op]).toEqual(['c', 'stopped']);
    expect((JSON.parse(stopped!.json) as Freshness).version).toBe((await freshnessOf('p')).version);
    await events.return?.();

    subscribe({ snapshot: false, after: stopped!.id });
    expect(opsOf(await next(1))).toEqual(['stopped']);
    await engine.api.rebuild('p');
    expect(opsOf(await next(2))).toEqual(['c', 'rebuilt']);
    await engine.write([row(4)]);
    expect(opsOf(await next(1))).toEqual(['c']);
  });
});
