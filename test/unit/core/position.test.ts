// The port of positions: one set of laws, run over the forms of all source families and over text that no family knows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePositions, opaquePositions, positionsOf, tokenLengthMax } from '../../../src/core/position.js';
import { sourcePositions } from '../../../src/process/source-positions.js';
import { GtidSet } from '../../../src/source/mysql/gtid-set.js';
import { MariadbPosition } from '../../../src/source/mysql/mariadb-gtid.js';
import { printPosition, type SnapshotCursor, type StreamPosition } from '../../../src/source/mysql/position.js';
import { printPosition as printPolled } from '../../../src/source/polling/position.js';
import { printPosition as printSqlite } from '../../../src/source/sqlite/position.js';

const uuid = (i: number) => `3e11fa47-71ca-11e1-9e33-${i.toString(16).padStart(12, '0')}`;
const gtids = (text: string, snapshot?: SnapshotCursor) =>
  printPosition({ stream: { kind: 'mysql-gtid', gtids: GtidSet.parse(text) }, snapshot });
const mariadb = (text: string) =>
  printPosition({ stream: { kind: 'mariadb-gtid', gtids: MariadbPosition.parse(text) }, snapshot: undefined });
const file = (name: string, offset: number, snapshot?: SnapshotCursor) =>
  printPosition({ stream: { kind: 'file', at: { file: name, offset } }, snapshot });
const sqlite = (sequence: number, pending: string[] = [], capture = 'c1') =>
  printSqlite({ capture, sequence, change: null, pending, stopped: [], refused: [], schema: null });

const cursors = fc.option(
  fc.record({ table: fc.constantFrom('a.a', 'a.b'), key: fc.constantFrom(null, ['1'], ['2']) }),
  { nil: undefined },
);
const streams: fc.Arbitrary<StreamPosition> = fc.oneof(
  fc
    .array(fc.record({ s: fc.integer({ min: 0, max: 2 }), n: fc.integer({ min: 1, max: 6 }) }), { maxLength: 6 })
    .map((items) => ({
      kind: 'mysql-gtid' as const,
      gtids: GtidSet.parse(items.map(({ s, n }) => `${uuid(s)}:${n}`).join(',')),
    })),
  fc
    .array(fc.record({ d: fc.integer({ min: 0, max: 2 }), n: fc.integer({ min: 1, max: 4 }) }), { maxLength: 3 })
    .map((items) => ({
      kind: 'mariadb-gtid' as const,
      gtids: MariadbPosition.parse(items.map(({ d, n }) => `${d}-1-${n}`).join(',')),
    })),
  fc
    .record({
      file: fc.constantFrom('binlog.000001', 'binlog.000002', 'other.000001'),
      offset: fc.integer({ min: 4, max: 6 }),
    })
    .chain((at) =>
      fc.constantFrom(undefined, uuid(1), uuid(2)).map((server) => ({ kind: 'file' as const, at, server })),
    ),
);
const positions = fc.oneof(
  fc
    .tuple(streams, cursors, fc.boolean())
    .map(([stream, snapshot, moved]) => printPosition({ stream, snapshot, moved: moved && snapshot === undefined })),
  fc
    .record({
      sequence: fc.integer({ min: 0, max: 3 }),
      pending: fc.subarray(['a', 'b']),
      capture: fc.constantFrom('c1', 'c2'),
    })
    .map(({ sequence, pending, capture }) => sqlite(sequence, pending, capture)),
  fc
    .record({ step: fc.integer({ min: 0, max: 3 }), began: fc.constantFrom('b1', 'b2') })
    .map((at) => printPolled({ ...at, tables: new Map([['a.t', { after: ['1'], by: ['id'], complete: true }]]) })),
  fc.constantFrom('', 'x', '{"kind":"mysql-gtid","gtids":"rubbish"}', '{"kind":', '{"capture":1}', 'ü'.repeat(500)),
);

describe('positions of every family', () => {
  it('contain themselves, and what is contained in what they contain', () => {
    fc.assert(
      fc.property(positions, positions, positions, (a, b, c) => {
        expect(sourcePositions.contains(a, a)).toBe(true);
        if (sourcePositions.contains(a, b) && sourcePositions.contains(b, c)) {
          expect(sourcePositions.contains(a, c)).toBe(true);
        }
      }),
    );
  });

  it('that hold the same compare as 0, and the rest in opposite ways from either side', () => {
    fc.assert(
      fc.property(positions, positions, (a, b) => {
        const [there, back] = [comparePositions(sourcePositions, a, b), comparePositions(sourcePositions, b, a)];
        expect(back).toBe(there === undefined ? undefined : there === 0 ? 0 : -there);
      }),
    );
  });

  it('have tokens that are short, stand in a header as they are, and tell different ones of one history apart', () => {
    fc.assert(
      fc.property(positions, positions, (a, b) => {
        const token = sourcePositions.token(a);
        expect(token.length).toBeLessThanOrEqual(tokenLengthMax);
        expect(token).toMatch(/^[\x21-\x7e]*$/);
        expect(sourcePositions.token(`${a} `.slice(0, -1))).toBe(token);
        if (comparePositions(sourcePositions, a, b) === 1) expect(sourcePositions.token(b)).not.toBe(token);
      }),
    );
  });
});

