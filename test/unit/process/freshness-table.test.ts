// Every state of a source against every way of asking how fresh its rows are: what is frozen, behind or unknown is called fresh by none.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceFreshness } from '../../../src/connect/source-freshness.js';
import type { StoredMoment } from '../../../src/connect/source-facts.js';
import type { Age } from '../../../src/core/freshness.js';
import { silentLogger } from '../../../src/core/logger.js';
import { opaquePositions } from '../../../src/core/position.js';
import { StatusService } from '../../../src/process/status-service.js';
import { QueryService } from '../../../src/query/query-service.js';
import { runReadTask } from '../../../src/query/read-task.js';
import type { SourceReport, SourceState } from '../../../src/source/source-connector.js';
import { testCommitTimeUs } from '../../support/chunk.js';
import { TestEngine, until } from '../../support/engine.js';

const ageMs = 90_000;
const readyLagMs = 30_000;
const dayMs = 86_400_000;

let engine: TestEngine;
let world: World;

/** One process's view of an engine, on clocks that stand until they are moved. */
class World {
  nowMs: number;
  monotonicMs: number;
  kept: StoredMoment | undefined;
  readonly freshness: SourceFreshness;
  readonly query: QueryService;
  readonly status: StatusService;

  constructor(nowMs: number, monotonicMs: number, kept?: StoredMoment) {
    this.nowMs = nowMs;
    this.monotonicMs = monotonicMs;
    this.freshness = new SourceFreshness({
      clock: { nowMs: () => this.nowMs, nowUs: () => this.nowMs * 1000, monotonicMs: () => this.monotonicMs },
      frontier: () => engine.session((session) => session.frontier),
      keep: (moment) => (this.kept = moment),
    });
    if (kept) this.freshness.restore([kept]);
    this.freshness.tables(engine.tableSources);
    engine.onTableSources = (tables) => this.freshness.tables(tables);
    this.freshness.stands('c', { kind: 'followed' });
    this.query = new QueryService({
      reader: engine.reader,
      runTask: async (task) => runReadTask(engine.reader, task, { resultBytesMax: 1e6, deadlineMs: 10_000 }),
      ages: this.freshness,
      positions: opaquePositions,
      strict: false,
      logger: silentLogger,
    });
    engine.onCommitted = (seq) => this.query.committed(seq);
    this.status = new StatusService({
      failure: { error: undefined } as never,
      engine: engine.api as never,
      connectors: { statuses: () => Promise.resolve([]) } as never,
      query: this.query,
      path: '/nowhere',
      logId: 'l',
      serviceId: 's',
      undecided: () => undefined,
      leadership: () => ({ role: 'leader', leader: null }),
      freshness: this.freshness,
      readyLagMs,
      readyStanding: 'count',
    });
    this.status.started();
  }

  get seq(): number {
    return engine.session(({ frontier }) => frontier.seq);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.monotonicMs += ms;
  }

  says(state: SourceState, more: Omit<SourceReport, 'state'> = {}): void {
    this.freshness.heard('c', { state, ...more });
  }

  /** The source's clock is ahead of ours by so much. */
  connects(aheadMs = 0): void {
    const sourceUs = (this.nowMs + aheadMs) * 1000;
    this.says({ phase: 'streaming', caughtUp: false }, { clock: { sourceUs, atMs: this.monotonicMs } });
  }

  /** All that was committed until now is applied, and nothing comes. */
  rests(seq = this.seq): void {
    this.says({ phase: 'streaming', caughtUp: true }, { confirmed: { atMs: this.monotonicMs, seq } });
  }

  restart(): void {
    world = new World(this.nowMs, 5_000, this.kept);
  }
}

beforeEach(async () => {
  engine = await new TestEngine().open();
  world = new World(testCommitTimeUs / 1000, 1_000_000);
  await engine.capture('a');
  await engine.run('CREATE TABLE derived AS SELECT id, name FROM a;');
  await engine.write([{ table: 'a', key: 1, row: { id: 1, name: 'x' } }]);
  await until(
    () => engine.tableSources.some(({ name, connectors }) => name === 'derived' && connectors[0] === 'c'),
    'told',
  );
});
afterEach(async () => {
  await engine.remove();
});

