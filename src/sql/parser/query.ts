// SELECT, clause by clause in ksqlDB's order. ORDER BY, OFFSET and DISTINCT are extensions: they parse here, and the analyser
// says what becomes of them.
import type { Duration, Grouping, Join, JoinType, Query, SelectItem, SourceRef, WindowNode } from '../ast.js';
import type { TokenReader } from './token-reader.js';
import { parseExpression, parsePrimary, parseValue } from './expression.js';
import { parseLiteral } from './literal.js';

export function parseQuery(cursor: TokenReader): Query {
  const place = cursor.place();
  cursor.expect('SELECT');
  const distinct = cursor.accept('DISTINCT');
  const select = cursor.commaList(() => parseSelectItem(cursor));
  cursor.expect('FROM');
  const from = parseSource(cursor);
  const joins: Join[] = [];
  for (let type = acceptJoinType(cursor); type !== null; type = acceptJoinType(cursor)) {
    joins.push(parseJoin(cursor, type));
  }
  // One after the other: an object literal would hide that the order of evaluation is the order of the text.
  const window = cursor.isWord('WINDOW') ? parseWindow(cursor) : null;
  const where = cursor.accept('WHERE') ? parseExpression(cursor) : null;
  const groupBy = cursor.isWords('GROUP', 'BY') ? parseGrouping(cursor) : null;
  const partitionBy = cursor.isWords('PARTITION', 'BY') ? parseGrouping(cursor) : null;
  const having = cursor.accept('HAVING') ? parseExpression(cursor) : null;
  const orderBy = cursor.isWords('ORDER', 'BY') ? parseOrderBy(cursor) : null;
  const emit = cursor.isWord('EMIT') ? parseEmit(cursor) : null;
  const limit = cursor.isWord('LIMIT') ? parseCount(cursor) : null;
  const offset = cursor.isWord('OFFSET') ? parseCount(cursor) : null;
  return {
    kind: 'query',
    distinct,
    select,
    from,
    joins,
    window,
    where,
    groupBy,
    partitionBy,
    having,
    orderBy,
    emit,
    limit,
    offset,
    place,
  };
}

function parseSelectItem(cursor: TokenReader): SelectItem {
  const place = cursor.place();
  if (cursor.acceptSymbol('*')) return { kind: 'star', source: null, place };
  if (cursor.isName() && cursor.isSymbol('.', 1) && cursor.isSymbol('*', 2)) {
    const source = cursor.name();
    cursor.next();
    cursor.next();
    return { kind: 'star', source, place };
  }
  const expression = parseSelected(cursor);
  if (cursor.isSymbol('->') && cursor.isSymbol('*', 1)) {
    cursor.next();
    cursor.next();
    return { kind: 'struct-star', base: expression, place };
  }
  const alias = cursor.accept('AS') || cursor.isName() ? cursor.name('an alias') : null;
  return { kind: 'item', expression, alias, place };
}

/** An expression; but `s->*` must stop before the arrow, which only a primary does. */
function parseSelected(cursor: TokenReader) {
  return isStructStar(cursor) ? parsePrimary(cursor) : parseExpression(cursor);
}

/** Looks for `->*` before the next comma or clause, outside brackets. */
function isStructStar(cursor: TokenReader): boolean {
  let depth = 0;
  for (let n = 0; ; n++) {
    const token = cursor.peek(n);
    if (token.kind === 'end' || (token.kind === 'word' && token.upper === 'FROM')) return false;
    if (token.kind !== 'symbol') continue;
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text)) depth--;
    else if (depth === 0 && token.text === ',') return false;
    else if (depth === 0 && token.text === '->' && cursor.isSymbol('*', n + 1)) return true;
  }
}

function parseSource(cursor: TokenReader): SourceRef {
  const place = cursor.place();
  const name = cursor.name('the name of a stream or a table');
  const alias = cursor.accept('AS') || isAlias(cursor) ? cursor.name('an alias') : null;
  return { kind: 'source', name, alias, place };
}

/** A name that begins no clause: EMIT, PARTITION and others are ordinary names elsewhere. */
function isAlias(cursor: TokenReader): boolean {
  if (!cursor.isName()) return false;
  if (cursor.isWord('EMIT')) return !cursor.isWord('CHANGES', 1) && !cursor.isWord('FINAL', 1);
  if (cursor.isWord('PARTITION') || cursor.isWord('ORDER')) return !cursor.isWord('BY', 1);
  if (cursor.isWord('OFFSET')) return cursor.peek(1).kind !== 'integer';
  return true;
}

function acceptJoinType(cursor: TokenReader): JoinType | null {
  if (cursor.accept('JOIN') || cursor.accept('INNER', 'JOIN')) return 'inner';
  for (const [word, type] of [
    ['LEFT', 'left'],
    ['RIGHT', 'right'],
    ['FULL', 'outer'],
  ] as const) {
    if (!cursor.accept(word)) continue;
    cursor.accept('OUTER');
    cursor.expect('JOIN');
    return type;
  }
  return null;
}

