import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptedTypes, negotiate } from '../../../src/server/accept.js';
import { quoteName, sqlLiterals } from '../../../src/server/json-literals.js';
import { scanStatements } from '../../../src/server/statement-kind.js';
import { substituteVariables } from '../../../src/server/variables.js';

describe('scanning statements', () => {
  it('counts them and knows their first words', () => {
    const kinds = scanStatements(
      "create table a; -- select;\n/* ; */ INSERT INTO b VALUES ('it''s; select', \"x;\", `y;`) ;; select 1 emit changes",
    );
    expect(kinds.map(({ firstWord, emits }) => [firstWord, emits])).toEqual([
      ['CREATE', false],
      ['INSERT', false],
      ['SELECT', true],
    ]);
    expect(kinds[2]!.text).toBe('select 1 emit changes');
  });

  it('ends on every text, and never loses a character that is not a separator', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("'", '"', '`', ';', '-', '/', '*', '\n', ' ', 'a', 'EMIT ', 'é') }),
        (sql) => {
          for (const { text } of scanStatements(sql)) expect(sql).toContain(text);
        },
      ),
      { seed: 7, numRuns: 2_000 },
    );
  });
});

describe('SQL literals of a JSON row', () => {
  it('keep numbers as they are written', () => {
    expect([
      ...sqlLiterals(' { "a" : 123456789012345678901234567890.10 , "b":[ ] , "c":{"d":[{"e":"x"}]}, "f":-1e-7 } '),
    ]).toEqual([
      ['a', '123456789012345678901234567890.10'],
      ['b', 'ARRAY[]'],
      ['c', "STRUCT(d := ARRAY[STRUCT(e := 'x')])"],
      ['f', '-1e-7'],
    ]);
  });

  it('take every valid object: same names, same strings', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (row) => {
        const text = JSON.stringify(row);
        const literals = sqlLiterals(text);
        expect([...literals.keys()]).toEqual(Object.keys(JSON.parse(text) as object));
        for (const [name, value] of Object.entries(JSON.parse(text) as object)) {
          if (typeof value === 'string') expect(literals.get(name)).toBe(`'${value.replaceAll("'", "''")}'`);
          if (typeof value === 'number') expect(Number(literals.get(name))).toBe(value);
        }
      }),
      { seed: 11 },
    );
  });

  it('refuse what is no object', () => {
    for (const text of ['[1]', '1', '{"a":}', '']) expect(() => sqlLiterals(text)).toThrow();
    expect(quoteName('a b`c')).toBe('`a b``c`');
    expect(quoteName('`a`')).toBe('`a`');
  });
});

describe('Accept', () => {
  it('orders by weight, then place, and drops what is refused', () => {
    expect(acceptedTypes('a/b;q=0.1, c/d , E/F;q=0.9;x=y, g/h;q=0')).toEqual(['c/d', 'e/f', 'a/b']);
    expect(negotiate('x/y, a/b', 'none', new Map([['a/b', 'yes']]))).toBe('yes');
    expect(negotiate('x/y', 'none', new Map([['a/b', 'yes']]))).toBeUndefined();
    expect(negotiate(undefined, 'none', new Map())).toBe('none');
  });
});

describe('session variables', () => {
  it('are replaced once, without regard to case; unknown names stay', () => {
    expect(substituteVariables('${A} ${b} ${c}', { a: '${b}', B: 'x' })).toBe('${b} x ${c}');
  });
});
