// The differences that a swap tells are the true ones, whatever changed while the versions were compared and wherever the suspects are
// kept; of many differences only a page is in memory.
import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTEGER, STRING, type Row } from '../../../src/core/data-type.js';
import { suspectState, VersionComparison } from '../../../src/projector/version-comparison.js';
import { TableNode } from '../../../src/runtime/table-node.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { StateWriter, TableSpec } from '../../../src/store/state-store.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const columns = [
  { name: 'id', type: INTEGER },
  { name: 'text', type: STRING },
];

let folder: string;
let database: SqliteDatabase;
let state: StateWriter;
let nextId = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-compare-'));
  database = openDatabase(join(folder, 'writethrough.db'), { durability: 'normal' });
  state = openStateStore(database, { logId: 'L' });
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function transaction<T>(work: () => T): T {
  return state.transaction(work);
}

function twoVersions(): { old: TableNode; next: TableNode } {
  const id = ++nextId;
  const context = { seq: 1, commitTimeUs: 0, rowtimeMs: 0, beforeRowtimeMs: undefined };
  const node = (version: number) => {
    const spec: TableSpec = { id, version, name: `t${id}`, schema: { columns, keyColumns: [0] } };
    return new TableNode(state, state.createTable(spec), context, false);
  };
  return transaction(() => ({ old: node(1), next: node(2) }));
}

function set(node: TableNode, id: number, text: string | null): void {
  node.set([id], text === null ? null : [id, text]);
}

const rowsOf = (node: TableNode) =>
  new Map(node.writer.scan(null, 1e6).map(({ row }) => [row[0] as number, row] as const));

const side = fc.constantFrom('old', 'next', 'both');
const change = fc.tuple(side, fc.nat(30), fc.option(fc.constantFrom('a', 'b')));
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

describe(`two versions (PROPERTY_SEED=${seed})`, () => {
  it('differ as their rows do at the swap, with all suspects in memory and with none', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 20 }),
        fc.constantFrom(1, 300, 1e6),
        (rows, steps, heldBytesMax) => {
          const nodes = twoVersions();
          const apply = (changes: readonly Change[]) =>
            transaction(() => {
              for (const [of, id, text] of changes)
                for (const name of ['old', 'next'] as const)
                  if (of === name || of === 'both') set(nodes[name], id, text);
            });
          apply(rows);
          // One that ends before its time, as with a rollback, leaves suspects behind that are no longer any.
          const ended = new VersionComparison(nodes.old, nodes.next, state, 1);
          ended.step(5);
          if (ended.full) transaction(() => ended.keep());
          ended.unhook();
          apply(rows.slice(0, 3).map(([, id]): Change => ['both', id, 'a']));
          const comparison = new VersionComparison(nodes.old, nodes.next, state, heldBytesMax);
          const left = [...steps];
          while (!comparison.done) {
            comparison.step(3);
            if (comparison.full) transaction(() => comparison.keep());
            apply(left.pop() ?? []);
          }
          for (const changes of left) apply(changes);
          const found = transaction(() =>
            [...comparison.differences()].map(({ before, after }) => ({ before, after })),
          );
          const [old, next] = [rowsOf(nodes.old), rowsOf(nodes.next)];
          const expected = new Map<number, { before: Row | null; after: Row | null }>();
          for (const id of new Set([...old.keys(), ...next.keys()])) {
            const [before, after] = [old.get(id) ?? null, next.get(id) ?? null];
            if (before?.[1] !== after?.[1]) expected.set(id, { before, after });
          }
          const keyOf = ({ before, after }: { before: Row | null; after: Row | null }) =>
            (after ?? before)![0] as number;
          expect(found.length).toBe(expected.size);
          expect(new Map(found.map((difference) => [keyOf(difference), difference]))).toEqual(expected);
          expect(found.map(keyOf)).toEqual([...expected.keys()].toSorted((a, b) => a - b));
          comparison.unhook();
        },
      ),
      { seed, numRuns: 60 },
    );
  });

  it('that differ in many rows are told apart a page at a time', { timeout: 60_000 }, () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const liveBytes = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const count = 100_000;
    const { old, next } = twoVersions();
    transaction(() => {
      for (let id = 0; id < count; id++) set(old, id, 'old'.padEnd(100, 'x'));
      for (let id = 0; id < count; id++) set(next, id, 'new'.padEnd(100, 'x'));
    });
    const before = liveBytes();
    const comparison = new VersionComparison(old, next, state);
    while (!comparison.done) {
      comparison.step(1000);
      if (comparison.full) transaction(() => comparison.keep());
    }
    let most = liveBytes() - before;
    let got = 0;
    transaction(() => {
      for (const { after } of comparison.differences()) {
        expect(after![0]).toBe(got++);
        if (got % 20_000 === 0) most = Math.max(most, liveBytes() - before);
      }
      state.dropState(suspectState(next.spec));
    });
    expect(got).toBe(count);
    expect(most).toBeLessThan(5 * 1024 * 1024);
  });
});
