// CREATE, DROP, ALTER and INSERT.
import type { ColumnDef, Name, Property, SourceWord, StatementNode } from '../ast.js';
import type { TokenReader } from './token-reader.js';
import { parseValue } from './expression.js';
import { parseLiteral } from './literal.js';
import { parseQuery } from './query.js';
import { parseType } from './type.js';

export function parseCreate(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('CREATE');
  const orReplace = cursor.accept('OR', 'REPLACE');
  if (!orReplace && cursor.accept('TYPE')) {
    const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS');
    const name = cursor.name('the name of the type');
    cursor.expect('AS');
    return { kind: 'create-type', ifNotExists, name, type: parseType(cursor), place };
  }
  const source = cursor.accept('SOURCE');
  const sink = !source && !orReplace && cursor.accept('SINK');
  if ((source || sink) && !orReplace && cursor.accept('CONNECTOR')) {
    const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS');
    const name = cursor.name('the name of the connector');
    cursor.expect('WITH');
    const direction = sink ? 'SINK' : 'SOURCE';
    return { kind: 'create-connector', direction, ifNotExists, name, properties: parseProperties(cursor), place };
  }
  const type = parseSourceWord(cursor);
  const ifNotExists = cursor.accept('IF', 'NOT', 'EXISTS');
  const name = cursor.name(`the name of the ${type.toLowerCase()}`);
  const columns = cursor.isSymbol('(') ? cursor.list('(', ')', () => parseColumn(cursor)) : [];
  const properties = cursor.accept('WITH') ? parseProperties(cursor) : [];
  if (!source && columns.length === 0 && cursor.accept('AS')) {
    return { kind: 'create-as', type, orReplace, ifNotExists, name, properties, query: parseQuery(cursor), place };
  }
  return { kind: 'create-source', type, orReplace, readOnly: source, ifNotExists, name, columns, properties, place };
}

function parseSourceWord(cursor: TokenReader): SourceWord {
  if (cursor.accept('STREAM')) return 'STREAM';
  if (cursor.accept('TABLE')) return 'TABLE';
  throw cursor.unexpected(['STREAM', 'TABLE']);
}

function parseColumn(cursor: TokenReader): ColumnDef {
  const place = cursor.place();
  const name = cursor.name('a column name');
  const type = parseType(cursor);
  let role: ColumnDef['role'] = 'value';
  let header: string | null = null;
  if (cursor.accept('PRIMARY')) {
    cursor.expect('KEY');
    role = 'primary-key';
  } else if (cursor.accept('KEY')) {
    role = 'key';
  } else if (cursor.accept('HEADERS')) {
    role = 'headers';
  } else if (cursor.accept('HEADER')) {
    role = 'header';
    cursor.expectSymbol('(');
    header = cursor.expectString();
    cursor.expectSymbol(')');
  }
  return { name, type, role, header, place };
}

export function parseProperties(cursor: TokenReader): Property[] {
  return cursor.list('(', ')', () => {
    const name = cursor.token.kind === 'string' ? textName(cursor) : cursor.name('a property');
    cursor.expectSymbol('=');
    return { name, value: parseLiteral(cursor) };
  });
}

/** A text in single quotes where a name may stand. */
export function textName(cursor: TokenReader): Name {
  const place = cursor.place();
  return { kind: 'name', text: cursor.expectString(), quoted: true, place };
}

export function parseDrop(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('DROP');
  const type = (['STREAM', 'TABLE', 'CONNECTOR', 'TYPE'] as const).find((word) => cursor.accept(word));
  if (type === undefined) throw cursor.unexpected(['STREAM', 'TABLE', 'CONNECTOR', 'TYPE']);
  const ifExists = cursor.accept('IF', 'EXISTS');
  const name = cursor.name();
  const deleteTopic = (type === 'STREAM' || type === 'TABLE') && cursor.accept('DELETE', 'TOPIC');
  return { kind: 'drop', type, ifExists, name, deleteTopic, place };
}

/** ALTER STREAM|TABLE name ADD [COLUMN] column type, ... · ALTER SYSTEM 'name' = 'value' */
export function parseAlter(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('ALTER');
  if (cursor.accept('SYSTEM')) {
    const name = cursor.expectString();
    cursor.expectSymbol('=');
    return { kind: 'set-property', system: true, name, value: cursor.expectString(), place };
  }
  const type = parseSourceWord(cursor);
  const name = cursor.name();
  const columns = cursor.commaList(() => {
    cursor.expect('ADD');
    // A column may be called `column`.
    if (cursor.isWord('COLUMN') && cursor.isName(2)) cursor.next();
    return { name: cursor.name('a column name'), type: parseType(cursor) };
  });
  return { kind: 'alter', type, name, columns, place };
}

export function parseInsert(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('INSERT', 'INTO');
  const target = cursor.name('the name of a stream or a table');
  if (cursor.isWord('WITH') || cursor.isWord('SELECT')) {
    const properties = cursor.accept('WITH') ? parseProperties(cursor) : [];
    return { kind: 'insert-select', target, properties, query: parseQuery(cursor), place };
  }
  const columns = cursor.isSymbol('(') ? cursor.list('(', ')', () => cursor.name('a column name')) : null;
  cursor.expect('VALUES');
  return {
    kind: 'insert-values',
    target,
    columns,
    values: cursor.list('(', ')', () => parseValue(cursor), true),
    place,
  };
}
