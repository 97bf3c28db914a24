// Statements that ask or steer: SHOW, DESCRIBE, TERMINATE, SET, DEFINE, PRINT, ASSERT.
import type { DescribeWhat, Duration, ShowWhat, StatementNode } from '../ast.js';
import { parseProperties, textName } from './create.js';
import type { TokenReader } from './token-reader.js';
import { parseLiteral } from './literal.js';
import { parseDuration } from './query.js';

const showWords: readonly ShowWhat[] = [
  'PROPERTIES',
  'TOPICS',
  'STREAMS',
  'TABLES',
  'FUNCTIONS',
  'CONNECTORS',
  'SOURCE CONNECTORS',
  'SINK CONNECTORS',
  'CONNECTOR PLUGINS',
  'TYPES',
  'VARIABLES',
  'QUERIES',
];
const extendable: ReadonlySet<ShowWhat> = new Set(['TOPICS', 'STREAMS', 'TABLES', 'QUERIES']);

export function parseShow(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.next();
  const all = cursor.isWords('ALL', 'TOPICS') && cursor.accept('ALL');
  const what = showWords.find((words) => cursor.accept(...words.split(' ')));
  if (what === undefined) throw cursor.unexpected(showWords.filter((words) => !words.includes(' ')));
  const extended = extendable.has(what) && cursor.accept('EXTENDED');
  return { kind: 'show', what, all, extended, place };
}

export function parseDescribe(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('DESCRIBE');
  for (const what of ['STREAMS', 'TABLES'] as const) {
    if (!cursor.isWord(what) || !(cursor.peek(1).kind === 'end' || cursor.isWord('EXTENDED', 1))) continue;
    cursor.next();
    return { kind: 'describe', what, name: null, extended: cursor.accept('EXTENDED'), place };
  }
  let what: DescribeWhat = 'SOURCE';
  for (const word of ['FUNCTION', 'CONNECTOR'] as const) {
    if (what === 'SOURCE' && cursor.isName(1) && cursor.accept(word)) what = word;
  }
  const name = cursor.name('the name of a stream or a table');
  const extended = what === 'SOURCE' && cursor.accept('EXTENDED');
  return { kind: 'describe', what, name, extended, place };
}

export function parseQueryControl(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  const action = (['TERMINATE', 'PAUSE', 'RESUME'] as const).find((word) => cursor.accept(word))!;
  const name = cursor.accept('ALL') ? null : cursor.name('the id of a query, or ALL');
  return { kind: 'query-control', action, name, place };
}

export function parseSet(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('SET');
  const name = cursor.expectString();
  cursor.expectSymbol('=');
  return { kind: 'set-property', system: false, name, value: cursor.expectString(), place };
}

export function parseUnset(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('UNSET');
  return { kind: 'unset-property', name: cursor.expectString(), place };
}

export function parseDefine(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  if (cursor.accept('UNDEFINE')) return { kind: 'undefine', name: cursor.name('the name of a variable'), place };
  cursor.expect('DEFINE');
  const name = cursor.name('the name of a variable');
  cursor.expectSymbol('=');
  return { kind: 'define', name, value: cursor.expectString(), place };
}

/** PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n] */
export function parsePrint(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('PRINT');
  const topic = cursor.token.kind === 'string' ? textName(cursor) : cursor.name('a topic');
  const fromBeginning = cursor.accept('FROM', 'BEGINNING');
  const interval = cursor.accept('INTERVAL') || cursor.accept('SAMPLE') ? parseLiteral(cursor) : null;
  const limit = cursor.accept('LIMIT') ? parseLiteral(cursor) : null;
  return { kind: 'print', topic, fromBeginning, interval, limit, place };
}

export function parseAssert(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('ASSERT');
  const exists = !cursor.accept('NOT', 'EXISTS');
  const timeout = (): Duration | null => (cursor.accept('TIMEOUT') ? parseDuration(cursor) : null);
  if (cursor.accept('TOPIC')) {
    const topic = cursor.token.kind === 'string' ? textName(cursor) : cursor.name('a topic');
    const properties = cursor.accept('WITH') ? parseProperties(cursor) : [];
    return { kind: 'assert-topic', exists, topic, properties, timeout: timeout(), place };
  }
  if (cursor.isWord('VALUES')) cursor.name();
  cursor.expect('SCHEMA');
  const isSubject = cursor.accept('SUBJECT');
  const subject = isSubject ? (cursor.token.kind === 'string' ? textName(cursor) : cursor.name('a subject')) : null;
  const id = cursor.accept('ID') ? parseLiteral(cursor) : null;
  return { kind: 'assert-schema', exists, subject, id, timeout: timeout(), place };
}
