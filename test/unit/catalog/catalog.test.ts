// The catalogue over a real store: what it holds in memory is what the documents say, before and after a rollback and a restart.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Catalog, type QueryEntry, type SourceEntry } from '../../../src/catalog/catalog.js';
import { nameKey } from '../../../src/core/names.js';
import { INTEGER } from '../../../src/core/data-type.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';
import type { StateWriter } from '../../../src/store/state-store.js';
import { rolledBack } from '../../support/rolled-back.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);

let database: SqliteDatabase;
let state: StateWriter;
let catalog: Catalog;
beforeEach(() => {
  database = openDatabase(':memory:');
  state = openStateStore(database, { logId: 'l' });
  catalog = new Catalog(state);
});
afterEach(() => database.close());

function source(name: string): SourceEntry {
  return {
    name,
    sourceKind: 'stream',
    schema: { columns: [{ name: 'id', type: INTEGER }], keyColumns: [] },
    properties: { topic: name, keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1, timestampColumn: null },
    writtenBy: null,
    readOnly: false,
    owner: { kind: 'api', name: null },
    sql: null,
    table: null,
    captured: null,
    visible: true,
    failed: null,
    schemaIds: null,
  };
}

function query(id: string, number: number): QueryEntry {
  return {
    id,
    sql: '',
    sink: id,
    strict: false,
    owner: { kind: 'api', name: null },
    state: { kind: 'running' },
    number,
  };
}

const all = (it: Catalog) => ({
  sources: it.all(),
  queries: it.queries(),
});

type Step = { readonly kind: 'put' | 'drop' | 'query' | 'drop-query'; readonly name: string };
const step = fc.record({
  kind: fc.constantFrom<Step['kind'][]>('put', 'drop', 'query', 'drop-query'),
  name: fc.constantFrom('a', 'A', 'b', 'Straße', 'z', '0'),
});

function apply(to: Catalog, { kind, name }: Step): void {
  if (kind === 'put') to.putSource({ ...source(name), ...to.find(name), name });
  if (kind === 'drop' && to.find(name)) to.dropSource(name);
  if (kind === 'query' && !to.query(name)) to.putQuery(query(name, to.nextQueryNumber()));
  if (kind === 'drop-query' && to.query(name)) to.dropQuery(name);
}

describe(`the catalogue (PROPERTY_SEED=${seed})`, () => {
  it('is after a rollback what it was before, and after a restart what it is, in creation order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(step, { maxLength: 8 }), fc.boolean()), { maxLength: 6 }), (groups) => {
        for (const [steps, commits] of groups) {
          const before = structuredClone(all(catalog));
          const work = () => {
            for (const one of steps) apply(catalog, one);
          };
          if (commits) state.transaction(work);
          else {
            rolledBack(state, work);
            catalog.reload();
            expect(all(catalog)).toEqual(before);
          }
          expect(all(new Catalog(state))).toEqual(all(catalog));
          const numbers = catalog.queries().map(({ number }) => number);
          expect(numbers).toEqual(numbers.toSorted((x, y) => x - y));
        }
      }),
      { seed, numRuns: 100 },
    );
  });

  it('finds names without regard to case and keeps their spelling', () => {
    state.transaction(() => catalog.putSource(source('MixedCase')));
    expect(catalog.find('mixedcase')?.name).toBe('MixedCase');
    expect(nameKey('mixedcase')).toBe(nameKey('MIXEDCASE'));
  });

  it('gives no number twice, not even one whose owner is gone', () => {
    const next = () => state.transaction(() => [catalog.nextTableId(), catalog.nextQueryNumber()]);
    const first = next();
    rolledBack(state, () => catalog.nextTableId());
    catalog.reload();
    expect(next()).toEqual(first.map((number) => number + 1));
  });
});
