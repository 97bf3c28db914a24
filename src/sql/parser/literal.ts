// Literals: NULL, TRUE, FALSE, texts and numbers, a minus before a number belonging to it.
import type { Literal } from '../ast.js';
import type { TokenReader } from './token-reader.js';

export function isNumber(cursor: TokenReader, n = 0): boolean {
  const { kind } = cursor.peek(n);
  return kind === 'integer' || kind === 'decimal' || kind === 'double';
}

/** NULL, TRUE, FALSE, a text or a number with or without a minus; null when none is here. */
export function acceptLiteral(cursor: TokenReader): Literal | null {
  const place = cursor.place();
  const { token } = cursor;
  if (token.kind === 'string') {
    cursor.next();
    return { kind: 'string', value: token.text, place };
  }
  const negative = cursor.isSymbol('-') && isNumber(cursor, 1);
  if (negative || isNumber(cursor)) {
    if (negative) cursor.next();
    const number = cursor.next();
    const kind = number.kind as 'integer' | 'decimal' | 'double';
    return { kind, text: negative ? `-${number.text}` : number.text, place };
  }
  if (cursor.accept('NULL')) return { kind: 'null', place };
  if (cursor.accept('TRUE')) return { kind: 'boolean', value: true, place };
  if (cursor.accept('FALSE')) return { kind: 'boolean', value: false, place };
  return null;
}

export function parseLiteral(cursor: TokenReader): Literal {
  const literal = acceptLiteral(cursor);
  if (literal === null) throw cursor.unexpected(['a literal']);
  return literal;
}
