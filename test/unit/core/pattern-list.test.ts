import { expect, it } from 'vitest';
import { nameOf, splitPatterns, wholeName } from '../../../src/core/pattern-list.js';

it('splits lists at commas that are not part of a pattern', () => {
  expect(splitPatterns(' a.b , c\\.d{1,2},[x,y],e\\,f ,')).toEqual(['a.b', 'c\\.d{1,2}', '[x,y]', 'e\\,f']);
});

it('takes names for the same whatever their case, unless an item says that it counts', () => {
  const fits = (item: string) => ['shop', 'Shop', 'shops'].filter((name) => wholeName(item).test(name));
  expect(fits('shop')).toEqual(['shop', 'Shop']);
  expect(fits('(?-i)shop')).toEqual(['shop']);
  expect(fits('(?-i)shop|SHOPS')).toEqual(['shop']);
  expect([nameOf('(?-i)a\\.b'), nameOf('a\\.b')]).toEqual(['a.b', 'a.b']);
});
