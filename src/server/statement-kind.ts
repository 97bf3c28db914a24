// Tells what kind of statements a request's SQL text holds, without parsing it: how many there are, the first word of each,
// and whether it has EMIT (a push query). Only for choosing the endpoint's rules; the real parser stands behind the facades.

import { bounds } from '../core/bounds.js';
import { AppError } from '../core/errors.js';

export interface StatementKind {
  /** In upper case. */
  readonly firstWord: string;
  readonly emits: boolean;
  readonly text: string;
}

/** Before anything is made of the text. */
export function assertSqlText(characters: number): void {
  const { code, value: max } = bounds.sqlText;
  if (characters <= max) return;
  throw new AppError(code, `the SQL text has ${characters} characters`, { hint: `${max} characters at most` });
}

const word = /[A-Za-z_][A-Za-z0-9_]*/y;

export function scanStatements(sql: string): StatementKind[] {
  assertSqlText(sql.length);
  const statements: StatementKind[] = [];
  let start = 0;
  let firstWord = '';
  let emits = false;
  let seen = false;
  const finish = (end: number) => {
    if (seen) statements.push({ firstWord, emits, text: sql.slice(start, end).trim() });
    start = end;
    firstWord = '';
    emits = false;
    seen = false;
  };
  let i = 0;
  while (i < sql.length) {
    const c = sql[i]!;
    if (c === '-' && sql[i + 1] === '-') {
      i = endOr(sql.indexOf('\n', i), sql.length);
    } else if (c === '/' && sql[i + 1] === '*') {
      i = endOr(sql.indexOf('*/', i + 2), sql.length - 2) + 2;
    } else if (c === "'" || c === '"' || c === '`') {
      // A doubled quote inside reads as two quoted texts side by side, which changes nothing here.
      i = endOr(sql.indexOf(c, i + 1), sql.length - 1) + 1;
      seen = true;
    } else if (c === ';') {
      finish(++i);
    } else {
      word.lastIndex = i;
      const found = word.exec(sql)?.[0];
      if (found !== undefined) {
        const upper = found.toUpperCase();
        if (!seen) firstWord = upper;
        if (upper === 'EMIT') emits = true;
        i += found.length;
        seen = true;
      } else {
        if (c.trim() !== '') seen = true;
        i++;
      }
    }
  }
  finish(sql.length);
  return statements;
}

function endOr(found: number, otherwise: number): number {
  return found < 0 ? otherwise : found;
}
