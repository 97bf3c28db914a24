import { expect, it } from 'vitest';
import { splitPatterns } from '../../../src/core/pattern-list.js';

it('splits lists at commas that are not part of a pattern', () => {
  expect(splitPatterns(' a.b , c\\.d{1,2},[x,y],e\\,f ,')).toEqual(['a.b', 'c\\.d{1,2}', '[x,y]', 'e\\,f']);
});
