// Terms and WHERE clause of a CREATE INDEX text. SQLite's pragmas name the columns of an index, but neither its expressions
// nor the condition of a partial one, and the triggers need both to find the rows that a REPLACE displaces through them.

export interface IndexText {
  /** In index order, without ASC or DESC. */
  readonly terms: readonly string[];
  readonly where: string | null;
}

export function parseIndexSql(sql: string): IndexText | null {
  const terms: string[] = [];
  let depth = 0;
  let termStart = -1;
  let i = 0;
  while (i < sql.length) {
    const skipped = skipQuotedOrComment(sql, i);
    if (skipped > i) {
      i = skipped;
      continue;
    }
    const c = sql[i]!;
    if (c === '(') {
      depth++;
      if (depth === 1) termStart = i + 1;
    } else if (c === ')' || (c === ',' && depth === 1)) {
      if (depth === 1) {
        terms.push(withoutDirection(sql.slice(termStart, i)));
        termStart = i + 1;
      }
      if (c === ')' && --depth === 0) return { terms, where: whereOf(sql.slice(i + 1)) };
    }
    i++;
  }
  return null;
}

/** The place behind the string, quoted name or comment that begins at `i`; `i` when none does. */
function skipQuotedOrComment(sql: string, i: number): number {
  const c = sql[i]!;
  if (c === "'" || c === '"' || c === '`') {
    // A doubled quote ends one part and begins the next at once, so no look ahead is needed.
    const end = sql.indexOf(c, i + 1);
    return end < 0 ? sql.length : end + 1;
  }
  if (c === '[') {
    const end = sql.indexOf(']', i + 1);
    return end < 0 ? sql.length : end + 1;
  }
  if (sql.startsWith('--', i)) {
    const end = sql.indexOf('\n', i);
    return end < 0 ? sql.length : end + 1;
  }
  if (sql.startsWith('/*', i)) {
    const end = sql.indexOf('*/', i + 2);
    return end < 0 ? sql.length : end + 2;
  }
  return i;
}

function withoutDirection(term: string): string {
  return term.replace(/\s+(?:ASC|DESC)\s*$/i, '').trim();
}

function whereOf(rest: string): string | null {
  let i = 0;
  while (i < rest.length) {
    if (/\s/.test(rest[i]!)) i++;
    else {
      const skipped = skipQuotedOrComment(rest, i);
      if (skipped === i) break;
      i = skipped;
    }
  }
  const match = /^WHERE\b(.*)$/is.exec(rest.slice(i));
  return match ? match[1]!.trim() : null;
}
