// Two tables never share the text that names them, whatever their databases and they are called.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qualifiedName, splitName } from '../../../src/core/table-name.js';

const part = fc.string({ unit: fc.constantFrom('a', 'B', '.', '`', ' ', '-', 'é'), minLength: 1, maxLength: 6 });
const refs = fc.record({ database: part, table: part });

describe('the name of a table', () => {
  it('is as people write it where no part holds a dot', () => {
    expect(qualifiedName({ database: 'shop', table: 'order items' })).toBe('shop.order items');
  });

  it('leads back to its two parts, so no two tables share one', () => {
    fc.assert(
      fc.property(refs, (ref) => {
        expect(splitName(qualifiedName(ref))).toEqual(ref);
      }),
    );
  });

  it('is still one of the same two tables in lower case', () => {
    const lower = ({ database, table }: { database: string; table: string }) => ({
      database: database.toLowerCase(),
      table: table.toLowerCase(),
    });
    fc.assert(
      fc.property(refs, (ref) => {
        expect(splitName(qualifiedName(ref).toLowerCase())).toEqual(lower(ref));
      }),
    );
  });
});
