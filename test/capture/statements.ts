// Statements of the world, given to the classifier of statements in the binlog: it never throws, and knows TRUNCATE, DROP, RENAME, CREATE
// and ALTER. What is expected is read here by the first words alone, past comments, by a reader that shares nothing with it.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { classify, type Statement } from '../../src/source/mysql/statement.js';
import type { Outcome } from './outcome.js';

export function classifyFolder(dir: string): Outcome[] {
  const names = readdirSync(dir)
    .filter((name) => /\.(sql|txt)$/.test(name))
    .sort();
  if (names.length === 0) throw new Error(`${dir} holds no statements (*.sql, *.txt)`);
  return names.map((name) => {
    const statements = splitStatements(readFileSync(join(dir, name), 'utf8'));
    const wrong = statements.map(problemOf).filter((problem) => problem !== undefined);
    return {
      name: basename(name, '.sql'),
      product: undefined,
      verdict: wrong.length === 0 ? 'ok' : 'FAIL',
      reason:
        wrong.length === 0
          ? `(${statements.length} statements)`
          : `${wrong.length} of ${statements.length}: ${wrong[0]}`,
      notes: wrong.slice(1, 5),
    };
  });
}

/** At `;` outside of quotes and comments, and at lines that change the delimiter. */
export function splitStatements(text: string): string[] {
  const token =
    /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--(?=\s|$)[^\n]*|#[^\n]*|^\s*delimiter[^\n]*|;/gims;
  const statements: string[] = [];
  let from = 0;
  const add = (to: number): void => {
    const statement = text.slice(from, to).trim();
    if (statement !== '') statements.push(statement);
  };
  for (const { 0: found, index } of text.matchAll(token)) {
    if (found !== ';' && !/^\s*delimiter/i.test(found)) continue;
    add(index);
    from = index + found.length;
  }
  add(text.length);
  return statements;
}

function problemOf(sql: string): string | undefined {
  let found: Statement;
  try {
    found = classify(sql);
  } catch (error) {
    return `${String(error)} for: ${shortened(sql)}`;
  }
  const expected = expectedOf(sql);
  if (expected === undefined || expected.includes(found.kind)) return undefined;
  return `taken for ${found.kind} instead of ${expected.join(' or ')}: ${shortened(sql)}`;
}

function shortened(sql: string): string {
  return sql.replaceAll(/\s+/g, ' ').slice(0, 120);
}

type Kind = Statement['kind'];

/** Undefined: nothing is said of it. */
function expectedOf(sql: string): readonly Kind[] | undefined {
  const words = firstWords(sql, 6);
  const [verb = ''] = words;
  const object = words.slice(1).find((word) => !fillers.has(word)) ?? '';
  const temporary = words.slice(1, 4).includes('TEMPORARY');
  switch (verb) {
    case 'TRUNCATE':
      return ['table-change'];
    case 'RENAME':
      return object === 'USER' ? ['neutral'] : ['table-change'];
    case 'DROP':
      if (object === 'DATABASE' || object === 'SCHEMA') return ['drop-database'];
      if (object === 'TABLE' || object === 'TABLES') return temporary ? ['neutral', 'table-change'] : ['table-change'];
      return ['neutral', 'table-change'];
    case 'CREATE':
      if (object === 'TABLE') return temporary ? ['neutral', 'create-table'] : ['create-table'];
      return ['neutral', 'table-change', 'drop-database'];
    case 'ALTER':
      return ['neutral', 'table-change'];
    default:
      return undefined;
  }
}

const fillers = new Set(['OR', 'REPLACE', 'TEMPORARY', 'ONLINE', 'OFFLINE', 'IGNORE']);

/** In upper case; what stands in comments that servers execute counts as written. */
function firstWords(sql: string, count: number): string[] {
  const plain = sql
    .replaceAll(/\/\*(?:!|M!)\d*(.*?)\*\//gs, ' $1 ')
    .replaceAll(/\/\*.*?\*\/|(?:--(?=\s|$)|#)[^\n]*/gs, ' ');
  return Array.from(plain.matchAll(/[A-Za-z_]+/g), ([word]) => word.toUpperCase()).slice(0, count);
}
