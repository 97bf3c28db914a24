// Scripts as they lie in a folder, read into the ways in which each is run. Two forms:
//   cases     head comments, then sections `-- [before start]`, `-- [while streaming]`; statements end with the delimiter at the end of
//             a line, `DELIMITER` changes it, CASE_FILE in LOAD DATA stands for a file
//   fixtures  Debezium's: no sections; comments are dropped, lines joined and split at `;`, `$$` is a `;` in a body. Each is run twice:
//             loaded before capture starts, and after
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Product = 'mysql' | 'mariadb' | 'sqlite';

/** What one session runs. */
export type Section = readonly string[];

export interface WayScript {
  readonly way: 'case' | 'snapshot' | 'binlog';
  readonly before: readonly Section[];
  readonly streaming: readonly Section[];
}

export interface Script {
  readonly name: string;
  /** The comments in front of the first section, which say what is right. */
  readonly head: string;
  /** Undefined: it is for servers and says of none. */
  readonly products: readonly Product[];
  readonly ways: readonly WayScript[];
  /** For an SQLite file. */
  readonly pragmas: readonly string[];
  /** It reaches beyond its database (settings, users, other databases), so nothing else may run beside it. */
  readonly alone: boolean;
}

export interface ScriptFolder {
  readonly scripts: readonly Script[];
  /** Names of those that need a server of their own or several sessions, and are written into tests by hand. */
  readonly byHand: readonly string[];
}

const sectionLine = /^--\s*\[(.*)\]\s*$/;

export function readScripts(dir: string): ScriptFolder {
  const names = readdirSync(dir)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  // Nothing that was compared is no proof of anything.
  if (names.length === 0) throw new Error(`${dir} holds no scripts (*.sql)`);
  const byHand = names.filter((name) => name.startsWith('server-'));
  const others = names.filter((name) => !name.startsWith('server-'));
  const texts = new Map(others.map((name) => [basename(name, '.sql'), readFileSync(join(dir, name), 'utf8')]));
  const scripts = [...texts].map(([name, text]) =>
    text.split(/\r?\n/).some((line) => sectionLine.test(line)) ? readCase(name, text, texts) : readFixture(name, text),
  );
  return { scripts, byHand: byHand.map((name) => basename(name, '.sql')) };
}

function readCase(name: string, text: string, texts: ReadonlyMap<string, string>): Script {
  const head = headOf(text);
  // "As other-case, with ..." says that what is right there is right here.
  const other = /\bAs ([a-z0-9-]+)/.exec(head)?.[1];
  const said = other === undefined ? undefined : texts.get(other);
  const language = name.startsWith('sqlite-') ? 'sqlite' : 'mysql';
  const before: Section[] = [];
  const streaming: Section[] = [];
  for (const { title, body } of sectionsOf(text)) {
    (/before start/i.test(title) ? before : streaming).push(splitByLines(body, language));
  }
  return {
    name,
    head: said === undefined ? head : `${head}\n${headOf(said)}`,
    products: name.startsWith('sqlite-') ? ['sqlite'] : productsOf(head),
    ways: [{ way: 'case', before, streaming }],
    pragmas: Array.from(head.matchAll(/^pragma:\s*(.+)$/gim), ([, pragma]) => pragma!.trim()),
    alone: needsToBeAlone([...before, ...streaming].flat()),
  };
}

function headOf(text: string): string {
  const lines: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (!line.startsWith('--') || sectionLine.test(line)) break;
    lines.push(line.replace(/^--\s?/, ''));
  }
  return lines.join('\n');
}

function productsOf(head: string): readonly Product[] {
  const named = /^servers:\s*(.+)$/im.exec(head)?.[1]?.toLowerCase() ?? 'mysql, mariadb';
  return (['mysql', 'mariadb'] as const).filter((product) => named.includes(product));
}

function sectionsOf(text: string): { readonly title: string; readonly body: string[] }[] {
  const sections: { title: string; body: string[] }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const title = sectionLine.exec(line)?.[1];
    if (title !== undefined) sections.push({ title, body: [] });
    else sections.at(-1)?.body.push(line);
  }
  return sections;
}

