// When tables may be read: those of a first snapshot, and everything derived from them, with one append; one that is filled from its
// topic or by a build when it is complete; never a part.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { TestEngine, until } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'v', type: BIGINT },
];

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine({ rowsPerStep: 2, rowsAtOnce: 3 }).open();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
  vi.restoreAllMocks();
});

const write = (table: string, ...ids: readonly number[]) =>
  engine.write(ids.map((id) => ({ table, key: id, row: { id, v: 1 } })));
const completed = (...tables: readonly string[]) =>
  engine.write([], {
    kind: 'snapshot-completed',
    connector: engine.connector,
    topics: tables.map((table) => engine.topic(table)),
  });
const codes = (...tables: readonly string[]) => tables.map((table) => engine.codeOf(table));

it('the tables of a snapshot and what is derived from them appear with one append, also after a restart', async () => {
  await engine.capture('a', columns, true);
  await engine.capture('b', columns, true);
  await engine.run(
    'CREATE TABLE sums AS SELECT v, COUNT(*) AS n FROM a GROUP BY v; CREATE TABLE again AS SELECT v, n FROM sums;',
  );
  await write('a', 1, 2);
  await write('b', 1);
  expect(codes('a', 'b', 'sums', 'again')).toEqual(Array(4).fill('snapshotting'));
  await engine.restart();
  const seen: string[] = [];
  engine.onCommitted = () => seen.push(codes('a', 'b', 'sums', 'again').join());
  await completed('a', 'b');
  expect(new Set(seen)).toEqual(new Set(['ok,ok,ok,ok']));
  expect(engine.rows('again')).toEqual([[1, 2]]);
});

it('a table that is added later appears alone, and does not hide the others', async () => {
  await engine.capture('a', columns, true);
  await completed('a');
  await engine.capture('late', columns, true);
  await write('late', 1);
  await engine.run('CREATE TABLE joined AS SELECT a.id AS id, late.v AS v FROM a LEFT JOIN late ON a.id = late.id;');
  expect(codes('a', 'late', 'joined')).toEqual(['ok', 'snapshotting', 'snapshotting']);
  await write('a', 1);
  expect(engine.rows('a')).toHaveLength(1);
  await completed('late');
  await until(() => engine.codeOf('joined') === 'ok', 'what is derived from both');
  expect(engine.rows('joined')).toEqual([[1, 1]]);
});

it('a derived table that is still being filled when the snapshot ends appears when it is full', async () => {
  await engine.capture('a', columns, true);
  await write('a', ...Array.from({ length: 40 }, (_, i) => i));
  const created = engine.run('CREATE TABLE copy AS SELECT id, v FROM a;');
  const ended = completed('a');
  let partly = 0;
  engine.onCommitted = () => {
    if (engine.codeOf('copy') === 'ok' && engine.rows('copy').length !== 40) partly++;
  };
  await created;
  await ended;
  await until(() => engine.codeOf('copy') === 'ok', 'full');
  expect(partly).toBe(0);
});

it('a captured table that was dropped and is announced again during a snapshot waits for both', async () => {
  await engine.capture('a', columns);
  await write('a', ...Array.from({ length: 9 }, (_, i) => i));
  await engine.run('DROP TABLE a;');
  await engine.capture('a', columns, true);
  await until(async () => (await engine.api.queries()).length === 0, 'nothing fails');
  for (let i = 0; i < 30; i++) await write('a', 100);
  expect(engine.codeOf('a')).toBe('snapshotting');
  await completed('a');
  await until(() => engine.codeOf('a') === 'ok', 'filled');
  expect(engine.rows('a')).toHaveLength(10);
});

it('another connector ends its own snapshot only', async () => {
  await engine.capture('a', columns, true);
  await engine.write([], { kind: 'snapshot-completed', connector: 'other', topics: [engine.topic('a')] });
  expect(engine.codeOf('a')).toBe('snapshotting');
});

it('a derived table whose filling failed never appears with a part of its rows; its rebuild shows it', async () => {
  poisonQueries();
  await engine.capture('a', [...columns, { name: 'name', type: STRING }]);
  await engine.capture('late', columns, true);
  const row = (id: number, name: string) => ({ table: 'a', key: id, row: { id, v: 1, name } });
  await engine.write(Array.from({ length: 20 }, (_, id) => row(id, '')));
  await engine.write([row(20, 'poison copy')]);
  await engine.run('CREATE TABLE copy AS SELECT id, name FROM a;');
  await until(async () => (await engine.state('copy')) === 'ERROR', 'its filling has failed');
  await completed('late');
  expect(codes('late', 'copy')).toEqual(['ok', 'detached']);
  await engine.restart();
  expect(engine.codeOf('copy')).toBe('detached');
  await engine.write([row(20, '')]);
  await engine.api.rebuild('copy');
  await until(() => engine.codeOf('copy') === 'ok', 'rebuilt');
  expect(engine.rows('copy')).toHaveLength(21);
});

it('what failed while the snapshot ran does not appear with the end of the snapshot', async () => {
  poisonQueries();
  await engine.capture('a', [...columns, { name: 'name', type: STRING }], true);
  await engine.capture('b', columns, true);
  await engine.run('CREATE TABLE copy AS SELECT id, name FROM a; CREATE TABLE other AS SELECT id, v FROM b;');
  await engine.write([{ table: 'a', key: 1, row: { id: 1, v: 1, name: 'poison copy' } }]);
  await engine.write([{ table: 'b', key: 1, row: { id: 1, v: 'no number' } }]);
  await write('a', 2);
  await completed('a', 'b');
  expect(codes('a', 'b', 'copy', 'other')).toEqual(['ok', 'detached', 'detached', 'detached']);
  await engine.write([{ table: 'a', key: 1, row: { id: 1, v: 1, name: '' } }]);
  await engine.api.rebuild('copy');
  await until(() => engine.codeOf('copy') === 'ok', 'rebuilt');
  expect(engine.rows('copy')).toHaveLength(2);
});
