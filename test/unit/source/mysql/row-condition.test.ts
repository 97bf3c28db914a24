import { expect, it } from 'vitest';
import { checkCondition } from '../../../../src/source/mysql/row-condition.js';

it.each([
  'id = 1',
  "name IN ('a)', \"b;\", '--', 'it''s', 'back\\'s') OR (n > 3 AND `odd#name` = 1)",
  "json->'$.a' = 1",
])('takes %s', (text) => {
  expect(() => checkCondition(text)).not.toThrow();
});

it.each([
  [' ', /empty/],
  ['x'.repeat(5000), /more than 4000/],
  ['1) UNION SELECT (2', /has not opened/],
  ['(1', /does not close/],
  ["name = 'a", /opens a ' that/],
  ["name = 'a\\'", /opens a ' that/],
  ['`a\\` = 1)', /has not opened/],
  ['1; DELETE FROM t', /more than one statement/],
  ['1 -- rest', /comment/],
  ['1 # rest', /comment/],
  ['1 /*! OR 1 */', /comment/],
])('refuses %s', (text, why) => {
  expect(() => checkCondition(text)).toThrow(why);
});
