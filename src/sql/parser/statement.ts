// One statement, by its first word.
import type { StatementNode } from '../ast.js';
import { nearestName } from '../../core/nearest-name.js';
import { messages } from '../messages.js';
import { syntaxError } from '../sql-error.js';
import {
  parseAssert,
  parseDefine,
  parseDescribe,
  parsePrint,
  parseQueryControl,
  parseSet,
  parseShow,
  parseUnset,
} from './admin.js';
import { parseAlter, parseCreate, parseDrop, parseInsert } from './create.js';
import type { TokenReader } from './token-reader.js';
import { parseQuery } from './query.js';

const parsers: ReadonlyMap<string, (cursor: TokenReader) => StatementNode> = new Map([
  ['SELECT', parseQuery],
  ['CREATE', parseCreate],
  ['DROP', parseDrop],
  ['ALTER', parseAlter],
  ['INSERT', parseInsert],
  ['SHOW', parseShow],
  ['LIST', parseShow],
  ['DESCRIBE', parseDescribe],
  ['EXPLAIN', parseExplain],
  ['TERMINATE', parseQueryControl],
  ['PAUSE', parseQueryControl],
  ['RESUME', parseQueryControl],
  ['SET', parseSet],
  ['UNSET', parseUnset],
  ['DEFINE', parseDefine],
  ['UNDEFINE', parseDefine],
  ['PRINT', parsePrint],
  ['ASSERT', parseAssert],
]);

function parseExplain(cursor: TokenReader): StatementNode {
  const place = cursor.place();
  cursor.expect('EXPLAIN');
  if (cursor.isName() && cursor.peek(1).kind === 'end') {
    return { kind: 'explain', name: cursor.name(), statement: null, place };
  }
  return { kind: 'explain', name: null, statement: cursor.nested(() => parseStatement(cursor)), place };
}

export function parseStatement(cursor: TokenReader): StatementNode {
  const { token } = cursor;
  const parse = token.kind === 'word' ? parsers.get(token.upper) : undefined;
  if (parse === undefined) {
    const near = token.kind === 'word' ? nearestName(token.text, parsers.keys()) : undefined;
    const found = token.kind === 'end' ? 'end of text' : token.text;
    throw syntaxError(
      token,
      messages.syntaxError(token, messages.unknownStatement(found)),
      near && `did you mean ${near}?`,
    );
  }
  return parse(cursor);
}
