// A table at work over a real store: what it tells its readers and the feed is what has changed, and nothing else.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTEGER, STRING, type Row } from '../../../src/core/data-type.js';
import { isAppliedBehind, isKeyBehind, type Cursor } from '../../../src/runtime/cursor.js';
import type { ApplyContext } from '../../../src/runtime/apply-context.js';
import { TableNode } from '../../../src/runtime/table-node.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { StateWriter } from '../../../src/store/state-store.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const schema = {
  columns: [
    { name: 'id', type: INTEGER },
    { name: 'name', type: STRING },
  ],
  keyColumns: [0],
};

let database: SqliteDatabase;
let state: StateWriter;
let context: ApplyContext;
beforeEach(() => {
  database = openDatabase(':memory:');
  state = openStateStore(database, { logId: 'l' });
  context = { seq: 1, commitTimeUs: 1000, rowtimeMs: 1, beforeRowtimeMs: undefined };
});
afterEach(() => database.close());

function openNode(id: number): TableNode {
  const writer = state.transaction(() => state.createTable({ id, version: 1, name: `t${id}`, schema }));
  return new TableNode(state, writer, context, false);
}

const change = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.option(fc.constantFrom('a', 'b'), { nil: null }));

describe(`a table node (PROPERTY_SEED=${seed})`, () => {
  it('tells old and new rows that fold to the table, and another version that listens becomes the same', () => {
    let id = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const node = openNode(++id);
        const other = openNode(++id);
        node.listeners.push(other);
        const folded = new Map<unknown, Row>();
        node.listeners.push({
          accept: (_source, before, after) => {
            const key = (after ?? before)![0];
            expect(before).toEqual(folded.get(key) ?? null);
            if (after === null) folded.delete(key);
            else folded.set(key, after);
          },
        });
        state.transaction(() => {
          for (const [key, name] of changes) node.set([key], name === null ? null : [key, name]);
        });
        const rows = (it: TableNode) => it.writer.scan(null, 100).map(({ row }) => row);
        expect(rows(node)).toEqual([...folded.values()].toSorted((a, b) => Number(a[0]) - Number(b[0])));
        expect(rows(other)).toEqual(rows(node));
        expect(node.writer.rowCount()).toBe(folded.size);
      }),
      { seed, numRuns: 60 },
    );
  });

  it('that nobody hears holds rows that were read, each with the ROWTIME of what made it so, however many are written together', () => {
    let id = 100;
    const step = fc.record({
      key: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4 })),
      name: fc.constantFrom('a', 'b'),
      does: fc.constantFrom('confirm', 'confirm', 'confirm', 'confirm', 'set', 'delete', 'look'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.nat(), (steps, pause) => {
        const node = openNode(++id);
        const model = new Map<number, { row: Row; rowtimeMs: number }>();
        const rows = () => node.writer.scan(null, 1000).map(({ row, rowtimeMs }) => ({ row, rowtimeMs }));
        const expected = () => [...model].toSorted(([a], [b]) => a - b).map(([, stored]) => stored);
        state.transaction(() => {
          for (const [i, { key, name, does }] of steps.entries()) {
            const row: Row = [key, name];
            context.rowtimeMs = i;
            if (does === 'confirm') {
              node.confirm([key], row);
              if (model.get(key)?.row[1] !== name) model.set(key, { row, rowtimeMs: i });
            } else if (does === 'set') {
              node.set([key], row);
              model.set(key, { row, rowtimeMs: i });
            } else if (does === 'delete') {
              node.set([key], null);
              model.delete(key);
            } else if (pause % 2 === 0) expect(rows()).toEqual(expected());
          }
          node.writer.settle();
        });
        expect(rows()).toEqual(expected());
        expect(node.writer.rowCount()).toBe(model.size);
      }),
      { seed, numRuns: 150 },
    );
  });

  it('numbers its changes anew in every append, and tells the ROWTIME of the row that was', () => {
    const node = openNode(1);
    const seen: unknown[] = [];
    node.listeners.push({ accept: () => seen.push(context.beforeRowtimeMs) });
    state.transaction(
      () => {
        state.publish(node.spec);
        node.feeds = true;
        const set = (seq: number, rowtimeMs: number, name: string) => {
          context.seq = seq;
          context.rowtimeMs = rowtimeMs;
          node.set([1], [1, name]);
        };
        set(1, 10, 'a');
        set(1, 20, 'b');
        set(2, 30, 'c');
      },
      { ...state.frontier, seq: 2 },
    );
    expect(seen).toEqual([undefined, 10, 20]);
  });
});

describe('a cursor', () => {
  it('has behind it what it has read: up to its last key, nothing before the first, everything when it is done', () => {
    const cursor: Cursor = { schema, last: null, done: false };
    const behind = () => [1, 2, 3].map((id) => [isAppliedBehind(cursor, [id, 'x']), isKeyBehind(cursor, [id])]);
    expect(behind()).toEqual([
      [false, false],
      [false, false],
      [false, false],
    ]);
    cursor.last = [2];
    expect(behind()).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    cursor.done = true;
    expect(behind()).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(isKeyBehind(undefined, [9])).toBe(true);
  });
});
