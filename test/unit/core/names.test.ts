// One rule for names: the same two names are one on every thread that looks a name up.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { INTEGER, STRING } from '../../../src/core/data-type.js';
import { nameKey, sameName } from '../../../src/core/names.js';
import { SourceCache } from '../../../src/query/session-catalog.js';
import { Context } from '../../../src/sql/analyze/context.js';
import type { ReadSession } from '../../../src/store/state-store.js';
import { ReaderCatalogue } from '../../../src/store/sqlite/reader-catalogue.js';
import type { CataloguedTable } from '../../../src/store/sqlite/table-catalogue.js';

/** Letters that lengthen, merge or change with the language when their case does. */
const letters = fc.constantFrom(...'a A i I İ ı ſ s S ß ẞ ş Ş σ ς Σ µ μ Μ é É ǆ ǅ ŉ _ 1 😀 k \u212a'.split(' '));
const names = fc.array(letters, { minLength: 1, maxLength: 3 }).map((each) => each.join(''));

describe('the key of a name', () => {
  it('is that of itself, and as long as the name', () => {
    fc.assert(
      fc.property(fc.oneof(names, fc.string({ unit: 'binary' })), (name) => {
        expect(nameKey(nameKey(name))).toBe(nameKey(name));
        expect(nameKey(name)).toHaveLength(name.length);
      }),
    );
  });

  it('folds letters that have one other case, and keeps those whose case is another word or language', () => {
    expect(sameName('Größe', 'GRÖßE')).toBe(true);
    expect(sameName('σ', 'Σ')).toBe(true);
    for (const [a, b] of [
      ['straße', 'STRASSE'],
      ['ı', 'I'],
      ['İ', 'i'],
      ['ſ', 'S'],
      ['\u212a', 'k'],
    ])
      expect(sameName(a!, b!)).toBe(false);
  });

  it('decides alike on readers, in the SQL analysis and in the catalogue of a cut', () => {
    fc.assert(
      fc.property(names, names, (written, asked) => {
        const same = sameName(written, asked);
        const schema = {
          columns: [
            { name: 'id', type: INTEGER },
            { name: 'v', type: STRING },
          ],
          keyColumns: [0],
        };
        const table = {
          spec: { id: 1, version: 1, name: written, schema },
          visible: true,
        } as unknown as CataloguedTable;
        const readers = new ReaderCatalogue(1, [table]);
        if (same) expect(readers.get(asked)).toBe(table);
        else expect(() => readers.get(asked)).toThrow('there is no table');
        const session = {
          document: (_kind: string, name: string) =>
            name === nameKey(written) ? JSON.stringify({ name: written }) : undefined,
        } as unknown as ReadSession;
        const catalog = new SourceCache().view(session);
        expect(catalog.find(asked)?.name).toBe(same ? written : undefined);
        const options = { strict: false, defaults: { keyFormat: 'JSON', valueFormat: 'JSON', partitions: 1 } } as const;
        expect(new Context(catalog, options).same(written, asked)).toBe(same);
      }),
    );
  });
});