interface Said {
  readonly lags: readonly number[];
  readonly stale: readonly (string | undefined)[];
  readonly mark: string;
  readonly ready: boolean;
  readonly reason: string | undefined;
}

/** What all ways of asking say of a table. */
async function said(table: string): Promise<Said> {
  const { query, status } = world;
  const stop = new AbortController();
  const answers = [
    query.point(table, '1', 'strings'),
    await query.read([{ table }], {}),
    await query.select(`SELECT * FROM ${table};`, {}, { signal: stop.signal }),
    (await query.tables()).tables.find(({ name }) => name === table)!.freshness,
  ];
  const marks: string[] = [];
  for await (const items of query.subscribe({ table, snapshot: true, signal: stop.signal })) {
    marks.push(...items.map(({ op }) => op).filter((op) => op !== 'r'));
    if (marks.length > 0) break;
  }
  const { tables } = await status.status();
  const { lagMs } = tables.find(({ name }) => name === table)!;
  const gauges = await status.metrics();
  const gauge = gauges.find(
    ({ name, labels }) => name === 'writethrough_table_lag_seconds' && labels['table'] === table,
  )!;
  const { ready, reason } = status.readiness();
  return {
    lags: [...answers.map((answer) => answer.lagMs), lagMs, gauge.value * 1000],
    stale: answers.map((answer) => answer.stale),
    mark: marks[0]!,
    ready,
    reason,
  };
}

interface State {
  readonly standing: Age['standing'];
  readonly mark: 'stopped' | 'behind';
  readonly happens: () => void;
  /** Some are unready whatever the age; of others only the age counts. */
  readonly reason: RegExp;
}

const streaming = (caughtUp: boolean): SourceState => ({ phase: 'streaming', caughtUp });
const thenAges = (happens: () => void) => () => {
  world.connects();
  world.rests();
  happens();
  world.pass(ageMs);
};

/** A statement has called for all tables ten seconds after their source confirmed that it had nothing more; it confirms on. */
function readsAgain(): void {
  world.connects();
  world.rests();
  world.pass(10_000);
  callsForAll();
  world.pass(ageMs - 10_000);
  world.rests();
}

function callsForAll(): void {
  world.freshness.tables(engine.tableSources.map((table) => ({ ...table, isReadAgain: true })));
}

