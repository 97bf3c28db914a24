// What happens when a part fails, or is dropped, while others go on: the engine goes on, what failed stands still and says so, and a
// restart finds the same state.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { toAppError } from '../../../src/core/errors.js';
import { TestEngine, until, type TestRow } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'v', type: BIGINT },
  { name: 'name', type: STRING },
];
const row = (id: number, v: number, name = ''): TestRow => ({ table: 'a', key: id, row: { id, v, name } });
const many = (count: number) => Array.from({ length: count }, (_, i) => row(i + 1, i));

let engine: TestEngine;
beforeEach(async () => {
  poisonQueries();
  // Steps of two rows: a build is long, and everything can happen in its middle.
  engine = await new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 }).open();
  await engine.capture('a', columns);
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
  vi.restoreAllMocks();
});

const built = () =>
  until(
    async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done' || state === 'failed'),
    'all builds have ended',
  );

describe('a query that fails', () => {
  it('stands still with everything downstream, while the rest goes on, also after a restart', async () => {
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    // The build goes on meanwhile: the second statement comes before it fails, or is refused because it has.
    const behind = await engine.tryRun('CREATE TABLE behind AS SELECT id, v FROM bad;');
    expect(['ok', 'detached']).toContain(behind);
    await engine.run('CREATE TABLE good AS SELECT id, v FROM a;');
    await engine.write([row(1, 1)]);
    await engine.write([row(2, 2, 'poison bad')]);
    await engine.write([row(3, 3)]);
    const check = async () => {
      expect(engine.rows('good')).toEqual([
        [1, 1],
        [2, 2],
        [3, 3],
      ]);
      expect(engine.rows('behind')).toEqual([[1, 1]]);
      expect(await engine.state('bad')).toBe('ERROR');
      expect(await engine.state('behind')).toBe('ERROR');
    };
    await check();
    await engine.restart();
    await engine.write([]);
    await check();
    expect(await engine.tryRun('CREATE TABLE late AS SELECT id FROM bad;')).toBe('detached');
  });

  it('while it is being created by steps stands still, and what is built upon it too', async () => {
    await engine.write(many(20));
    await engine.write([row(21, 0, 'poison bad')]);
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    // The build goes on meanwhile: the second statement comes before it fails, or is refused because it has.
    const behind = await engine.tryRun('CREATE TABLE behind AS SELECT id, v FROM bad;');
    expect(['ok', 'detached']).toContain(behind);
    await engine.run('CREATE TABLE good AS SELECT id, v FROM a;');
    await until(async () => (await engine.state('bad')) === 'ERROR', 'the failed build is told');
    if (behind === 'ok') expect(await engine.state('behind')).toBe('ERROR');
    await until(() => engine.codeOf('good') === 'ok', 'the other one is built');
    expect(engine.rows('good')).toHaveLength(21);
    await engine.restart();
    await engine.write([row(22, 22)]);
    expect(engine.rows('good')).toHaveLength(22);
  });

  it('in the first rows of its creation is refused, and leaves no trace', async () => {
    await engine.write([row(1, 0, 'poison bad')]);
    expect(await engine.tryRun('CREATE TABLE bad AS SELECT id, v, name FROM a;')).toBe('bad-record');
    expect(await engine.tryRun('DROP TABLE bad;')).toBe('unknown-table');
    await engine.write([row(1, 1)]);
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    expect(engine.rows('bad')).toEqual([[1, 1, '']]);
  });

  it('downstream of one that is being created does not take that one with it', async () => {
    await engine.write(many(20));
    await engine.write([row(21, 0, 'poison behind')]);
    await engine.run(
      'CREATE TABLE first AS SELECT id, v, name FROM a; CREATE TABLE behind AS SELECT id, name FROM first;',
    );
    await until(() => engine.codeOf('first') === 'ok', 'the first is built');
    expect(engine.rows('first')).toHaveLength(21);
    await until(async () => (await engine.state('behind')) === 'ERROR', 'the other one has failed');
  });

  it('can be rebuilt when the row is gone; a rebuild that fails again ends, and the engine goes on', async () => {
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    await engine.write([row(1, 1), row(2, 2)]);
    await engine.write([row(3, 3, 'poison bad')]);
    await engine.api.rebuild('bad');
    await built();
    expect(await engine.state('bad')).toBe('ERROR');
    await engine.write([row(3, 4)]);
    await engine.api.rebuild('bad');
    await built();
    expect(await engine.state('bad')).toBe('RUNNING');
    expect(engine.rows('bad')).toEqual([
      [1, 1, ''],
      [2, 2, ''],
      [3, 4, ''],
    ]);
    await engine.restart();
    await engine.write([row(4, 4)]);
    expect(engine.rows('bad')).toHaveLength(4);
  });

  it('by a live change in the middle of its own rebuild ends the rebuild and not the engine', async () => {
    await engine.run('CREATE TABLE bad AS SELECT id, v, name FROM a;');
    await engine.write([row(1, 0, 'poison bad')]);
    await engine.write([row(1, 0)]);
    await engine.write(many(30));
    await engine.api.rebuild('bad');
    await engine.write([row(1, 0, 'poison bad')]);
    await built();
    await engine.write([row(40, 0)]);
    expect(engine.rows('a')).toHaveLength(31);
  });
});