function parseJoin(cursor: TokenReader, type: JoinType): Join {
  const place = cursor.place();
  const source = parseSource(cursor);
  const within = cursor.accept('WITHIN') ? parseWithin(cursor) : null;
  cursor.expect('ON');
  return { kind: 'join', type, source, within, on: parseExpression(cursor), place };
}

function parseWithin(cursor: TokenReader): NonNullable<Join['within']> {
  let before: Duration;
  let after: Duration;
  if (cursor.acceptSymbol('(')) {
    before = parseDuration(cursor);
    cursor.expectSymbol(',');
    after = parseDuration(cursor);
    cursor.expectSymbol(')');
  } else {
    before = parseDuration(cursor);
    after = before;
  }
  return { before, after, grace: cursor.accept('GRACE', 'PERIOD') ? parseDuration(cursor) : null };
}

function parseWindow(cursor: TokenReader): WindowNode {
  const place = cursor.place();
  cursor.expect('WINDOW');
  // ksqlDB allows a name before the kind of the window and makes no use of it.
  if (!windowTypes.some((type) => cursor.isWord(type))) cursor.name('TUMBLING, HOPPING or SESSION');
  const type = windowTypes.find((word) => cursor.accept(word));
  if (type === undefined) throw cursor.unexpected(windowTypes);
  cursor.expectSymbol('(');
  if (type !== 'SESSION') cursor.expect('SIZE');
  const size = parseDuration(cursor);
  let advance: Duration | null = null;
  if (type === 'HOPPING') {
    cursor.expectSymbol(',');
    cursor.expect('ADVANCE', 'BY');
    advance = parseDuration(cursor);
  }
  let retention: Duration | null = null;
  let grace: Duration | null = null;
  if (cursor.isSymbol(',') && cursor.isWord('RETENTION', 1)) {
    cursor.next();
    cursor.next();
    retention = parseDuration(cursor);
  }
  if (cursor.isSymbol(',')) {
    cursor.next();
    cursor.expect('GRACE', 'PERIOD');
    grace = parseDuration(cursor);
  }
  cursor.expectSymbol(')');
  return { kind: 'window', type, size, advance, retention, grace, place };
}
const windowTypes = ['TUMBLING', 'HOPPING', 'SESSION'] as const;

const units = ['MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS'] as const;

export function parseDuration(cursor: TokenReader): Duration {
  const amount = cursor.expectCount();
  const unit = units.find((word) => cursor.accept(word) || cursor.accept(word.slice(0, -1)));
  if (unit === undefined) throw cursor.unexpected(units);
  return { amount, unit };
}

/** `a, b` or `(a, b)`; a first expression in parentheses is told from a list by what follows the closing one. */
function parseGrouping(cursor: TokenReader): Grouping {
  const place = cursor.place();
  cursor.next();
  cursor.next();
  if (cursor.isSymbol('(') && isWholeList(cursor)) {
    return { expressions: cursor.list('(', ')', () => parseExpression(cursor), true), place };
  }
  return { expressions: cursor.commaList(() => parseValue(cursor)), place };
}

function isWholeList(cursor: TokenReader): boolean {
  let depth = 0;
  for (let n = 0; ; n++) {
    const token = cursor.peek(n);
    if (token.kind === 'end') return false;
    if (token.kind !== 'symbol') continue;
    if (token.text === '(') depth++;
    else if (token.text === ')' && --depth === 0) {
      const after = cursor.peek(n + 1);
      return after.kind === 'end' || (after.kind === 'word' && after.upper !== 'AND') || after.text === ')';
    }
  }
}

function parseOrderBy(cursor: TokenReader): NonNullable<Query['orderBy']> {
  const place = cursor.peek(1);
  cursor.next();
  cursor.next();
  const items = cursor.commaList(() => {
    const expression = parseValue(cursor);
    const descending = cursor.accept('DESC');
    if (!descending) cursor.accept('ASC');
    return { expression, descending };
  });
  return { items, place: { line: place.line, column: place.column } };
}

function parseEmit(cursor: TokenReader): NonNullable<Query['emit']> {
  const place = cursor.place();
  cursor.next();
  if (cursor.accept('CHANGES')) return { mode: 'CHANGES', place };
  cursor.expect('FINAL');
  return { mode: 'FINAL', place };
}

/** LIMIT n and OFFSET n; that it is a whole number is for the analyser to say. */
function parseCount(cursor: TokenReader): NonNullable<Query['limit']> {
  const place = cursor.place();
  cursor.next();
  return { count: parseLiteral(cursor), place };
}
