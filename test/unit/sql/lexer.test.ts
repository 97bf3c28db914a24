import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { lex } from '../../../src/sql/lexer.js';
import { sqlText } from '../../support/sql-text.js';

const kinds = (text: string): string[] => lex(text).map((token) => `${token.kind}:${token.text}`);

describe('lex', () => {
  it('tells words, names, texts and numbers apart', () => {
    expect(kinds(`a "B c" \`d\`\`e\` 'it''s' 12 1.50 .5 1. 1e3 1.5E-3 1R <> != := -> => ||`).join(' ')).toBe(
      "word:a quoted:B c quoted:d`e string:it's integer:12 decimal:1.50 decimal:.5 decimal:1. double:1e3 " +
        'double:1.5E-3 word:1R symbol:<> symbol:!= symbol::= symbol:-> symbol:=> symbol:|| end:',
    );
  });

  it('leaves comments out and keeps lines and columns exact', () => {
    const tokens = lex("a -- 'x\n  b /* \n ; */ c\n\td 'two\nlines' e");
    expect(tokens.map(({ text, line, column }) => [text, line, column])).toEqual([
      ['a', 1, 1],
      ['b', 2, 3],
      ['c', 3, 7],
      ['d', 4, 2],
      ['two\nlines', 4, 4],
      ['e', 5, 8],
      ['', 5, 9],
    ]);
  });

  it.each([
    ["'open", 'the text has no closing quote'],
    ['`open', 'the quoted name has no closing quote'],
    ['""', 'a quoted name cannot be empty'],
    ['/* open', 'the comment has no end'],
    ['a ~ b', "unexpected character '~'"],
    ['${', 'a variable is written ${name}'],
  ])('refuses %j', (text, message) => {
    expect(() => lex(text)).toThrow(message);
  });

  it('throws nothing but syntax errors with a place, and its tokens lie in the text in order', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        let tokens;
        try {
          tokens = lex(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect((error as AppError).code).toBe('syntax-error');
          expect((error as AppError).place?.line).toBeGreaterThan(0);
          return;
        }
        let end = 0;
        for (const token of tokens) {
          expect(token.start).toBeGreaterThanOrEqual(end);
          end = token.end;
          const before = text.slice(0, token.start).split('\n');
          expect([token.line, token.column]).toEqual([before.length, before.at(-1)!.length + 1]);
        }
        expect(end).toBe(text.length);
      }),
      { numRuns: 2000 },
    );
  });
});