const states: Readonly<Record<string, State>> = {
  'they are read again, since a statement that is older than the call': {
    standing: 'snapshot',
    mark: 'behind',
    happens: readsAgain,
    reason: /reads its snapshot; .* 90 s old/,
  },
  'they are read again, and the process was restarted': {
    standing: 'snapshot',
    mark: 'behind',
    happens: () => {
      readsAgain();
      world.freshness.close();
      world.restart();
      callsForAll();
      world.connects();
      world.rests();
    },
    reason: /reads its snapshot; .* 90 s old/,
  },
  paused: {
    standing: 'paused',
    mark: 'stopped',
    happens: thenAges(() => world.freshness.stands('c', { kind: 'paused' })),
    reason: /connector c is paused; .* 90 s old/,
  },
  stopped: {
    standing: 'stopped',
    mark: 'stopped',
    happens: thenAges(() => world.freshness.stands('c', { kind: 'stopped' })),
    reason: /connector c is stopped/,
  },
  deleted: {
    standing: 'deleted',
    mark: 'stopped',
    happens: thenAges(() => world.freshness.stands('c', { kind: 'deleted' })),
    reason: /connector c was deleted/,
  },
  'deleted before a restart': {
    standing: 'deleted',
    mark: 'stopped',
    happens: () => {
      thenAges(() => world.freshness.stands('c', { kind: 'deleted' }))();
      world.restart();
      world.freshness.stands('c', { kind: 'deleted' });
    },
    reason: /connector c was deleted/,
  },
  'failed later, as by a wrong password': {
    standing: 'failed',
    mark: 'stopped',
    happens: thenAges(() => world.freshness.stands('c', { kind: 'failed', reason: 'access denied' })),
    reason: /connector c has failed: access denied/,
  },
  'the source is stopped': {
    standing: 'unreachable',
    mark: 'stopped',
    happens: thenAges(() => world.says({ phase: 'waiting', reason: 'refused' })),
    reason: /cannot reach its source: refused/,
  },
  'the connection stalls, and nobody has noticed yet': {
    standing: 'catching-up',
    mark: 'behind',
    happens: thenAges(() => {}),
    reason: /connector c is catching up; .* 90 s old/,
  },
  'a slow link with a backlog: what comes is old': {
    standing: 'catching-up',
    mark: 'behind',
    happens: thenAges(() => world.says(streaming(false))),
    reason: /is catching up/,
  },
  'its last confirmation is not applied yet': {
    standing: 'catching-up',
    mark: 'behind',
    happens: () => {
      thenAges(() => {})();
      world.rests(world.seq + 1);
    },
    reason: /is catching up/,
  },
  'restarted with a backlog': {
    standing: 'catching-up',
    mark: 'behind',
    happens: () => {
      thenAges(() => world.freshness.close())();
      world.restart();
      world.connects();
    },
    reason: /is catching up/,
  },
  'restarted, and not connected yet': {
    standing: 'connecting',
    mark: 'behind',
    happens: () => {
      thenAges(() => world.freshness.close())();
      world.restart();
    },
    reason: /is being connected/,
  },
  'the clock of the source is two days ahead, and it stalls': {
    standing: 'catching-up',
    mark: 'behind',
    happens: () => {
      world.nowMs -= 2 * dayMs;
      world.connects(2 * dayMs);
      world.rests();
      world.pass(ageMs);
    },
    reason: /is catching up; .* 90 s old/,
  },
  'the clock of the source is two days behind, and it stalls': {
    standing: 'catching-up',
    mark: 'behind',
    happens: () => {
      world.nowMs += 2 * dayMs;
      world.connects(-2 * dayMs);
      world.rests();
      world.pass(ageMs);
    },
    reason: /is catching up; .* 90 s old/,
  },
  'restarted with a backlog of a source whose clock is two days behind': {
    standing: 'catching-up',
    mark: 'behind',
    happens: () => {
      world.nowMs += 2 * dayMs;
      world.pass(ageMs);
      world.restart();
      world.connects(-2 * dayMs);
    },
    reason: /is catching up; .* 90 s old/,
  },
};

describe('rows are as old as they are known to be, on every way of asking, when', () => {
  for (const [name, { standing, mark, happens, reason }] of Object.entries(states)) {
    it(name, async () => {
      happens();
      for (const table of ['a', 'derived']) {
        const all = await said(table);
        // A moment that was kept over a restart is cut to a whole ms.
        const over = all.lags.map((lag) => lag - ageMs);
        expect(Math.min(...over)).toBeGreaterThanOrEqual(0);
        expect(Math.max(...over)).toBeLessThanOrEqual(1);
        expect(new Set(all.stale)).toEqual(new Set([standing]));
        expect(all.mark).toBe(mark);
        expect(all.ready).toBe(false);
        expect(all.reason).toMatch(reason);
      }
    });
  }

  it('their source is current: then they are fresh, whatever its clock shows', async () => {
    for (const aheadMs of [0, 2 * dayMs, -2 * dayMs]) {
      world = new World(testCommitTimeUs / 1000 - aheadMs, 1_000_000);
      world.connects(aheadMs);
      world.rests();
      world.pass(900);
      expect(await said('derived')).toMatchObject({ lags: Array(6).fill(0), mark: 'caught-up', ready: true });
    }
  });

  it('another connector stands still: that is no matter of theirs', async () => {
    world.freshness.stands('other', { kind: 'followed' });
    world.freshness.stands('other', { kind: 'deleted' });
    world.pass(ageMs);
    world.connects();
    world.rests();
    expect(await said('a')).toMatchObject({ lags: Array(6).fill(0), mark: 'caught-up', ready: true });
  });
});

