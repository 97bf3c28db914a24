// Expressions by precedence climbing. From loose to tight: OR, AND, NOT, predicates (= < BETWEEN IN LIKE IS), ||, + -, * / %,
// sign, then [index] and ->field. A predicate takes no second one: `a = b = c` is an error, as in ksqlDB.
import type { BinaryOp, ComparisonOp, Expression } from '../ast.js';
import type { TokenReader } from './token-reader.js';
import { isNumber } from './literal.js';
import { parsePrimary as parsePrimaryWith } from './primary.js';

/** An expression that needs no operator: literal, name, call, constructor, with [index] and ->field behind. */
export function parsePrimary(cursor: TokenReader): Expression {
  return parsePrimaryWith(cursor, { expression: parseExpression, value: parseValue });
}

export function parseExpression(cursor: TokenReader): Expression {
  return cursor.nested(() => parseOr(cursor));
}

function parseOr(cursor: TokenReader): Expression {
  let left = parseAnd(cursor);
  while (cursor.isWord('OR')) {
    const place = cursor.place();
    cursor.operator();
    left = { kind: 'logical', op: 'OR', left, right: parseAnd(cursor), place };
  }
  return left;
}

function parseAnd(cursor: TokenReader): Expression {
  let left = parseNot(cursor);
  while (cursor.isWord('AND')) {
    const place = cursor.place();
    cursor.operator();
    left = { kind: 'logical', op: 'AND', left, right: parseNot(cursor), place };
  }
  return left;
}

function parseNot(cursor: TokenReader): Expression {
  if (!cursor.isWord('NOT')) return parsePredicate(cursor);
  const place = cursor.place();
  cursor.next();
  return { kind: 'not', arg: cursor.nested(() => parseNot(cursor)), place };
}

const comparisons = new Map<string, ComparisonOp>([
  ['=', '='],
  ['<>', '<>'],
  ['!=', '<>'],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

function parsePredicate(cursor: TokenReader): Expression {
  const arg = parseValue(cursor);
  const { token } = cursor;
  const place = cursor.place();
  if (token.kind === 'symbol') {
    const op = comparisons.get(token.text);
    if (op === undefined) return arg;
    cursor.next();
    return { kind: 'compare', op, left: arg, right: parseValue(cursor), place };
  }
  if (token.kind !== 'word') return arg;
  if (cursor.accept('IS')) return parseIs(cursor, arg, place);
  const negated = cursor.isWord('NOT') && ['BETWEEN', 'IN', 'LIKE'].some((word) => cursor.isWord(word, 1));
  if (negated) cursor.next();
  if (cursor.accept('BETWEEN')) {
    const lower = parseValue(cursor);
    cursor.expect('AND');
    return { kind: 'between', arg, lower, upper: parseValue(cursor), negated, place };
  }
  if (cursor.accept('IN')) {
    return { kind: 'in', arg, list: cursor.list('(', ')', () => parseExpression(cursor)), negated, place };
  }
  if (cursor.accept('LIKE')) {
    const pattern = parseValue(cursor);
    const escape = cursor.accept('ESCAPE') ? cursor.expectString() : null;
    return { kind: 'like', arg, pattern, escape, negated, place };
  }
  return arg;
}

function parseIs(cursor: TokenReader, arg: Expression, place: Expression['place']): Expression {
  const negated = cursor.accept('NOT');
  if (cursor.accept('NULL')) return { kind: 'is-null', arg, negated, place };
  cursor.expect('DISTINCT', 'FROM');
  const op = negated ? 'IS NOT DISTINCT FROM' : 'IS DISTINCT FROM';
  return { kind: 'compare', op, left: arg, right: parseValue(cursor), place };
}

/** An expression without AND, OR, NOT and predicates: what GROUP BY, VALUES and the sides of a comparison take. */
export function parseValue(cursor: TokenReader): Expression {
  return cursor.nested(() => parseBinary(cursor, 1));
}

const strengths = new Map<string, number>([
  ['||', 1],
  ['+', 2],
  ['-', 2],
  ['*', 3],
  ['/', 3],
  ['%', 3],
]);

/** Left-associative operators that bind at least as tightly as `least`. */
function parseBinary(cursor: TokenReader, least: number): Expression {
  let left = parseSigned(cursor);
  for (;;) {
    const { token } = cursor;
    const strength = token.kind === 'symbol' ? strengths.get(token.text) : undefined;
    if (strength === undefined || strength < least) return left;
    const place = cursor.place();
    cursor.operator();
    left = { kind: 'binary', op: token.text as BinaryOp, left, right: parseBinary(cursor, strength + 1), place };
  }
}

function parseSigned(cursor: TokenReader): Expression {
  const place = cursor.place();
  if (cursor.isSymbol('-') && isNumber(cursor, 1)) return parsePrimary(cursor);
  if (cursor.isSymbol('-') || cursor.isSymbol('+')) {
    const op = cursor.next().text as '-' | '+';
    return { kind: 'unary', op, arg: cursor.nested(() => parseSigned(cursor)), place };
  }
  return parsePrimary(cursor);
}
