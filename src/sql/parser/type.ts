// Types: base types with parameters, ARRAY<>, MAP<,>, STRUCT<>, `INT ARRAY`, and names of custom types.
import type { TypeNode } from '../ast.js';
import type { TokenReader } from './token-reader.js';

export function parseType(cursor: TokenReader): TypeNode {
  return cursor.nested(() => {
    let type = parseSimpleType(cursor);
    while (cursor.isWord('ARRAY')) {
      const place = cursor.place();
      cursor.operator();
      type = { kind: 'array-type', element: type, place };
    }
    return type;
  });
}

function parseSimpleType(cursor: TokenReader): TypeNode {
  const place = cursor.place();
  if (cursor.isSymbol('<', 1)) {
    if (cursor.accept('ARRAY')) {
      cursor.expectSymbol('<');
      const element = parseType(cursor);
      cursor.expectSymbol('>');
      return { kind: 'array-type', element, place };
    }
    if (cursor.accept('MAP')) {
      cursor.expectSymbol('<');
      const key = parseType(cursor);
      cursor.expectSymbol(',');
      const value = parseType(cursor);
      cursor.expectSymbol('>');
      return { kind: 'map-type', key, value, place };
    }
    if (cursor.accept('STRUCT')) {
      const field = () => ({ name: cursor.name('a field name'), type: parseType(cursor) });
      return { kind: 'struct-type', fields: cursor.list('<', '>', field, true), place };
    }
  }
  if (cursor.isWord('STRUCT') && cursor.isSymbol('<>', 1)) {
    cursor.next();
    cursor.next();
    return { kind: 'struct-type', fields: [], place };
  }
  const name = cursor.name('a type');
  const params = cursor.isSymbol('(') ? cursor.list('(', ')', () => parameter(cursor)) : [];
  return { kind: 'named-type', name, params: params.filter((n) => n !== null), place };
}

/** A length or a precision; ksqlDB also accepts and ignores the word STRING (`VARCHAR(STRING)`). */
function parameter(cursor: TokenReader): number | null {
  if (cursor.accept('STRING')) return null;
  if (cursor.token.kind !== 'integer') throw cursor.unexpected(["'STRING'", 'INTEGER_VALUE']);
  return cursor.expectCount();
}
