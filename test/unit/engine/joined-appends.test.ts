// Appends that have a position together become durable together: a query that fails in one of them stands still before all of them, and
// nothing else notices.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BIGINT, INTEGER, STRING } from '../../../src/core/data-type.js';
import { buildChunk, type ChunkPart } from '../../support/chunk.js';
import { TestEngine, until } from '../../support/engine.js';
import { poisonQueries } from '../../support/poison.js';

const columns = [
  { name: 'id', type: INTEGER },
  { name: 'v', type: BIGINT },
  { name: 'name', type: STRING },
];
const queries = ['one', 'two', 'three'] as const;

interface Append {
  readonly joined: boolean;
  readonly rows: readonly { readonly id: number; readonly poison: (typeof queries)[number] | undefined }[];
}

const append: fc.Arbitrary<Append> = fc.record({
  joined: fc.boolean(),
  rows: fc.array(
    fc.record({
      id: fc.nat({ max: 5 }),
      poison: fc.option(fc.constantFrom(...queries), { nil: undefined, freq: 8 }),
    }),
    { maxLength: 3 },
  ),
});

let engine: TestEngine;
beforeEach(() => poisonQueries());
afterEach(() => vi.restoreAllMocks());

type Rows = Map<number, readonly unknown[]>;

it('of appends with one position a query that fails has seen all or none, the rest is applied, and a restart finds the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(append, { minLength: 1, maxLength: 8 }), { maxLength: 4 }), async (chunks) => {
      engine = await new TestEngine().open();
      try {
        await engine.capture('a', columns);
        for (const query of queries) await engine.run(`CREATE TABLE ${query} AS SELECT id, v, name FROM a;`);
        await until(async () => (await engine.api.rebuilds()).every(({ state }) => state === 'done'), 'all are built');
        const table: Rows = new Map();
        const sinks = new Map(queries.map((query) => [query as string, new Map() as Rows]));
        let [v, position] = [0, 0];
        const running = new Set<string>(queries);
        for (const appends of chunks) {
          const parts: ChunkPart[] = [];
          let failing = new Set<string>();
          for (const [i, { joined, rows }] of appends.entries()) {
            for (const { id, poison } of rows) {
              const name = poison === undefined ? '' : `poison ${poison}`;
              table.set(id, [id, ++v, name]);
              parts.push({ topic: engine.topic('a'), key: String(id), value: JSON.stringify({ id, v, name }) });
              if (poison !== undefined) failing.add(poison);
            }
            const isPlaced = !joined || i === appends.length - 1;
            parts.push({ end: { position: isPlaced ? String(++position) : null } });
            if (!isPlaced) continue;
            for (const query of failing) running.delete(query);
            failing = new Set();
            for (const query of running) sinks.set(query, new Map(table));
          }
          await engine.producer.write(buildChunk(parts));
        }
        const check = async (): Promise<void> => {
          expect(engine.rows('a').map((row) => row.map(String))).toEqual(sorted(table));
          for (const query of queries) {
            expect(engine.rows(query).map((row) => row.map(String))).toEqual(sorted(sinks.get(query)!));
            expect(await engine.state(query)).toBe(running.has(query) ? 'RUNNING' : 'ERROR');
          }
        };
        await engine.producer.flush();
        await check();
        await engine.restart();
        expect(engine.producer.position).toBe(position === 0 ? null : String(position));
        await check();
        expect(engine.failed).toBeUndefined();
      } finally {
        await engine.remove();
      }
    }),
    { numRuns: 12 },
  );
});

function sorted(rows: Rows): string[][] {
  return [...rows.entries()].toSorted(([a], [b]) => a - b).map(([, row]) => row.map(String));
}
