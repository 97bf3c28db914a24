// The innermost expressions: literals, names, calls, CASE, CAST, constructors, parentheses, and what follows them ([index],
// ->field).
import type { Expression } from '../ast.js';
import type { TokenReader } from './token-reader.js';
import { acceptLiteral } from './literal.js';
import { parseType } from './type.js';

/** The parsers of what stands inside brackets; handed in, because they in turn need this file. */
export interface Inner {
  readonly expression: (cursor: TokenReader) => Expression;
  readonly value: (cursor: TokenReader) => Expression;
}

export function parsePrimary(cursor: TokenReader, inner: Inner): Expression {
  let base = parseBase(cursor, inner);
  for (;;) {
    const place = cursor.place();
    if (cursor.isSymbol('[')) {
      cursor.operator();
      const index = inner.value(cursor);
      cursor.expectSymbol(']');
      base = { kind: 'subscript', base, index, place };
    } else if (cursor.isSymbol('->') && !cursor.isSymbol('*', 1)) {
      cursor.operator();
      base = { kind: 'field', base, name: cursor.name('a field name'), place };
    } else {
      return base;
    }
  }
}

function parseBase(cursor: TokenReader, inner: Inner): Expression {
  const literal = acceptLiteral(cursor);
  if (literal !== null) return literal;
  if (cursor.acceptSymbol('(')) {
    const expression = inner.expression(cursor);
    cursor.expectSymbol(')');
    return expression;
  }
  const place = cursor.place();
  if (cursor.accept('CASE')) return parseCase(cursor, place, inner);
  if (cursor.accept('CAST')) {
    cursor.expectSymbol('(');
    const arg = inner.expression(cursor);
    cursor.expect('AS');
    const type = parseType(cursor);
    cursor.expectSymbol(')');
    return { kind: 'cast', arg, type, place };
  }
  return parseConstructor(cursor, place, inner) ?? parseNamed(cursor, place, inner);
}

function parseCase(cursor: TokenReader, place: Expression['place'], inner: Inner): Expression {
  const operand = cursor.isWord('WHEN') ? null : inner.value(cursor);
  const whens: { condition: Expression; result: Expression }[] = [];
  while (cursor.accept('WHEN')) {
    const condition = inner.expression(cursor);
    cursor.expect('THEN');
    whens.push({ condition, result: inner.expression(cursor) });
  }
  if (whens.length === 0) throw cursor.unexpected(['WHEN']);
  const otherwise = cursor.accept('ELSE') ? inner.expression(cursor) : null;
  cursor.expect('END');
  return { kind: 'case', operand, whens, otherwise, place };
}

/** ARRAY[..], MAP(k := v), STRUCT(name := v); the words are names elsewhere. */
function parseConstructor(cursor: TokenReader, place: Expression['place'], inner: Inner): Expression | null {
  if (cursor.isWord('ARRAY') && cursor.isSymbol('[', 1)) {
    cursor.next();
    return { kind: 'array', items: cursor.list('[', ']', () => inner.expression(cursor), true), place };
  }
  if (cursor.isWord('MAP') && cursor.isSymbol('(', 1)) {
    cursor.next();
    const entry = () => {
      const key = inner.expression(cursor);
      cursor.expectSymbol(':=');
      return { key, value: inner.expression(cursor) };
    };
    return { kind: 'map', entries: cursor.list('(', ')', entry, true), place };
  }
  if (cursor.isWord('STRUCT') && cursor.isSymbol('(', 1)) {
    cursor.next();
    const field = () => {
      const name = cursor.name('a field name');
      cursor.expectSymbol(':=');
      return { name, value: inner.expression(cursor) };
    };
    return { kind: 'struct', fields: cursor.list('(', ')', field, true), place };
  }
  return null;
}

/** A call, a typed literal, or a column with or without its source. */
function parseNamed(cursor: TokenReader, place: Expression['place'], inner: Inner): Expression {
  // LEFT and RIGHT would only be functions if SQL had them as names; they stay reserved, as in ksqlDB.
  const name = cursor.name('an expression');
  if (cursor.isSymbol('(')) {
    if (cursor.isSymbol('*', 1) && cursor.isSymbol(')', 2)) {
      for (let i = 0; i < 3; i++) cursor.next();
      return { kind: 'call', name, args: [], star: true, place };
    }
    return {
      kind: 'call',
      name,
      args: cursor.list('(', ')', () => parseArgument(cursor, inner), true),
      star: false,
      place,
    };
  }
  if (cursor.token.kind === 'string') return { kind: 'typed-literal', type: name, text: cursor.next().text, place };
  if (cursor.isSymbol('.') && !cursor.isSymbol('*', 1)) {
    cursor.next();
    return { kind: 'column', source: name, name: cursor.name('a column name'), place };
  }
  return { kind: 'column', source: null, name, place };
}

/** An expression, or a lambda: `x => ..`, `(x, y) => ..`. */
function parseArgument(cursor: TokenReader, inner: Inner): Expression {
  const place = cursor.place();
  if (cursor.isName() && cursor.isSymbol('=>', 1)) {
    const params = [cursor.name()];
    cursor.next();
    return { kind: 'lambda', params, body: inner.expression(cursor), place };
  }
  if (cursor.isSymbol('(') && isLambdaList(cursor)) {
    const params = cursor.list('(', ')', () => cursor.name());
    cursor.expectSymbol('=>');
    return { kind: 'lambda', params, body: inner.expression(cursor), place };
  }
  return inner.expression(cursor);
}

function isLambdaList(cursor: TokenReader): boolean {
  let n = 1;
  while (cursor.isName(n) && cursor.isSymbol(',', n + 1)) n += 2;
  return cursor.isName(n) && cursor.isSymbol(')', n + 1) && cursor.isSymbol('=>', n + 2);
}