describe('a table whose first snapshot is not complete', () => {
  beforeEach(async () => {
    await engine.capture('hidden', undefined, true);
    await until(() => engine.tableSources.some(({ name }) => name === 'hidden'), 'told');
  });
  const states: readonly (readonly [string, () => void, string, RegExp])[] = [
    ['runs', () => world.says({ phase: 'snapshot' }), 'snapshotting', /is running/],
    [
      'failed',
      () => world.freshness.stands('c', { kind: 'failed', reason: 'a bad column' }),
      'snapshot-stopped',
      /has failed[^]*a bad column/,
    ],
    ['is paused', () => world.freshness.stands('c', { kind: 'paused' }), 'snapshot-stopped', /stands still[^]*paused/],
    [
      'waits for the source',
      () => world.says({ phase: 'waiting', reason: 'refused' }),
      'snapshotting',
      /waits[^]*cannot reach its source: refused/,
    ],
  ];
  it.each(states)('says so on every way of reading it: %s', async (_name, happens, code, text) => {
    happens();
    const signal = new AbortController().signal;
    const { query } = world;
    const ways = [
      async () => query.point('hidden', '1', 'strings'),
      () => query.read([{ table: 'hidden' }], {}),
      () => query.select('SELECT * FROM hidden;', {}, { signal }),
      () => query.select('SELECT * FROM hidden EMIT CHANGES;', {}, { signal }),
      () => query.subscribe({ table: 'hidden', snapshot: true, signal })[Symbol.asyncIterator]().next(),
    ];
    for (const way of ways) {
      const error = await way().then(
        () => undefined,
        (caught: unknown) => caught as { code: string; message: string; detail?: string },
      );
      expect(error?.code).toBe(code);
      expect(`${error?.message}\n${error?.detail ?? ''}`).toMatch(text);
    }
  });
});

describe('the process is not ready', () => {
  it('while a source was never reached, and says since when it was not', () => {
    world.connects();
    world.rests();
    expect(world.status.readiness()).toEqual({ ready: true });
    world.freshness.stands('new', { kind: 'followed' });
    world.pass(5_000);
    world.rests();
    expect(world.status.readiness().reason).toMatch(/connector new has never reached its source; .* 5 s old/);
    world.freshness.heard('new', { state: { phase: 'waiting', reason: 'refused' } });
    expect(world.status.readiness().reason).toMatch(/never reached its source: refused/);
    world.freshness.stands('new', { kind: 'failed', reason: 'access denied' });
    expect(world.status.readiness().reason).toMatch(/has failed: access denied/);
  });

  it('until the tables of the first snapshot can be read, and the source is current', async () => {
    await engine.remove();
    engine = await new TestEngine().open();
    world = new World(testCommitTimeUs / 1000, 1_000_000);
    const told = (name: string, awaits: boolean) =>
      until(() => engine.tableSources.some((t) => t.name === name && t.awaitsSnapshot === awaits), 'told');
    world.says({ phase: 'connecting' });
    expect(world.status.readiness().ready).toBe(false);
    world.says({ phase: 'snapshot' });
    expect(world.status.readiness().reason).toMatch(/reads its snapshot/);
    await engine.capture('a', undefined, true);
    await told('a', true);
    // A query over it is hidden with it: it is no table that was there before.
    await engine.api.execute({ sql: 'CREATE TABLE derived AS SELECT * FROM a;', owner: 'file' });
    await until(() => engine.tableSources.some(({ name }) => name === 'derived'), 'told');
    world.says({ phase: 'streaming', caughtUp: false });
    expect(world.status.readiness().ready).toBe(false);
    world.rests();
    expect(world.status.readiness().ready).toBe(false);
    await engine.write([], { kind: 'snapshot-completed', connector: 'c', topics: [engine.topic('a')] });
    await told('a', false);
    world.rests();
    expect(world.status.readiness()).toEqual({ ready: true });
  });
});
