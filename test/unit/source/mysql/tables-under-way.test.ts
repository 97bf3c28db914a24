// The cursor of several tables that are read at once: wherever the process is killed, and with however many readers it goes on, each row is
// handed over once, and the cursor names no more tables than are under way.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GtidSet } from '../../../../src/source/mysql/gtid-set.js';
import { parsePosition, printPosition, type SnapshotCursor } from '../../../../src/source/mysql/position.js';
import { TablesUnderWay } from '../../../../src/source/mysql/tables-under-way.js';

const stream = { kind: 'mysql-gtid', gtids: new GtidSet() } as const;

/** As it comes back from a position. */
function kept(cursor: SnapshotCursor): SnapshotCursor {
  return parsePosition(printPosition({ stream, snapshot: cursor })).snapshot!;
}

describe('tables under way', () => {
  it('come to each row once, whatever kills the process and whatever it goes on with', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }),
        fc.array(
          fc.record({ readers: fc.integer({ min: 1, max: 4 }), steps: fc.array(fc.nat(99), { maxLength: 25 }) }),
          {
            maxLength: 6,
          },
        ),
        (rows, runs) => {
          const names = rows.map((_, i) => `a.t${String(i).padStart(2, '0')}`);
          const rowsOf = (name: string) => rows[names.indexOf(name)]!;
          const handed: string[] = [];
          let cursor: SnapshotCursor = { table: null, key: null };
          const run = (readers: number, steps: Iterable<number>): void => {
            const underWay = new TablesUnderWay(cursor, names);
            const left = names.filter((name) => underWay.keyOf(name) !== undefined);
            const open: { readonly name: string; next: number }[] = [];
            for (const step of steps) {
              while (open.length < readers && left.length > 0) {
                const name = left.shift()!;
                underWay.begin(name);
                open.push({ name, next: Number(underWay.keyOf(name)?.[0] ?? -1) + 1 });
              }
              if (open.length === 0) return;
              const at = step % open.length;
              const table = open[at]!;
              if (table.next < rowsOf(table.name)) {
                handed.push(`${table.name} ${table.next}`);
                underWay.reached(table.name, [String(table.next++)]);
                cursor = kept(underWay.cursor);
                expect(Object.keys(cursor.beside ?? {}).length).toBeLessThan(4);
              } else {
                underWay.end(table.name);
                open.splice(at, 1);
              }
            }
          };
          for (const { readers, steps } of runs) run(readers, steps);
          run(
            1,
            Array.from({ length: 200 }, () => 0),
          );
          const all = names.flatMap((name) => Array.from({ length: rowsOf(name) }, (_, row) => `${name} ${row}`));
          expect(handed.toSorted()).toEqual(all.toSorted());
        },
      ),
    );
  });

  it('go on behind a cursor of one table, and leave one when only one is read', () => {
    const underWay = new TablesUnderWay({ table: 'a.b', key: ['3'] }, ['a.a', 'a.b', 'a.c']);
    expect(['a.a', 'a.b', 'a.c'].map((name) => underWay.keyOf(name))).toEqual([undefined, ['3'], null]);
    underWay.begin('a.b');
    underWay.reached('a.b', ['4']);
    expect(underWay.cursor).toEqual({ table: 'a.b', key: ['4'] });
    underWay.begin('a.c');
    underWay.end('a.b');
    underWay.reached('a.c', ['1']);
    expect(underWay.cursor).toEqual({ table: 'a.c', key: ['1'] });
  });

  it('do not keep a table that is not there any more', () => {
    const underWay = new TablesUnderWay({ table: 'a.c', key: ['1'], beside: { 'a.a': null, 'a.b': ['2'] } }, ['a.b']);
    expect(underWay.cursor).toEqual({ table: 'a.c', key: ['1'], beside: { 'a.b': ['2'] } });
  });
});
