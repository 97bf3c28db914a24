// Random texts that look a little like SQL.
import fc from 'fast-check';

/** Texts made of pieces that mean something to the lexer, so that random input gets past the first character. */
export const sqlText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[
          'SELECT',
          ' ',
          '\n',
          '--',
          '/*',
          '*/',
          "'",
          '"',
          '`',
          '${a}',
          '$',
          '1',
          '1.5',
          '.5',
          '1e3',
          '1e',
          '->',
          '=>',
        ],
        ...[
          ':=',
          '||',
          '(',
          ')',
          '[',
          ']',
          ',',
          ';',
          '*',
          '<',
          '>',
          '=',
          '!=',
          '.',
          'a',
          'FROM',
          'CASE',
          'WHEN',
          'END',
        ],
        ...['CREATE', 'TABLE', 'AS', 'WHERE', 'x', 'AND', 'NOT', 'IN', 'CAST', 'INSERT', 'INTO', 'VALUES', '-', 'NULL'],
      ),
      fc.string({ maxLength: 3, unit: 'binary' }),
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(''));