describe('a position of', () => {
  it('MySQL contains every set that is part of it, and none of another kind', () => {
    const set = gtids(`${uuid(1)}:1-9,${uuid(2)}:1-3`);
    expect(sourcePositions.contains(set, gtids(`${uuid(1)}:4-5`))).toBe(true);
    expect(sourcePositions.contains(set, gtids(`${uuid(1)}:1-9,${uuid(2)}:1-4`))).toBe(false);
    expect(comparePositions(sourcePositions, set, gtids(`${uuid(1)}:1-8,${uuid(2)}:1-4`))).toBeUndefined();
    expect(sourcePositions.contains(set, file('binlog.000001', 4))).toBe(false);
    expect(sourcePositions.token(set)).toMatch(/^3e11fa47:9~[0-9a-f]{8}$/);
    expect(sourcePositions.print(set)).toBe(`${uuid(1)}:1-9,${uuid(2)}:1-3`);
  });

  it('a set of 150 servers has a token of a few characters', () => {
    const text = Array.from({ length: 150 }, (_, i) => `${uuid(i)}:1-${1000 + i}`).join(',');
    expect(sourcePositions.token(gtids(text))).toMatch(/^3e11fa47:1149~[0-9a-f]{8}$/);
    expect(sourcePositions.token(gtids(text))).not.toBe(sourcePositions.token(gtids(`${text},${uuid(500)}:1`)));
  });

  it('MariaDB is as far as each of its domains', () => {
    expect(sourcePositions.contains(mariadb('0-1-5,1-1-2'), mariadb('0-2-4'))).toBe(true);
    expect(comparePositions(sourcePositions, mariadb('0-1-5'), mariadb('0-1-7'))).toBe(-1);
    expect(sourcePositions.token(mariadb('0-1-5,1-1-2'))).toBe('0-1-5,1-1-2');
  });

  it('a server without GTIDs is as far as its file and offset, and knows nothing of another series of files', () => {
    expect(sourcePositions.contains(file('binlog.000010', 4), file('binlog.000009', 900))).toBe(true);
    expect(comparePositions(sourcePositions, file('binlog.000010', 4), file('mysql-bin.000010', 4))).toBeUndefined();
    expect(sourcePositions.token(file('binlog.000010', 1234))).toBe('binlog.000010:1234');
  });

  it('a running snapshot is behind the same place without one, and before every later place', () => {
    const cursor = { table: 'a.a', key: ['7'] };
    const [running, done] = [file('binlog.000001', 100, cursor), file('binlog.000001', 100)];
    expect(comparePositions(sourcePositions, done, running)).toBe(1);
    expect(sourcePositions.contains(file('binlog.000001', 101, cursor), done)).toBe(true);
    const other = file('binlog.000001', 100, { ...cursor, key: ['8'] });
    expect(comparePositions(sourcePositions, running, other)).toBeUndefined();
    // So is one that was set, by which tables are still to be called for.
    const set = printPosition({
      stream: { kind: 'file', at: { file: 'binlog.000001', offset: 100 } },
      snapshot: undefined,
      moved: true,
    });
    expect(comparePositions(sourcePositions, done, set)).toBe(1);
    expect(sourcePositions.token(set)).not.toBe(sourcePositions.token(done));
  });

  it('a SQLite file counts changes of one capture', () => {
    expect(sourcePositions.contains(sqlite(9), sqlite(8, ['a']))).toBe(true);
    expect(sourcePositions.contains(sqlite(9, ['a']), sqlite(9))).toBe(false);
    expect(sourcePositions.contains(sqlite(9), sqlite(8, [], 'c2'))).toBe(false);
    expect(sourcePositions.token(sqlite(9))).toBe('9');
  });

  it('nobody known contains itself and is shown as it is', () => {
    const form = positionsOf([]);
    expect(form.contains('7', '7')).toBe(true);
    expect(form.contains('8', '7')).toBe(false);
    expect(form.token('17')).toBe('17');
    expect(opaquePositions.token('x'.repeat(10_000)).length).toBeLessThanOrEqual(tokenLengthMax);
  });
});