describe('a part that fails in the commit that makes it', () => {
  it('is made, and then stands still', async () => {
    await engine.write(many(9));
    // Sent at once, so that definition and poison share a commit again and again.
    for (let i = 0; i < 25; i++) {
      const made = engine.tryRun('CREATE TABLE bad AS SELECT id, v, name FROM a;');
      for (let n = 0; n < i % 7; n++) await Promise.resolve();
      const sent = Array.from({ length: 6 }, (_, n) => engine.send([row(1, n, n % 2 === 0 ? 'poison bad' : '')]));
      const [code] = await Promise.all([made, ...sent]);
      await engine.write([row(1, 1)]);
      expect(engine.failed).toBeUndefined();
      if (code === 'ok') {
        expect(['ERROR', 'RUNNING']).toContain(await engine.state('bad'));
        await engine.run('DROP TABLE bad;');
      } else expect(code).toBe('bad-record');
    }
    expect(engine.rows('a')).toHaveLength(9);
  });
});

describe('a swap in one commit with a failure', () => {
  it('leaves the table whole, and the old version is dropped once', async () => {
    await engine.write(many(5));
    await engine.run('CREATE TABLE t AS SELECT id, v, name FROM a; CREATE TABLE bad AS SELECT id, name FROM a;');
    await until(() => engine.codeOf('t') === 'ok', 'the table is filled');
    await engine.api.rebuild('t');
    // Appends at every turn, each of them poison: one of them shares the commit of the swap.
    await until(async () => {
      await engine.send([row(100, 0, 'poison bad')]);
      return (await engine.api.rebuilds()).every(({ state }) => state === 'done');
    }, 'the swap');
    await engine.write([row(101, 0)]);
    expect(engine.rows('t')).toHaveLength(7);
    await engine.restart();
    expect(engine.rows('t')).toHaveLength(7);
  });
});

describe('DROP of what is being built', () => {
  it.each(['derived', 'base'])('ends the build of a %s table; a restart finds nothing of it', async (kind) => {
    await engine.run('CREATE TABLE t AS SELECT id, v FROM a;');
    await engine.write(many(2000));
    const table = kind === 'derived' ? 't' : 'a';
    await engine.api.rebuild(table);
    if (table === 'a') await engine.run('DROP TABLE t;');
    await engine.run(`DROP TABLE ${table};`);
    await engine.restart();
    await engine.write([]);
    expect(engine.codeOf(table)).toBe('unknown-table');
  });

  it('of a table that is being created leaves neither build nor state', async () => {
    await engine.write(many(2000));
    await engine.run('CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM a GROUP BY v;');
    expect(engine.codeOf('t')).toBe('snapshotting');
    await engine.run('DROP TABLE t;');
    await engine.run('CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM a GROUP BY v;');
    await until(() => engine.codeOf('t') === 'ok', 'built anew');
    expect(engine.rows('t')).toHaveLength(2000);
    await engine.restart();
    expect(engine.rows('t')).toHaveLength(2000);
  });

  it('of a captured table: opened again by its connector it has all rows', async () => {
    await engine.write(many(9));
    await engine.run('DROP TABLE a;');
    await engine.capture('a', columns);
    await engine.write([row(10, 0)]);
    await until(() => engine.codeOf('a') === 'ok', 'filled from its topic');
    expect(engine.rows('a')).toHaveLength(10);
  });
});

