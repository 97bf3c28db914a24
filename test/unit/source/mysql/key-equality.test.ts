import { describe, expect, it } from 'vitest';
import { BYTES, INTEGER, STRING, type Row } from '../../../../src/core/data-type.js';
import type { SourceColumn } from '../../../../src/core/row-encoder.js';
import type { Session } from '../../../../src/source/mysql/connection.js';
import { KeyEquality, searchKey, textRule } from '../../../../src/source/mysql/key-equality.js';

const column = (type: SourceColumn['type']): SourceColumn => ({ name: 'c', type, nullable: true, sourceType: '' });

describe('values of foreign keys', () => {
  it.each([
    ['utf8mb4_general_ci', 'aB ', 'Ab', true],
    ['utf8mb4_0900_ai_ci', 'aB', 'Ab', true],
    ['utf8mb4_0900_ai_ci', 'a ', 'a', false],
    ['utf8mb4_0900_as_cs', 'a', 'A', false],
    ['utf8mb4_bin', 'ä  ', 'ä', true],
    ['utf8mb4_bin', 'Ä', 'ä', false],
    ['utf8mb4_0900_bin', 'a ', 'a', false],
    ['utf8mb4_uca1400_nopad_as_ci', 'a ', 'A', false],
    ['latin1_swedish_ci', 'x', 'y', false],
  ])('by %s: "%s" and "%s"', async (collation, a, b, equal) => {
    const rule = textRule(collation.split('_')[0]!, collation)!;
    const keys = new KeyEquality([column(STRING)], [rule]);
    const never = () => {
      throw new Error('nothing is to be asked');
    };
    expect(await keys.equal([{ one: [a], other: [b] }], never)).toEqual([equal]);
    // The search finds at least what is equal.
    const search = (value: string) => searchKey([column(STRING)], [rule], [value]);
    if (equal) expect(search(a)).toBe(search(b));
  });

  it('of languages with letters of their own are not known', () => {
    for (const collation of ['utf8mb4_roman_ci', 'utf8mb4_da_0900_ai_ci', 'latin1_german2_ci', 'utf8mb4_lithuanian_ci'])
      expect(textRule(collation.split('_')[0]!, collation)).toBeUndefined();
  });

  it('are asked for where they are more than ASCII, once', async () => {
    const asked: string[] = [];
    const session = { queryLong: async (sql: string) => (asked.push(sql), [{ c0: '1', c1: '0' }]) };
    const rule = textRule('utf8mb4', 'utf8mb4_general_ci')!;
    const keys = new KeyEquality([column(INTEGER), column(STRING)], [null, rule]);
    const pairs = (values: readonly [Row, Row][]) => values.map(([one, other]) => ({ one, other }));
    const ask = () =>
      keys.equal(
        pairs([
          [
            [1, 'ä'],
            [1, "a'"],
          ],
          [
            [1, 'é'],
            [1, 'x'],
          ],
          [
            [2, 'é'],
            [1, 'e'],
          ],
        ]),
        () => session as unknown as Session,
      );
    expect(await ask()).toEqual([true, false, false]);
    expect(await ask()).toEqual([true, false, false]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain("CONVERT('a''' USING utf8mb4) COLLATE utf8mb4_general_ci");
  });

  it('that are null refer to nothing, and bytes are compared as they are', async () => {
    expect(searchKey([column(INTEGER)], [null], [null])).toBeUndefined();
    const keys = new KeyEquality([column(BYTES)], [null]);
    const equal = (a: string, b: string) =>
      keys.equal([{ one: [Buffer.from(a)], other: [Buffer.from(b)] }], () => undefined as never);
    expect(await equal('a', 'a')).toEqual([true]);
    expect(await equal('a', 'A')).toEqual([false]);
  });
});
