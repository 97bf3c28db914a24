// Keys of rows that the configuration makes: only those that tell rows apart.
import { describe, expect, it } from 'vitest';
import type { AppError } from '../../../../src/core/errors.js';
import type { TableColumn } from '../../../../src/source/mysql/column-form.js';
import { keyOf, messageKeyProblem, parseMessageKeys } from '../../../../src/source/mysql/message-keys.js';

const column = (name: string, nullable = false): TableColumn => ({
  name,
  nullable,
  form: { kind: 'integer', bytes: 4, unsigned: false },
});
const orders = {
  database: 'shop',
  table: 'orders',
  columns: [
    column('id'),
    column('tenant'),
    column('note', true),
    { name: 'ratio', nullable: false, form: { kind: 'double' } as const },
  ],
  keyColumns: [0],
};
const key = (text: string, table = orders) => keyOf(table, parseMessageKeys(text));
const problem = (text: string, table = orders) => messageKeyProblem(table, parseMessageKeys(text))?.message;

describe('message.key.columns', () => {
  it('makes keys in the order in which columns are named, for whole names of tables', () => {
    expect(key('shop.orders:tenant,id')).toEqual([1, 0]);
    expect(key(String.raw` SHOP\.(orders|carts):ID ; x.y:z;`)).toEqual([0]);
    expect(key('(.*).orders:tenant;shop.orders:tenant,id')).toEqual([1, 0]);
    expect(key('shop.orders:tenant|id')).toEqual([0, 1]);
    expect(key('shop.order:tenant,id')).toEqual([0]);
    expect(key('')).toEqual([0]);
    expect(problem('shop.orders:tenant,id')).toBeUndefined();
  });

  it.each([
    ['shop.orders:tenant', /would be tenant, by which rows are not told apart/],
    ['shop.orders:id,tennant', /a column tennant, which the table does not have/],
    ['shop.orders:id,note', /note, which may be NULL/],
    ['shop.orders:id,ratio', /ratio, whose values cannot be compared exactly \(double\)/],
  ])('%s is no key, and the primary key stays', (text, reason) => {
    expect(key(text)).toEqual([0]);
    expect(problem(text)).toMatch(reason);
  });

  it('is refused when the primary key becomes another one', () => {
    const text = 'shop.orders:tenant,id';
    const now = { ...orders, keyColumns: [2] };
    expect(key(text, now)).toEqual([2]);
    expect(problem(text, now)).toMatch(/not told apart/);
    // Made once, it is what it was made of.
    expect(problem(text, { ...orders, keyColumns: [1, 0] })).toBeUndefined();
  });

  it('makes no key for a table without one', () => {
    expect(key('shop.orders:tenant,id', { ...orders, keyColumns: [] })).toEqual([]);
  });

  it.each(['shop.orders', 'shop.orders:', 'a:b:c', 'a:b,,c', '(:b'])('"%s" is told to be none', (text) => {
    try {
      parseMessageKeys(text);
      expect.unreachable();
    } catch (error) {
      expect((error as AppError).message).toMatch(/message\.key\.columns/);
    }
  });
});
