// The words and names of a statement's text. Strings and comments are gone; what stands in `/*!50000 ... */` is code, because
// the server makes plain comments of those that it does not execute before it logs the text.

export interface TableName {
  /** Undefined: the session's default database. */
  readonly database: string | undefined;
  readonly table: string;
}

interface Token {
  /** Upper case for words; `''` for strings; the name itself when quoted. */
  readonly text: string;
  readonly raw: string;
  readonly quoted: boolean;
}

export interface TokenizeOptions {
  /** `/*M! ... *\/` is code on MariaDB and a comment on MySQL. */
  readonly mariadbComments: 'code' | 'comment';
}

export function tokenize(sql: string, options: TokenizeOptions): Token[] {
  const text = options.mariadbComments === 'code' ? sql : sql.replaceAll('/*M!', '/* ');
  const tokens: Token[] = [];
  const pattern =
    /(\/\*M?!\d*)|(\/\*[^]*?\*\/)|(\*\/)|((?:--(?=\s|$)|#)[^\n]*)|`((?:[^`]|``)*)`|('(?:[^'\\]|\\[^]|'')*'|"(?:[^"\\]|\\[^]|"")*")|([\p{L}\p{N}_$@\uFFFD]+)|(\S)/gu;
  for (const match of text.matchAll(pattern)) {
    const [, , , , , name, string, word, char] = match;
    if (name !== undefined) {
      const raw = name.replaceAll('``', '`');
      tokens.push({ text: raw, raw, quoted: true });
    } else if (word !== undefined) {
      tokens.push({ text: word.toUpperCase(), raw: word, quoted: false });
    } else if (string !== undefined) {
      // With ANSI_QUOTES a double-quoted name; harmless where a name cannot stand.
      tokens.push({ text: "''", raw: string.slice(1, -1), quoted: string.startsWith('"') });
    } else if (char !== undefined) {
      tokens.push({ text: char, raw: char, quoted: false });
    }
  }
  return tokens;
}

/** Steps through the tokens of one statement, or of one clause of it. */
export class Words {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get atEnd(): boolean {
    return this.#at >= this.#tokens.length;
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

  /** `table`, `database.table`; of more parts the last two. `.table` is the default database's. */
  name(): TableName | undefined {
    this.take('.');
    let table = this.#tokens[this.#at];
    if (!table) return undefined;
    this.#at++;
    let database: Token | undefined;
    while (this.take('.')) {
      const next = this.#tokens[this.#at++];
      if (!next) return undefined;
      [database, table] = [table, next];
    }
    return { database: database?.raw, table: table.raw };
  }

  names(): TableName[] {
    const names: TableName[] = [];
    do {
      const name = this.name();
      if (name) names.push(name);
    } while (this.take(','));
    return names;
  }

  /** Of RENAME TABLE, behind its first words. */
  renames(): { readonly table: TableName; readonly to: TableName }[] {
    this.take('IF', 'EXISTS');
    const renames: { table: TableName; to: TableName }[] = [];
    do {
      const table = this.name();
      if (this.take('WAIT')) this.next();
      this.take('NOWAIT');
      this.take('TO');
      const to = this.name();
      if (table && to) renames.push({ table, to });
    } while (this.take(','));
    return renames;
  }

  /** True when these words stand anywhere in the rest, one behind the other. */
  has(...words: string[]): boolean {
    return this.#tokens.some(
      (_, at) =>
        at >= this.#at &&
        words.every((word, i) => {
          const token = this.#tokens[at + i];
          return token !== undefined && !token.quoted && token.text === word;
        }),
    );
  }

  /** Steps behind the first such word that stands outside of brackets. */
  skipTo(word: string): boolean {
    let depth = 0;
    while (!this.atEnd) {
      const next = this.next();
      if (next === '(') depth++;
      else if (next === ')') depth--;
      else if (next === word && depth === 0) return true;
    }
    return false;
  }

  /** The rest, divided at the commas that stand outside of brackets. */
  clauses(): Words[] {
    const clauses: Token[][] = [[]];
    let depth = 0;
    for (const token of this.#tokens.slice(this.#at)) {
      const sign = token.quoted ? '' : token.text;
      if (sign === '(') depth++;
      else if (sign === ')') depth--;
      if (sign === ',' && depth <= 0) clauses.push([]);
      else clauses.at(-1)!.push(token);
    }
    return clauses.map((tokens) => new Words(tokens));
  }

  /**
   * The rest in one form for patterns: words in upper case, `x` for a quoted name (but PRIMARY for that of the primary key),
   * `''` for a string, `()` for brackets with all that is in them.
   */
  shape(): string {
    let text = this.#tokens
      .slice(this.#at)
      .map((token) => (token.quoted ? (isPrimary(token.raw) ? 'PRIMARY' : 'x') : token.text))
      .join(' ');
    for (let before = ''; before !== text;) {
      before = text;
      text = text.replaceAll(/\( [^()]*(?:\(\)[^()]*)*\)/g, '()');
    }
    return text;
  }

  /** All words of the rest, names included, for a search that leaves nothing out. */
  words(): string[] {
    return this.#tokens.slice(this.#at).map((token) => (token.quoted ? 'x' : token.text));
  }

  /** Every token of the rest that may be a table's name, with the database before it where there is one. */
  anyNames(): TableName[] {
    const names: TableName[] = [];
    const rest = new Words(this.#tokens.slice(this.#at));
    while (!rest.atEnd) {
      const name = rest.name();
      if (name) names.push(name);
    }
    return names;
  }
}

export function isPrimary(name: string): boolean {
  return name.toUpperCase() === 'PRIMARY';
}
