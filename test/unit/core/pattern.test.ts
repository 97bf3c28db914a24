// Regular expressions that others write: the same answers as V8's where both know the form, and never longer than their bound, whatever
// is asked.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import { compilePattern, matchesWhole, patternSize } from '../../../src/core/pattern.js';
import { wholeName } from '../../../src/core/pattern-list.js';

const letters = fc.constantFrom(
  'a',
  'b',
  '_',
  '.',
  String.raw`\.`,
  String.raw`\d`,
  String.raw`\w`,
  '1',
  '[ab]',
  '[^a]',
  '-',
);
const repeat = fc.constantFrom('', '', '', '*', '+', '?', '{2}', '{1,3}');
const patternText = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(letters, repeat).map(([one, many]) => one + many),
    fc.tuple(tie('text'), tie('text')).map(([one, other]) => one + other),
    fc.tuple(tie('text'), tie('text'), repeat).map(([one, other, many]) => `(${one}|${other})${many}`),
    fc.tuple(tie('text'), repeat).map(([one, many]) => `(?:${one})${many}`),
  ),
})).text;
const name = fc.string({ unit: fc.constantFrom('a', 'b', 'B', '1', '_', '.', '-'), maxLength: 12 });

describe('a pattern', () => {
  it('matches what V8 matches', () => {
    fc.assert(
      fc.property(patternText, name, fc.boolean(), (text, asked, ignoreCase) => {
        const judge = new RegExp(`^(?:${text})$`, ignoreCase ? 'i' : '');
        expect(compilePattern(text, { ignoreCase }).test(asked)).toBe(judge.test(asked));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the groups that V8 gives', () => {
    const texts = ['(a+)(b)?', '(?<first>[^.]*)[.](?<rest>.*)', '(?!x)(.*)_(.*)', 'plain'];
    for (const text of texts)
      for (const asked of ['aab', 'aa', 'shop.orders.old', 'a_b_c', 'plain', 'x_y']) {
        const judge = new RegExp(`^(?:${text})$`).exec(asked);
        const groups = compilePattern(text, { ignoreCase: false }).groups(asked);
        expect(groups === undefined).toBe(judge === null);
        for (const [at, group] of judge?.entries() ?? []) expect(groups!.get(String(at))).toBe(group);
        for (const [named, group] of Object.entries(judge?.groups ?? {})) expect(groups!.get(named)).toBe(group);
      }
  });

  it('has Java’s quotes and case as an item of a list says', () => {
    expect(matchesWhole(String.raw`\Qa.b\E.*`, 'a.b.c')).toBe(true);
    expect(matchesWhole(String.raw`\Qa.b\E.*`, 'axb.c')).toBe(false);
    expect(wholeName('(?-i)Shop.*').test('shop')).toBe(false);
    expect(wholeName('shop|ORDERS').test('orders')).toBe(true);
    expect(wholeName(String.raw`db\.(?!tmp_).*`).test('db.orders')).toBe(true);
    expect(wholeName(String.raw`db\.(?!tmp_).*`).test('DB.tmp_orders')).toBe(false);
    expect(wholeName('größe.*').test('GRÖSSE')).toBe(false);
    expect(wholeName('größe.*').test('GRÖßEN')).toBe(true);
  });

  it('is refused where it is none, or is larger than its bound', () => {
    for (const text of ['(', '[a', '*', 'a{2,1}', '(?<x', 'a**'])
      expect(() => compilePattern(text, { ignoreCase: true })).toThrow(SyntaxError);
    expect(patternSize('(a{100}b){10}')).toBeGreaterThanOrEqual(1_010);
    for (const text of [
      '((a{1000}){1000}){1000}',
      '(?=(a{1000}){1000})x',
      `(${'ab|'.repeat(bounds.patternSize.value)}c)`,
      'a'.repeat(1_000_000),
    ])
      expect(() => compilePattern(text, { ignoreCase: true })).toThrow(/at most/);
  });

  it('answers within its bound whatever is asked', () => {
    const hostile = [
      '(((.+)+)+)+!',
      '(a+)+b',
      '(a|aa)+$x',
      '(a|a?)+b',
      '(.*)*(.*)*(.*)*z',
      `${'(a?)'.repeat(500)}${'a'.repeat(500)}`,
      '(?=(a+)+b)a*',
      '(a*)*\\1b',
      '(?!(a|aa)+$)a+b',
      '.*.*.*.*.*.*.*.*.*.*x',
      '(x+x+)+y',
    ];
    const asked = ['a'.repeat(249), 'x'.repeat(249), `${'a'.repeat(248)}!`];
    for (const text of hostile) {
      const begun = performance.now();
      for (let i = 0; i < 20; i++) {
        for (const each of asked) {
          try {
            compilePattern(text, { ignoreCase: true }).test(`${each}${i}`);
          } catch (error) {
            expect(error).toMatchObject({ code: 'bad-connector-config', hint: expect.any(String) as string });
          }
        }
      }
      // One deadline at most, and what 60 answers of a machine with some hundred states take.
      expect(performance.now() - begun).toBeLessThan(1_500);
    }
  });
});