/** As the client does it, but that a statement ends only at the end of a line. */
export function splitByLines(lines: readonly string[], language: 'mysql' | 'sqlite' = 'mysql'): string[] {
  const statements: string[] = [];
  let delimiter = ';';
  let statement: string[] = [];
  let quoting: keyof typeof whole = language;
  const end = (last: string): void => {
    const text = [...statement, last].join('\n').trim();
    statement = [];
    if (!isEmpty(text)) statements.push(text);
    if (language === 'mysql' && /^SET\b.*\bsql_mode\b/is.test(text))
      quoting = /NO_BACKSLASH_ESCAPES/i.test(text) ? 'literal' : 'mysql';
  };
  for (const line of lines) {
    const next = /^\s*delimiter\s+(\S+)\s*$/i.exec(line)?.[1];
    if (next !== undefined) {
      end('');
      delimiter = next;
      continue;
    }
    const [code, remark] = withoutRemark(line, delimiter);
    const ends = code.endsWith(delimiter) && !isOpen([...statement, code].join('\n'), quoting);
    if (ends) end(code.slice(0, -delimiter.length));
    else statement.push(remark);
  }
  end('');
  return statements;
}

/** The line up to a delimiter that only a comment follows, and the line as it is. */
function withoutRemark(line: string, delimiter: string): readonly [code: string, line: string] {
  const at = line.search(/--\s/);
  const code = at < 0 ? line.trimEnd() : line.slice(0, at).trimEnd();
  return [code.endsWith(delimiter) ? code : line.trimEnd(), line];
}

/** Quoted texts and comments that are whole. */
const whole = {
  mysql: /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--(?=\s|$)[^\n]*|#[^\n]*/gs,
  /** A session with NO_BACKSLASH_ESCAPES. */
  literal: /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--(?=\s|$)[^\n]*|#[^\n]*/gs,
  sqlite: /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\/\*.*?\*\/|--[^\n]*/gs,
};

/** A quoted text or a comment has begun and not ended. */
function isOpen(text: string, language: keyof typeof whole): boolean {
  return /['"`]|\/\*/.test(text.replaceAll(whole[language], ''));
}

/** Nothing but blanks and comments that no server reads. */
function isEmpty(text: string): boolean {
  return text.replaceAll(/\/\*(?![!M]).*?\*\/|^[ \t]*(?:#|--(?=\s|$))[^\n]*/gms, '').trim() === '';
}

function readFixture(name: string, text: string): Script {
  const statements = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('--'))
    .map((line) => /^(.*)--.*$/.exec(line)?.[1] ?? line)
    .join('\n')
    .split(';')
    .map((statement) => statement.replaceAll('$$', ';').trim())
    .filter((statement) => statement !== '');
  return {
    name,
    head: '',
    products: ['mysql', 'mariadb'],
    ways: [
      { way: 'snapshot', before: [statements], streaming: [] },
      { way: 'binlog', before: [], streaming: [statements] },
    ],
    pragmas: [],
    alone: needsToBeAlone(statements),
  };
}

const ofTheServer =
  /\b(GLOBAL|PERSIST|PERSIST_ONLY|RESET|PURGE|KILL|SHUTDOWN|INSTALL|UNINSTALL|USER|ROLE|SERVER|GRANT|REVOKE|XA)\b|\bFLUSH\s+(?!TABLES?\b)/i;

function needsToBeAlone(statements: readonly string[]): boolean {
  const all = statements.map((statement) => withoutTexts(statement)).join('\n');
  if (ofTheServer.test(all)) return true;
  // A database that it only makes where there is none disturbs nobody.
  return statements.some((statement) => {
    const made = /^\s*(?:CREATE|DROP|ALTER)\b.*?\b(?:DATABASE|SCHEMA)\s+(IF NOT EXISTS\s+)?(`[^`]+`|[\w$]+)/is.exec(
      withoutTexts(statement),
    );
    if (made === null) return false;
    const [, gently, name = ''] = made;
    return gently === undefined || all.split(name).length > 2;
  });
}

function withoutTexts(statement: string): string {
  return statement.replaceAll(/'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|--\s.*$|#.*$/gm, "''");
}
