// Statement text in the binlog, classified by its leading words and the tables that it names; never parsed further, since
// columns are described by the table maps. What is not known to leave rows alone counts as a change of rows.

export interface TableName {
  /** Undefined: the session's default database. */
  readonly database: string | undefined;
  readonly table: string;
}

export type Statement =
  | {
      readonly kind:
        | 'begin'
        | 'commit'
        | 'rollback'
        | 'savepoint'
        | 'rollback-to'
        | 'xa-start'
        | 'xa-end'
        | 'xa-commit'
        | 'xa-rollback';
    }
  /** Creates an empty table; with `fills` its rows come from a SELECT in the statement itself. */
  | {
      readonly kind: 'create-table';
      readonly tables: readonly TableName[];
      readonly replaces: boolean;
      readonly fills: boolean;
    }
  /** Changes or removes rows or columns of these tables without row events. */
  | {
      readonly kind: 'table-change';
      readonly verb: string;
      readonly tables: readonly TableName[];
      readonly created: readonly TableName[];
    }
  | { readonly kind: 'drop-database'; readonly database: string }
  /** Touches no row. */
  | { readonly kind: 'neutral' }
  /** INSERT, UPDATE and so on as text, or words that are not known here. */
  | { readonly kind: 'rows'; readonly verb: string };

/** Words, quoted names (marked) and single characters of a statement; strings and comments are gone. */
interface Token {
  /** Upper case for words; the name itself when quoted. */
  readonly text: string;
  readonly raw: string;
  readonly quoted: boolean;
}

