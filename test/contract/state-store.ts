// What a state store must do: the promises of src/store/state-store.ts as tests, over a writer and readers of the same storage.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BIGINT, DOUBLE, INTEGER, STRING, type Column, type Row } from '../../src/core/data-type.js';
import { AppError } from '../../src/core/errors.js';
import { comparePlaces, type Place } from '../../src/core/version.js';
import type { Frontier, StateReader, StateWriter, TableSpec } from '../../src/store/state-store.js';
import { rolledBack } from '../support/rolled-back.js';

export interface StateStoreHarness {
  openWriter(): Promise<StateWriter>;
  /** Any number, also while the writer is open. */
  openReader(): Promise<StateReader>;
  /** Ends the writer as a killed process would. */
  abandon(writer: StateWriter): Promise<void>;
  dispose(): Promise<void>;
}

export function stateStoreContract(subject: string, createHarness: () => Promise<StateStoreHarness>): void {
  describe(`${subject} as a state store`, () => {
    let harness: StateStoreHarness;
    let writer: StateWriter;
    let reader: StateReader;

    beforeEach(async () => {
      harness = await createHarness();
      writer = await harness.openWriter();
      reader = await harness.openReader();
    });
    afterEach(async () => {
      reader.close();
      writer.close();
      await harness.dispose();
    });

    let seq = 0;
    beforeEach(() => (seq = 0));

    /** Read in a cut of its own, whatever the turn of the event loop has read before. */
    function point(table: string, key: Row) {
      return reader.point(table, () => key, Number.POSITIVE_INFINITY);
    }

    /** One engine commit. */
    function commit(work: () => void, at = seq + 1): void {
      seq = at;
      writer.transaction(
        () => {
          work();
        },
        frontierAt(writer, at),
      );
    }

    it('says of a disk that is full that it is, and keeps nothing of the transaction', () => {
      createOrders();
      const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      const write = () =>
        writer.transaction(() => {
          writer.putDocument('note', 'n', '{}');
          throw new Error('a part of the work', { cause: full });
        });
      expect(write).toThrow(expect.objectContaining({ code: 'data-folder-unusable' }) as Error);
      expect(writer.getDocument('note', 'n')).toBeUndefined();
    });

    it('writes nothing any more once its engine has failed', () => {
      createOrders();
      writer.fail(new AppError('data-folder-unusable', 'the disk is full'));
      expect(() => writer.transaction(() => {})).toThrow('the disk is full');
    });

    function createOrders(visible = true) {
      let table!: ReturnType<StateWriter['createTable']>;
      commit(() => {
        table = writer.createTable(orders);
        if (visible) writer.publish(orders);
      });
      return table;
    }

    describe('rows', () => {
      it('are there for readers with the commit, and not before', () => {
        const table = createOrders();
        writer.transaction(
          () => {
            table.put([1, 'a', 10], 5, undefined);
            expect(table.get([1])).toEqual([1, 'a', 10]);
            expect(point('orders', [1]).found).toBeUndefined();
          },
          frontierAt(writer, 2),
        );
        expect(point('orders', [1])).toMatchObject({
          found: { row: [1, 'a', 10], rowtimeMs: 5 },
          frontier: { seq: 2 },
        });
      });

      it('are gone with a rollback, and so are counts, tables, states, documents and the frontier of the transaction', () => {
        const table = createOrders();
        commit(() => table.put([1, 'a', 10], 5, undefined));
        const before = writer.frontier;
        rolledBack(writer, () => {
          table.put([1, 'b', 11], 6, [1, 'a', 10]);
          table.put([2, 'c', 12], 6, undefined);
          const other = { ...orders, id: 9, name: 'other' };
          writer.createTable(other).put([1, 'x', 1], 1, undefined);
          writer.publish(other);
          writer.putDocument('kind', 'name', '1');
          writer.feed('orders', { seq: 3, index: 0, before: null, after: [2, 'c', 12], rowtimeMs: 6, commitTimeUs: 6 });
        });
        expect(writer.frontier).toEqual(before);
        expect(table.get([1])).toEqual([1, 'a', 10]);
        expect(table.rowCount()).toBe(1);
        expect(writer.getDocument('kind', 'name')).toBeUndefined();
        expect(writer.physicalTables()).toEqual([{ id: 1, version: 1 }]);
        expect(() => point('other', [1])).toThrow(expect.objectContaining({ code: 'unknown-table' }));
        commit(() => table.put([3, 'd', 13], 7, undefined));
        expect(table.rowCount()).toBe(2);
        const session = reader.session();
        expect(session.changes('orders', { seq: 1, index: Infinity }, 1e6).changes).toEqual([]);
        session.close();
      });

      it('are counted without counting them', () => {
        const table = createOrders();
        commit(() => {
          for (let i = 0; i < 10; i++) table.put([i, 'a', i], 1, undefined);
          table.put([3, 'b', 3], 2, table.get([3]));
          table.delete([4]);
          table.delete([400]);
        });
        expect(table.rowCount()).toBe(9);
        const session = reader.session();
        expect(session.table('orders').rowCount).toBe(9);
        expect([...session.scan({ table: 'orders' })]).toHaveLength(9);
        session.close();
      });

      it('keep their rowtime', () => {
        const table = createOrders();
        commit(() => table.put([1, 'a', 10], 1_767_000_000_123, undefined));
        expect(table.rowtime([1])).toBe(1_767_000_000_123);
        expect(table.rowtime([2])).toBeUndefined();
      });

      it('are not written outside a transaction', () => {
        const table = createOrders();
        expect(() => table.put([1, 'a', 1], 1, undefined)).toThrow(/inside a transaction/);
        expect(() => writer.putDocument('k', 'n', '1')).toThrow(/inside a transaction/);
      });
    });

    describe('a restart', () => {
      it('finds frontier, rows, counts, states and documents as they were committed', async () => {
        const table = createOrders();
        const state = writer.openState(stateSpec);
        commit(() => {
          table.put([1, 'a', 10], 5, undefined);
          writer.createTable({ ...orders, id: 2, name: 'hidden' });
        });
        commit(() => {
          state.put([1, 'x'], [2.5]);
          writer.putDocument('kind', 'name', '{"a":1}');
        });
        const { frontier } = writer;
        await harness.abandon(writer);
        writer = await harness.openWriter();
        expect(writer.frontier).toEqual(frontier);
        expect(writer.openTable(orders).rowCount()).toBe(1);
        expect(writer.openTable(orders).get([1])).toEqual([1, 'a', 10]);
        expect(writer.openState(stateSpec).get([1, 'x'])).toEqual([2.5]);
        expect(writer.documents('kind')).toEqual([{ name: 'name', json: '{"a":1}' }]);
        expect(writer.physicalTables()).toEqual([
          { id: 1, version: 1 },
          { id: 2, version: 1 },
        ]);
      });
    });

    describe('names', () => {
      it('show a table from its publication on, and say so before', () => {
        createOrders(false);
        expect(() => point('orders', [1])).toThrow(expect.objectContaining({ code: 'snapshotting' }));
        commit(() => writer.publish(orders));
        expect(point('orders', [1]).found).toBeUndefined();
        expect(point('ORDERS', [1]).spec).toEqual(orders);
      });

      it('that are unknown get the nearest as a hint', () => {
        createOrders();
        const session = reader.session();
        expect(() => session.table('odrers')).toThrow(
          expect.objectContaining({ code: 'unknown-table', hint: 'did you mean "orders"?' }),
        );
        session.close();
      });

      it('move from one version to the next in one commit, which earlier cuts do not see', () => {
        const first = createOrders();
        const second = { ...orders, version: 2 };
        commit(() => first.put([1, 'old', 1], 1, undefined));
        commit(() => writer.createTable(second).put([1, 'new', 2], 1, undefined));
        const before = reader.session();
        expect(before.get('orders', [1])?.row).toEqual([1, 'old', 1]);
        expect(before.tables().map(({ spec, visible }) => [spec.name, spec.version, visible])).toEqual([
          ['orders', 1, true],
        ]);
        commit(() => {
          writer.publish(second);
          writer.feedRebuilt('orders', seq);
        });
        expect(before.get('orders', [1])?.row).toEqual([1, 'old', 1]);
        before.close();
        expect(point('orders', [1]).found?.row).toEqual([1, 'new', 2]);
        commit(() => writer.dropTable({ ...orders, name: '', schema: { columns: [], keyColumns: [] } }));
        expect(point('orders', [1])).toMatchObject({
          found: { row: [1, 'new', 2] },
        });
        expect(writer.physicalTables()).toEqual([{ id: 1, version: 2 }]);
      });

      it('can be changed, and the rows and changes stay', () => {
        const table = createOrders();
        commit(() => {
          table.put([1, 'a', 1], 1, undefined);
          writer.feed('orders', { seq, index: 0, before: null, after: [1, 'a', 1], rowtimeMs: 1, commitTimeUs: 1 });
        });
        const renamed = { ...orders, name: 'purchases' };
        commit(() => {
          writer.unpublish('orders');
          const again = writer.openTable(renamed);
          writer.publish(renamed);
          again.put([2, 'b', 2], 1, undefined);
          writer.feed('purchases', { seq, index: 0, before: null, after: [2, 'b', 2], rowtimeMs: 1, commitTimeUs: 1 });
        });
        expect(() => point('orders', [1])).toThrow(expect.objectContaining({ code: 'unknown-table' }));
        expect(point('purchases', [2])).toMatchObject({
          found: { row: [2, 'b', 2] },
        });
        const session = reader.session();
        expect(session.table('purchases').rowCount).toBe(2);
        expect(
          session.changes('purchases', { seq: 1, index: Infinity }, 1e6).changes.map(({ after }) => after),
        ).toEqual([
          [1, 'a', 1],
          [2, 'b', 2],
        ]);
        session.close();
      });
    });

    it('gives changes with the columns of now, where a column that came back is a new one', () => {
      const table = createOrders();
      const [id, name, amount] = orders.schema.columns as [Column, Column, Column];
      const feed = (after: Row) =>
        writer.feed('orders', { seq, index: 0, before: null, after, rowtimeMs: 1, commitTimeUs: 1 });
      const alter = (spec: TableSpec, columns: readonly Column[]): TableSpec => {
        let altered = spec;
        commit(() => {
          altered = writer.alterTable(spec, { columns, keyColumns: [0] });
          writer.publish(altered);
          writer.feedSchema(altered, seq);
        });
        return altered;
      };
      commit(() => {
        table.put([1, 'a', 1], 1, undefined);
        feed([1, 'a', 1]);
      });
      const narrow = alter(orders, [id, amount]);
      commit(() => feed([2, 2]));
      const wide = alter(narrow, [id, name, amount]);
      commit(() => feed([3, 'c', 3]));
      const session = reader.session();
      const { changes, altered } = session.changes('orders', { seq: 1, index: Infinity }, 1e6);
      expect(changes.map(({ after }) => after)).toEqual([
        [1, null, 1],
        [2, null, 2],
        [3, 'c', 3],
      ]);
      expect(altered).toHaveLength(2);
      session.close();
      expect(writer.openTable(wide).get([1])).toEqual([1, null, 1]);
    });

    describe('a read session', () => {
      it('is one cut over all tables, whatever is committed meanwhile', () => {
        const table = createOrders();
        const balances = { ...orders, id: 2, name: 'balances' };
        let other!: ReturnType<StateWriter['createTable']>;
        commit(() => {
          other = writer.createTable(balances);
          writer.publish(balances);
          table.put([1, 'a', 100], 1, undefined);
          other.put([1, 'a', 0], 1, undefined);
        });
        const session = reader.session();
        expect(session.get('orders', [1])?.row[2]).toBe(100);
        commit(() => {
          table.put([1, 'a', 60], 1, [1, 'a', 100]);
          other.put([1, 'a', 40], 1, [1, 'a', 0]);
        });
        expect(session.get('balances', [1])?.row[2]).toBe(0);
        expect(session.frontier.seq).toBe(seq - 1);
        session.close();
        expect(point('balances', [1]).found?.row[2]).toBe(40);
      });

      it('walks in key order, forwards, backwards, in ranges and from where another walk stopped', () => {
        const spec = twoKeys;
        let table!: ReturnType<StateWriter['createTable']>;
        commit(() => {
          table = writer.createTable(spec);
          writer.publish(spec);
        });
        const rows: Row[] = [];
        for (const region of ['a', 'b', 'ü', '😀']) for (let n = -3; n < 300; n += 3) rows.push([n / 10, region, n]);
        commit(() => {
          for (const row of rows.toReversed()) table.put(row, 1, undefined);
        });
        const session = reader.session();
        const walk = (request: object) => [...session.scan({ table: 'cities', ...request })].map(({ row }) => row);
        expect(walk({})).toEqual(rows);
        expect(walk({ reverse: true })).toEqual(rows.toReversed());
        expect(walk({ prefix: ['b'] })).toEqual(rows.filter((row) => row[1] === 'b'));
        const range = { prefix: ['b'], lower: { value: 6, inclusive: false }, upper: { value: 30, inclusive: true } };
        expect(walk(range)).toEqual(
          rows.filter((row) => row[1] === 'b' && (row[2] as number) > 6 && (row[2] as number) <= 30),
        );
        expect(walk({ ...range, reverse: true, after: ['b', 21] })).toEqual(
          rows.filter((row) => row[1] === 'b' && (row[2] as number) > 6 && (row[2] as number) < 21).toReversed(),
        );
        for (const i of [0, 100, rows.length - 1])
          expect(walk({ after: [rows[i]![1]!, rows[i]![2]!] })).toEqual(rows.slice(i + 1));
        expect(walk({ prefix: ['ü'], after: ['ü', 0] })).toEqual(
          rows.filter((row) => row[1] === 'ü' && (row[2] as number) > 0),
        );
        session.close();
        expect(table.scan(null, 5).map(({ row }) => row)).toEqual(rows.slice(0, 5));
        expect(table.scan(['a', 0], 5).map(({ row }) => row)).toEqual(rows.slice(2, 7));
      });

      it('stops where its caller stops, and refuses to go on once closed', () => {
        const table = createOrders();
        commit(() => {
          for (let i = 0; i < 500; i++) table.put([i, 'a', i], 1, undefined);
        });
        const session = reader.session();
        const walk = session.scan({ table: 'orders' })[Symbol.iterator]();
        for (let i = 0; i < 64; i++) expect(walk.next().value.row[0]).toBe(i);
        session.close();
        session.close();
        expect(() => walk.next()).toThrow();
      });
    });

    describe('point reads of one turn of the event loop', () => {
      const value = (atLeastSeq: number) => reader.point('orders', () => [1], atLeastSeq).found?.row[2];

      it('share a cut that is new enough, and the next turn has a new one', async () => {
        const table = createOrders();
        commit(() => table.put([1, 'a', 1], 1, undefined));
        const told = seq;
        expect(value(told)).toBe(1);
        commit(() => table.put([1, 'a', 2], 2, [1, 'a', 1]));
        expect(value(told)).toBe(1);
        expect(value(seq)).toBe(2);
        commit(() => table.put([1, 'a', 3], 3, [1, 'a', 2]));
        expect(value(told)).toBe(2);
        await new Promise(setImmediate);
        expect(value(told)).toBe(3);
      });

      it('leave no cut open when one of them fails', async () => {
        const table = createOrders();
        commit(() => table.put([1, 'a', 1], 1, undefined));
        expect(() => reader.point('nowhere', () => [1], 0)).toThrow(expect.objectContaining({ code: 'unknown-table' }));
        const noKey = () => {
          throw new TypeError('no key');
        };
        expect(() => reader.point('orders', noKey, 0)).toThrow('no key');
        expect(value(0)).toBe(1);
        await new Promise(setImmediate);
        commit(() => table.put([1, 'a', 2], 2, [1, 'a', 1]));
        expect(value(0)).toBe(2);
      });
    });

    describe('the frontier', () => {
      it('is the same object for readers while it has not moved', () => {
        createOrders();
        const first = point('orders', [1]).frontier;
        expect(point('orders', [2]).frontier).toBe(first);
        const session = reader.session();
        expect(session.frontier).toBe(first);
        session.close();
        commit(() => {});
        expect(point('orders', [1]).frontier).toMatchObject({ seq, positions: { p: `position ${seq}` } });
      });
    });

    describe('a table that stands still', () => {
      it('has the frontier at which it stopped, until another version of it is published', () => {
        const table = createOrders();
        commit(() => table.put([1, 'a', 1], 1, undefined));
        const at = writer.frontier;
        const frontiers = () => {
          const session = reader.session();
          const { frontier } = session.table('orders');
          expect(session.tables().find(({ spec }) => spec.name === 'orders')?.frontier).toEqual(frontier);
          session.close();
          expect(point('orders', [1]).frontier).toEqual(frontier);
          return frontier;
        };
        expect(frontiers()).toEqual(at);
        // In a commit that moves nothing else, as when a part fails.
        writer.transaction(() => writer.stop(orders, at));
        commit(() => {});
        expect(frontiers()).toEqual({ ...at, stopped: true });
        expect(point('orders', [1]).frontier).toBe(point('orders', [2]).frontier);
        commit(() => {});
        const next = { ...orders, version: orders.version + 1 };
        commit(() => writer.createTable(next));
        expect(frontiers()).toEqual({ ...at, stopped: true });
        commit(() => writer.publish(next));
        expect(frontiers()).toEqual(writer.frontier);
      });

      it('goes on when what stopped it is rolled back', () => {
        createOrders();
        rolledBack(writer, () => writer.stop(orders, writer.frontier));
        commit(() => {});
        expect(point('orders', [1]).frontier).toEqual(writer.frontier);
      });
    });

    describe('the change feed', () => {
      function change(of: number, index: number, before: Row | null, after: Row | null) {
        const beforeRowtimeMs = before === null ? undefined : of * 10 - 7;
        return {
          seq: of,
          index,
          before,
          after,
          rowtimeMs: of * 10,
          beforeRowtimeMs,
          commitTimeUs: of * 10_000 + index,
        };
      }

      it('gives every later change once, in order, from any place', () => {
        const table = createOrders();
        const all: ReturnType<typeof change>[] = [];
        for (let s = 2; s < 40; s += 2) {
          commit(() => {
            // Two appends in one commit, the second with a change in the middle of its table's indexes.
            for (const at of [s, s + 1]) {
              for (const index of at % 4 === 0 ? [0, 1, 5] : [0]) {
                const before = table.get([at % 7]) ?? null;
                const after: Row | null = at % 5 === 0 ? null : [at % 7, `name ${at} ${index}`, at];
                if (after === null && before === null) continue;
                if (after === null) table.delete([at % 7]);
                else table.put(after, at * 10, before ?? undefined);
                const made = change(at, index, before, after);
                writer.feed('orders', made);
                all.push(made);
              }
            }
          }, s + 1);
        }
        const session = reader.session();
        const from = (after: { seq: number; index: number }) => session.changes('orders', after, 1e6);
        expect(from({ seq: 1, index: Infinity })).toEqual({
          changes: all,
          rebuilt: [],
          altered: [],
          next: { seq, index: Infinity },
        });
        all.forEach(({ seq: s, index }, i) => expect(from({ seq: s, index }).changes).toEqual(all.slice(i + 1)));
        for (const s of [1, 7, 20, seq])
          expect(from({ seq: s, index: Infinity }).changes).toEqual(all.filter((made) => made.seq > s));
        // Small steps: each a prefix of what is left, at the end the frontier.
        let place: Place = { seq: 1, index: Infinity };
        const end = { seq, index: Infinity };
        const collected = [];
        for (let guard = 0; guard < 1000 && comparePlaces(place, end) < 0; guard++) {
          const part = session.changes('orders', place, 1);
          collected.push(...part.changes);
          expect(comparePlaces(part.next, place)).toBeGreaterThan(0);
          place = part.next;
        }
        expect(collected).toEqual(all);
        session.close();
      });

      it('gives an append of any length in pages of bounded size, the same whatever their size and wherever they begin', () => {
        createOrders();
        const all = Array.from({ length: 6000 }, (_, i) =>
          change(2, i, i % 3 === 0 ? null : [i, 'b'.repeat(i % 90), i], [i, 'a'.repeat(60), i]),
        );
        const rest = [change(3, 0, null, [7, 'z', 7]), change(4, 0, [7, 'z', 7], null)];
        commit(() => {
          for (const made of [...all, ...rest]) writer.feed('orders', made);
          writer.feedRebuilt('orders', 2);
        }, 4);
        all.push(...rest);
        const session = reader.session();
        for (const [from, bytesMax] of [
          [0, 1e9],
          [0, 20_000],
          [1234, 20_000],
          [5, 100],
          [5998, 1],
          [6000, 1],
        ] as const) {
          let place: Place = from === 0 ? { seq: 1, index: Infinity } : all[from - 1]!;
          const collected = [];
          const rebuilt = [];
          while (comparePlaces(place, { seq: 4, index: Infinity }) < 0) {
            const part = session.changes('orders', place, bytesMax);
            expect(part.changes.length).toBeLessThanOrEqual(1 + bytesMax / 60);
            // The mark stands behind the last change of its append, whatever lies in one blob with it.
            if (part.rebuilt.length > 0) expect(part.next.seq).toBeGreaterThan(2);
            collected.push(...part.changes);
            rebuilt.push(...part.rebuilt);
            place = part.next;
          }
          expect(collected).toEqual(all.slice(from));
          expect(rebuilt).toEqual([2]);
        }
        session.close();
      });

      it('tells of a rebuild at its seq', () => {
        createOrders();
        commit(() => writer.feed('orders', change(seq, 0, null, [1, 'a', 1])));
        const second = { ...orders, version: 2 };
        commit(() => {
          writer.createTable(second);
          writer.publish(second);
          writer.feedRebuilt('orders', seq);
        });
        commit(() => writer.feed('orders', change(seq, 0, [1, 'a', 1], null)));
        const session = reader.session();
        expect(session.changes('orders', { seq: 1, index: Infinity }, 1e6)).toMatchObject({
          changes: [{ seq: 2 }, { seq: 4 }],
          rebuilt: [3],
          altered: [],
          next: { seq: 4, index: Infinity },
        });
        expect(session.changes('orders', { seq: 3, index: Infinity }, 1e6).rebuilt).toEqual([]);
        session.close();
      });

      it('drops what is beyond its retention, oldest first, and tells who comes too late', () => {
        createOrders();
        for (let i = 0; i < 200; i++)
          commit(() => writer.feed('orders', change(seq, 0, null, [i, 'x'.repeat(1000), i])));
        const nowMs = Date.now();
        const session = reader.session();
        while (writer.pruneFeed({ ms: 1e9, bytes: 100_000 }, nowMs));
        // A cut that is open keeps what it has.
        expect(session.changes('orders', { seq: 1, index: Infinity }, 1e9).changes).toHaveLength(200);
        session.close();
        const after = reader.session();
        expect(() => after.changes('orders', { seq: 1, index: Infinity }, 1e9)).toThrow(
          expect.objectContaining({ code: 'too-old' }),
        );
        let oldest = seq;
        for (; oldest > 0; oldest--) {
          try {
            after.changes('orders', { seq: oldest, index: Infinity }, 1e9);
          } catch {
            break;
          }
        }
        const left = after.changes('orders', { seq: oldest + 1, index: Infinity }, 1e9).changes;
        expect(left.map((made) => made.seq)).toEqual(Array.from({ length: left.length }, (_, i) => oldest + 2 + i));
        expect(left.length).toBeGreaterThan(90);
        expect(left.length).toBeLessThan(105);
        after.close();
        while (writer.pruneFeed({ ms: 1000, bytes: 1e9 }, nowMs + 1_000_000));
        expect(writer.pruneFeed({ ms: 1000, bytes: 1e9 }, nowMs + 1_000_000)).toBe(false);
        const empty = reader.session();
        const end = { seq, index: Infinity };
        expect(empty.changes('orders', end, 1e9)).toEqual({ changes: [], rebuilt: [], altered: [], next: end });
        expect(() => empty.changes('orders', { seq: seq - 1, index: Infinity }, 1e9)).toThrow(/no longer kept/);
        empty.close();
      });

      it('of a table that became readable later begins there', () => {
        commit(() => {});
        createOrders();
        const session = reader.session();
        expect(() => session.changes('orders', { seq: 1, index: Infinity }, 1e6)).toThrow(
          expect.objectContaining({ code: 'too-old' }),
        );
        expect(session.changes('orders', { seq: 2, index: Infinity }, 1e6).changes).toEqual([]);
        session.close();
      });
    });

    describe('operator state', () => {
      it('is an ordered map that is scanned by the first columns of its key', () => {
        const state = writer.openState(stateSpec);
        const keys: Row[] = [];
        for (const n of [null, -5, 0, 7])
          for (const text of [null, '', 'a', 'a\u0000', 'ab', 'b']) keys.push([n, text]);
        commit(() => {
          for (const key of keys.toReversed()) state.put(key, [Number(key[0])]);
        });
        const scanned = (prefix: Row, options?: object) => state.scan(prefix, options).map(({ key }) => key);
        expect(scanned([])).toEqual(keys);
        expect(scanned([0])).toEqual(keys.filter(([n]) => n === 0));
        expect(scanned([null])).toEqual(keys.filter(([n]) => n === null));
        expect(scanned([7, 'a'])).toEqual([[7, 'a']]);
        expect(scanned([0], { reverse: true, limit: 2 })).toEqual([
          [0, 'b'],
          [0, 'ab'],
        ]);
        expect(scanned([0], { after: [0, 'a'] })).toEqual([
          [0, 'a\u0000'],
          [0, 'ab'],
          [0, 'b'],
        ]);
        expect(scanned([0], { after: [0, 'a'], reverse: true })).toEqual([
          [0, ''],
          [0, null],
        ]);
        commit(() => {
          for (const { key } of state.scan([0])) state.delete(key);
        });
        expect(scanned([0])).toEqual([]);
        commit(() => writer.dropState(stateSpec.name));
        expect(writer.openState(stateSpec).scan([])).toEqual([]);
      });

      it('may be a set of keys', () => {
        const set = writer.openState({ name: 'q1_set', key: [{ name: 'a', type: BIGINT }], value: [] });
        commit(() => set.put([5], []));
        expect(set.get([5])).toEqual([]);
        expect(set.get([6])).toBeUndefined();
      });

      it('of another form than before is refused', () => {
        writer.openState(stateSpec);
        expect(() => writer.openState({ ...stateSpec, value: [] })).toThrow(/form/);
      });
    });
  });
}

const orders: TableSpec = {
  id: 1,
  version: 1,
  name: 'orders',
  schema: {
    columns: [
      { name: 'id', type: INTEGER },
      { name: 'name', type: STRING },
      { name: 'amount', type: BIGINT },
    ],
    keyColumns: [0],
  },
};

/** Keys in another order than the columns. */
const twoKeys: TableSpec = {
  id: 3,
  version: 1,
  name: 'cities',
  schema: {
    columns: [
      { name: 'size', type: DOUBLE },
      { name: 'region', type: STRING },
      { name: 'number', type: INTEGER },
    ],
    keyColumns: [1, 2],
  },
};

const stateSpec = {
  name: 'q1_aggregate',
  key: [
    { name: 'n', type: INTEGER },
    { name: 's', type: STRING },
  ],
  value: [{ name: 'sum', type: DOUBLE }],
};

function frontierAt(writer: StateWriter, seq: number): Frontier {
  const { logId } = writer.frontier;
  const commitTimeUs = seq * 1000;
  return { logId, seq, commitTimeUs, commitTimesUs: { p: commitTimeUs }, positions: { p: `position ${seq}` } };
}