describe('definitions', () => {
  it('PAUSE stops everything downstream; a rebuild in order lets it run again', async () => {
    await engine.run('CREATE TABLE t AS SELECT id, v FROM a; CREATE TABLE u AS SELECT id, v FROM t;');
    await engine.write([row(1, 1)]);
    const { id } = (await engine.api.queries())[0]!;
    await engine.run(`PAUSE ${id};`);
    await engine.write([row(2, 2)]);
    expect(await engine.state('u')).toBe('PAUSED');
    expect(engine.rows('u')).toEqual([[1, 1]]);
    const refused = await engine.api.rebuild('u').catch((error: unknown) => toAppError(error).code);
    expect(refused).toBe('detached');
    for (const table of ['t', 'u']) {
      await engine.api.rebuild(table);
      await built();
    }
    await engine.write([row(3, 3)]);
    expect(engine.rows('u')).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
  });

  it('PAUSE of a query that is being built is refused and changes nothing', async () => {
    await engine.write(many(2000));
    await engine.run('CREATE TABLE t AS SELECT id, v FROM a;');
    const { id } = (await engine.api.queries())[0]!;
    expect(await engine.tryRun(`PAUSE ${id};`)).toBe('rebuild-running');
    await until(() => engine.codeOf('t') === 'ok', 'built all the same');
    await engine.write([row(3001, 0)]);
    expect(engine.rows('t')).toHaveLength(2001);
  });

  it('PAUSE does not depend on a rebuild, of which other processes know nothing: it gives it up', async () => {
    await engine.write(many(2000));
    await engine.run('CREATE TABLE t AS SELECT id, v FROM a;');
    await until(() => engine.codeOf('t') === 'ok', 'built');
    const { id } = (await engine.api.queries())[0]!;
    await engine.api.rebuild('t');
    expect(await engine.tryRun(`PAUSE ${id};`)).toBe('ok');
    await engine.write([row(3001, 0)]);
    expect(await engine.state('t')).toBe('PAUSED');
    expect(engine.rows('t')).toHaveLength(2000);
  });

  it('CREATE TABLE over a captured topic in another spelling keeps the name and goes on', async () => {
    const declare = (name: string) =>
      `CREATE TABLE ${name} (id INT PRIMARY KEY, v BIGINT, name STRING) WITH (KAFKA_TOPIC='${engine.topic('a')}', VALUE_FORMAT='JSON', KEY_FORMAT='JSON');`;
    await engine.run(declare('A'));
    await engine.run('CREATE TABLE t AS SELECT id, v FROM A;');
    await engine.write([row(1, 1)]);
    expect(engine.rows('t')).toEqual([[1, 1]]);
    expect(engine.rows('A')).toEqual([[1, 1, '']]);
    expect(await engine.tryRun(declare('other'))).toBe('ok');
    await engine.write([row(2, 2)]);
    await until(() => engine.codeOf('other') === 'ok', 'a second table over the topic is filled');
    expect(engine.rows('other')).toHaveLength(2);
  });

  it('two queries do not share a topic', async () => {
    await engine.run('CREATE TABLE t AS SELECT id, v FROM a;');
    expect(await engine.tryRun("CREATE TABLE u WITH (KAFKA_TOPIC='t') AS SELECT id FROM a;")).toBe('invalid-statement');
    expect(await engine.tryRun(`CREATE TABLE u WITH (KAFKA_TOPIC='${engine.topic('a')}') AS SELECT id FROM a;`)).toBe(
      'invalid-statement',
    );
  });

  it('a table over a derived stream is not rebuilt from nothing', async () => {
    await engine.run("CREATE STREAM s (k INT KEY, n INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);");
    await engine.run(
      'CREATE STREAM d AS SELECT k, n FROM s; CREATE TABLE c AS SELECT k, COUNT(*) AS n FROM d GROUP BY k;',
    );
    await engine.run('INSERT INTO s VALUES (1, 1);');
    const refused = await engine.api.rebuild('c').catch((error: unknown) => toAppError(error).code);
    expect(refused).toBe('unsupported-statement');
    expect(engine.rows('c')).toEqual([[1, 1]]);
  });
});

describe('a join that is built by scan', () => {
  it('does not see rows that the scan has not reached, so it misses no deletion of one', async () => {
    await engine.capture('b', columns);
    const rowOfB = (id: number, present = true): TestRow => ({
      table: 'b',
      key: id,
      row: present ? { id, v: 7, name: '' } : null,
    });
    await engine.write([...many(6), ...Array.from({ length: 6 }, (_, i) => rowOfB(i + 1))]);
    await engine.run('CREATE TABLE j AS SELECT a.id AS id, b.v AS w FROM a LEFT JOIN b ON a.id = b.id;');
    await engine.write(Array.from({ length: 6 }, (_, i) => rowOfB(i + 1, false)));
    await until(() => engine.codeOf('j') === 'ok', 'built');
    expect(engine.rows('j')).toEqual([1, 2, 3, 4, 5, 6].map((id) => [id, null]));
  });
});
