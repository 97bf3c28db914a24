// A log that gives no answer to a build holds up the build, and nothing else.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Append } from '../../../src/core/append.js';
import type { ReadOptions } from '../../../src/stream/event-log.js';
import { EmbeddedLog } from '../../../src/stream/embedded/embedded-log.js';
import { TestEngine, until } from '../../support/engine.js';

let engine: TestEngine;
/** Reads that go on when this is resolved; undefined: they go on at once. */
let stalled: { readonly answer: Promise<void>; readonly release: () => void } | undefined;
let waiting = 0;

const real = Reflect.get(EmbeddedLog.prototype, 'read') as typeof EmbeddedLog.prototype.read;

beforeEach(async () => {
  waiting = 0;
  vi.spyOn(EmbeddedLog.prototype, 'read').mockImplementation(async function* (
    this: EmbeddedLog,
    after: number,
    options: ReadOptions,
  ): AsyncGenerator<readonly Append[]> {
    for await (const group of real.call(this, after, options)) {
      waiting++;
      const { signal } = options;
      const aborted = new Promise<void>((resolve) =>
        signal?.addEventListener('abort', () => resolve(), { once: true }),
      );
      await Promise.race([stalled?.answer, aborted]);
      waiting--;
      if (signal?.aborted === true) return;
      yield group;
    }
  });
  engine = await new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 }).open();
  await engine.capture('a');
  await engine.write(rows(1, 10));
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
  stalled = undefined;
  vi.restoreAllMocks();
});

const rows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ table: 'a', key: from + i, row: { id: from + i, name: 'x' } }));

function stall(): void {
  let release = () => {};
  const answer = new Promise<void>((resolve) => (release = resolve));
  stalled = { answer, release };
}

const declare = () =>
  engine.run(
    `CREATE STREAM s (id INT KEY, name STRING) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON'); CREATE TABLE n AS SELECT name, COUNT(*) AS n FROM s GROUP BY name;`,
  );
const rebuilt = () =>
  until(async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'), 'the rebuild is done');

describe('while the log gives no answer to a rebuild', () => {
  beforeEach(async () => {
    stall();
    await engine.api.rebuild('a');
    await until(() => waiting > 0, 'the rebuild reads');
  });

  it('changes become visible, statements are answered, other builds go on, and then it goes on with all of it', async () => {
    await engine.write(rows(11, 12));
    expect(engine.rows('a')).toHaveLength(12);
    expect(await engine.tryRun('CREATE TABLE b AS SELECT nope FROM a;')).toBe('invalid-statement');
    await engine.run('CREATE TABLE b AS SELECT id, name FROM a;');
    await until(() => engine.codeOf('b') === 'ok', 'another build is done');
    await engine.write([{ table: 'a', key: 3, row: null }]);
    expect((await engine.api.rebuilds()).map(({ state }) => state)).toEqual(['building']);
    stalled!.release();
    stalled = undefined;
    await rebuilt();
    expect(engine.rows('a').map(([id]) => id)).toEqual([1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(engine.rows('b')).toEqual(engine.rows('a'));
  });

  it('the engine stops at once, and the rebuild goes on at the next start', async () => {
    const startMs = performance.now();
    await engine.stop();
    expect(performance.now() - startMs).toBeLessThan(2000);
    stalled = undefined;
    await engine.open();
    await rebuilt();
    await engine.write(rows(11, 11));
    expect(engine.rows('a')).toHaveLength(11);
  });
});

describe('while the log gives no answer to a query over a stream that is made', () => {
  beforeEach(() => stall());

  it('changes become visible, and it is complete when the answer comes', async () => {
    await declare();
    await until(() => waiting > 0, 'the build reads');
    await engine.write(rows(11, 12));
    expect(engine.rows('a')).toHaveLength(12);
    expect(engine.codeOf('n')).not.toBe('ok');
    stalled!.release();
    stalled = undefined;
    await until(() => engine.codeOf('n') === 'ok', 'the query has caught up');
    await engine.write(rows(13, 13));
    expect(engine.rows('n')).toEqual([['x', 13]]);
  });

  it('the engine stops at once', async () => {
    await declare();
    await until(() => waiting > 0, 'the build reads');
    const startMs = performance.now();
    await engine.stop();
    expect(performance.now() - startMs).toBeLessThan(2000);
    stalled = undefined;
    await engine.open();
    await until(() => engine.codeOf('n') === 'ok', 'the query has caught up');
    expect(engine.rows('n')).toEqual([['x', 10]]);
  });
});

it('a query over a stream is complete although something is committed all the time', async () => {
  await declare();
  let id = 10;
  for (let done = false; !done; done = engine.codeOf('n') === 'ok') {
    expect(id).toBeLessThan(2000);
    id++;
    await engine.write(rows(id, id));
  }
  expect(engine.rows('n')).toEqual([['x', id]]);
});