/** `/*!50000 ... *\/` and MariaDB's `/*M! ... *\/` are code: only their markers go. */
function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  const pattern =
    /(\/\*M?!\d*)|(\/\*[^]*?\*\/)|(\*\/)|((?:--(?=\s|$)|#)[^\n]*)|`((?:[^`]|``)*)`|('(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*")|([\p{L}\p{N}_$@]+)|(\S)/gu;
  for (const match of sql.matchAll(pattern)) {
    const [, , , , , name, text, word, char] = match;
    if (name !== undefined) {
      const raw = name.replaceAll('``', '`');
      tokens.push({ text: raw, raw, quoted: true });
    } else if (word !== undefined) {
      tokens.push({ text: word.toUpperCase(), raw: word, quoted: false });
    } else if (text !== undefined) {
      // With ANSI_QUOTES a double-quoted name; harmless where a name cannot stand.
      tokens.push({ text: "''", raw: text.slice(1, -1), quoted: text.startsWith('"') });
    } else if (char !== undefined) {
      tokens.push({ text: char, raw: char, quoted: false });
    }
  }
  return tokens;
}

class Words {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(): string {
    const token = this.#tokens[this.#at];
    return token === undefined ? '' : token.quoted ? ' ' : token.text;
  }

  /** Steps over these words when they come next, in this order. */
  take(...words: string[]): boolean {
    for (const [i, word] of words.entries()) {
      const token = this.#tokens[this.#at + i];
      if (!token || token.quoted || token.text !== word) return false;
    }
    this.#at += words.length;
    return true;
  }

  next(): string {
    const word = this.peek();
    this.#at++;
    return word;
  }

  /** `table`, `database.table` */
  name(): TableName | undefined {
    const first = this.#tokens[this.#at];
    if (!first) return undefined;
    this.#at++;
    if (!this.take('.')) return { database: undefined, table: first.raw };
    const second = this.#tokens[this.#at++];
    return second && { database: first.raw, table: second.raw };
  }

  names(): TableName[] {
    const names: TableName[] = [];
    do {
      const name = this.name();
      if (name) names.push(name);
    } while (this.take(','));
    return names;
  }

  /** True when the word stands anywhere in the rest. */
  has(word: string): boolean {
    return this.#tokens.slice(this.#at).some((token) => !token.quoted && token.text === word);
  }

  rest(): string {
    return this.#tokens
      .slice(this.#at)
      .map((token) => (token.quoted ? 'x' : token.text))
      .join(' ');
  }
}

const neutralVerbs: ReadonlySet<string> = new Set([
  'ANALYZE',
  'OPTIMIZE',
  'CHECK',
  'REPAIR',
  'GRANT',
  'REVOKE',
  'FLUSH',
  'RESET',
  'SET',
  'INSTALL',
  'UNINSTALL',
  'USE',
  'SHUTDOWN',
]);
/** What CREATE, ALTER and DROP can name besides tables and databases. */
const neutralObjects: ReadonlySet<string> = new Set([
  'INDEX',
  'UNIQUE',
  'FULLTEXT',
  'SPATIAL',
  'VECTOR',
  'USER',
  'ROLE',
  'VIEW',
  'ALGORITHM',
  'DEFINER',
  'SQL',
  'PROCEDURE',
  'FUNCTION',
  'AGGREGATE',
  'TRIGGER',
  'EVENT',
  'SERVER',
  'SEQUENCE',
  'TABLESPACE',
  'UNDO',
  'LOGFILE',
  'RESOURCE',
  'PACKAGE',
  'INSTANCE',
  'PREPARE',
  'LIBRARY',
]);

export function classify(sql: string): Statement {
  const words = new Words(tokenize(sql));
  const verb = words.next();
  switch (verb) {
    case '':
    case ';':
      return { kind: 'neutral' };
    case 'BEGIN':
      return { kind: 'begin' };
    case 'START':
      return words.peek() === 'TRANSACTION' ? { kind: 'begin' } : { kind: 'neutral' };
    case 'COMMIT':
      return { kind: 'commit' };
    case 'SAVEPOINT':
    case 'RELEASE':
      return { kind: 'savepoint' };
    case 'ROLLBACK':
      return words.take('TO') || words.take('WORK', 'TO') ? { kind: 'rollback-to' } : { kind: 'rollback' };
    case 'XA':
      return classifyXa(words.next());
    case 'TRUNCATE':
      words.take('TABLE');
      return { kind: 'table-change', verb, tables: words.names().slice(0, 1), created: [] };
    case 'RENAME':
      return classifyRename(words);
    case 'DROP':
      return classifyDrop(words);
    case 'CREATE':
      return classifyCreate(words);
    case 'ALTER':
      return classifyAlter(words);
    default:
      return neutralVerbs.has(verb) ? { kind: 'neutral' } : { kind: 'rows', verb: verb.trim() || 'a statement' };
  }
}

function classifyXa(word: string): Statement {
  switch (word) {
    case 'START':
    case 'BEGIN':
      return { kind: 'xa-start' };
    case 'END':
      return { kind: 'xa-end' };
    case 'COMMIT':
      return { kind: 'xa-commit' };
    case 'ROLLBACK':
      return { kind: 'xa-rollback' };
    default:
      return { kind: 'rows', verb: `XA ${word}` };
  }
}

function classifyRename(words: Words): Statement {
  if (words.take('USER')) return { kind: 'neutral' };
  if (!words.take('TABLE') && !words.take('TABLES')) return { kind: 'rows', verb: 'RENAME' };
  words.take('IF', 'EXISTS');
  const tables: TableName[] = [];
  const created: TableName[] = [];
  do {
    const from = words.name();
    if (words.take('WAIT')) words.next();
    words.take('NOWAIT');
    words.take('TO');
    const to = words.name();
    if (from) tables.push(from);
    if (to) created.push(to);
  } while (words.take(','));
  return { kind: 'table-change', verb: 'RENAME', tables, created };
}

function classifyDrop(words: Words): Statement {
  if (words.take('TEMPORARY')) return { kind: 'neutral' };
  if (words.take('TABLE') || words.take('TABLES')) {
    words.take('IF', 'EXISTS');
    return { kind: 'table-change', verb: 'DROP', tables: words.names(), created: [] };
  }
  if (words.take('DATABASE') || words.take('SCHEMA')) {
    words.take('IF', 'EXISTS');
    return { kind: 'drop-database', database: words.name()?.table ?? '' };
  }
  return neutralObjects.has(words.peek()) ? { kind: 'neutral' } : { kind: 'rows', verb: `DROP ${words.peek()}` };
}

function classifyCreate(words: Words): Statement {
  const replaces = words.take('OR', 'REPLACE');
  if (words.take('TEMPORARY')) return { kind: 'neutral' };
  if (words.take('TABLE')) {
    words.take('IF', 'NOT', 'EXISTS');
    const name = words.name();
    return {
      kind: 'create-table',
      tables: name ? [name] : [],
      replaces,
      fills: words.has('SELECT') || words.has('TABLE'),
    };
  }
  if (words.take('DATABASE') || words.take('SCHEMA') || neutralObjects.has(words.peek())) return { kind: 'neutral' };
  return { kind: 'rows', verb: `CREATE ${words.peek()}` };
}

/**
 * Single clauses that leave every row and column as it is. More than one clause, or IGNORE (which may delete rows), is not
 * looked into.
 */
const neutralClause =
  /^(?:ADD (?:UNIQUE |FULLTEXT |SPATIAL )?(?:INDEX|KEY)\b|ADD UNIQUE \(|DROP (?:INDEX|KEY) |RENAME (?:INDEX|KEY) |ALTER INDEX |AUTO_INCREMENT\b|COMMENT\b|(?:DISABLE|ENABLE) KEYS\b)/;

function classifyAlter(words: Words): Statement {
  words.take('ONLINE');
  const ignore = words.take('IGNORE');
  if (words.take('DATABASE') || words.take('SCHEMA')) return { kind: 'neutral' };
  if (!words.take('TABLE')) {
    return neutralObjects.has(words.peek()) ? { kind: 'neutral' } : { kind: 'rows', verb: `ALTER ${words.peek()}` };
  }
  words.take('IF', 'EXISTS');
  const name = words.name();
  if (words.take('WAIT')) words.next();
  words.take('NOWAIT');
  const rest = words.rest();
  // A comma outside of brackets begins another clause.
  const single = !rest.replaceAll(/\([^()]*\)/g, '').includes(',');
  if (!ignore && single && neutralClause.test(rest)) return { kind: 'neutral' };
  return { kind: 'table-change', verb: 'ALTER', tables: name ? [name] : [], created: [] };
}
