// A text of several statements into its statements, each with its own text, place and tokens; and the variables, which are put
// in before parsing: `${name}` as a token, and inside texts and quoted names.
import { lex, type Token } from './lexer.js';
import { syntaxError, type Place } from './sql-error.js';
import { didYouMean } from '../core/nearest-name.js';

export interface StatementText {
  /** With its semicolon when it has one, without blanks around. */
  readonly text: string;
  readonly place: Place;
  /** Without the semicolon; the last is of kind `end`. */
  readonly tokens: readonly Token[];
}

/** Statements end at semicolons; empty ones are left out; the last may lack its semicolon. */
export function splitStatements(text: string, tokensMax: number): StatementText[] {
  const statements: StatementText[] = [];
  let tokens: Token[] = [];
  for (const token of lex(text, { tokensMax })) {
    const ends = token.kind === 'end' || (token.kind === 'symbol' && token.text === ';');
    if (!ends) {
      tokens.push(token);
      continue;
    }
    const first = tokens[0];
    if (first !== undefined) {
      const end = { ...token, kind: 'end' as const, text: '', upper: '' };
      const place = { line: first.line, column: first.column };
      const last = token.kind === 'end' ? tokens.at(-1)! : token;
      statements.push({ text: text.slice(first.start, last.end), place, tokens: [...tokens, end] });
    }
    tokens = [];
  }
  return statements;
}

type Grow = (characters: number) => void;

export type Variables = ReadonlyMap<string, string>;

/**
 * The statement with its variables replaced: its text is what was meant, and places count in that text. `grow` is told of the characters
 * that are about to be put in, and throws where they are too many.
 */
export function substituteVariables(
  statement: StatementText,
  variables: Variables,
  { grow, tokensMax }: { readonly grow: Grow; readonly tokensMax: number },
): StatementText {
  if (!statement.text.includes('${')) return statement;
  const base = statement.tokens[0]!.start;
  let text = '';
  let copied = 0;
  for (const token of statement.tokens) {
    const start = token.start - base;
    const end = token.end - base;
    const written = statement.text.slice(start, end);
    const replaced = replacement(token, written, variables, grow);
    if (replaced === written) continue;
    text += statement.text.slice(copied, start) + replaced;
    copied = end;
  }
  text += statement.text.slice(copied);
  const tokens = lex(text, { base: statement.place, tokensMax }).filter(
    (token) => token.kind !== 'symbol' || token.text !== ';',
  );
  const stray = tokens.find((token) => token.kind === 'variable');
  if (stray !== undefined) throw syntaxError(stray, `the value of a variable cannot hold the variable "${stray.text}"`);
  return { text, place: statement.place, tokens };
}

function replacement(token: Token, written: string, variables: Variables, grow: (characters: number) => void): string {
  if (token.kind === 'variable') {
    const value = find(variables, token.text);
    if (value === undefined) {
      const hint = didYouMean(token.text, variables.keys()) ?? `set it with DEFINE ${token.text} = '...';`;
      throw syntaxError(token, `the variable "${token.text}" is not defined`, hint);
    }
    grow(value.length);
    return value;
  }
  if (token.kind !== 'string' && token.kind !== 'quoted') return written;
  const quote = written[0]!;
  // Inside a text an unknown name stays as it is: it may be meant for somebody else (`${env:...}`, `${file:...}`).
  return written.replace(/\$\{([A-Za-z_][A-Za-z0-9_@]*)\}/g, (whole, name: string) => {
    const value = find(variables, name) ?? whole;
    // Quotes are doubled.
    grow(2 * value.length);
    return value.replaceAll(quote, quote + quote);
  });
}

/** Variable names do not regard case. */
function find(variables: Variables, name: string): string | undefined {
  return variables.get(name.toLowerCase());
}
