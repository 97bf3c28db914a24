// SQL text to tokens, each with its exact place. Promises: every text gives tokens or throws `syntax-error`; the tokens' slices
// and what lies between them (blanks, comments) make up the text. Keywords are plain words: the parser decides.
import { bounds } from '../core/bounds.js';
import { syntaxError, tooLarge, type Place } from './sql-error.js';

export type TokenKind = 'word' | 'quoted' | 'string' | 'integer' | 'decimal' | 'double' | 'symbol' | 'variable' | 'end';

export interface Token extends Place {
  readonly kind: TokenKind;
  /** word: as written · quoted, string: without quotes and doubled quotes · variable: its name · else the text. */
  readonly text: string;
  /** A word in upper case, else the text: what keywords and symbols are compared with. */
  readonly upper: string;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

const symbols2 = new Set(['<>', '!=', '<=', '>=', '||', ':=', '->', '=>']);
const symbols1 = new Set('=<>+-*/%().,;[]{}:?'.split(''));

export interface LexOptions {
  /** The place of the text's first character. */
  readonly base?: Place;
  readonly tokensMax?: number;
}

/** All tokens, the last of kind `end`. */
export function lex(text: string, options: LexOptions = {}): Token[] {
  const { base = { line: 1, column: 1 }, tokensMax = bounds.sqlTokens.value } = options;
  const tokens: Token[] = [];
  let at = 0;
  let line = base.line;
  /** Offset at which column 1 of the line would stand. */
  let lineStart = 1 - base.column;

  const place = (offset: number): Place => ({ line, column: offset - lineStart + 1 });
  /** Looks no further than `to`: the next line may be far away, and this is asked for each token. */
  const countLines = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      if (text.charCodeAt(i) !== 10) continue;
      line++;
      lineStart = i + 1;
    }
  };
  const push = (kind: TokenKind, end: number, value: string): void => {
    if (tokens.length === tokensMax) {
      throw tooLarge(place(at), 'the SQL text is too long', `${tokensMax} names, words, constants and signs at most`);
    }
    const upper = kind === 'word' ? value.toUpperCase() : value;
    tokens.push({ kind, text: value, upper, start: at, end, line, column: at - lineStart + 1 });
    if (kind === 'string' || kind === 'quoted') countLines(at, end);
    at = end;
  };

  for (;;) {
    const c = text.charCodeAt(at);
    if (at >= text.length) break;
    if (c === 0x20 || (c >= 9 && c <= 13) || c === 0xfeff || c === 0xa0) {
      if (c === 10) {
        line++;
        lineStart = at + 1;
      }
      at++;
    } else if (c === 0x2d && text.charCodeAt(at + 1) === 0x2d) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else if (c === 0x2f && text.charCodeAt(at + 1) === 0x2a) {
      const end = text.indexOf('*/', at + 2);
      if (end < 0) throw syntaxError(place(at), 'the comment has no end');
      countLines(at, end);
      at = end + 2;
    } else if (c === 0x27 || c === 0x22 || c === 0x60) {
      const end = quotedEnd(text, at);
      if (end < 0) throw syntaxError(place(at), `${c === 0x27 ? 'the text' : 'the quoted name'} has no closing quote`);
      const quote = text[at]!;
      const inner = text.slice(at + 1, end - 1).replaceAll(quote + quote, quote);
      if (c !== 0x27 && inner === '') throw syntaxError(place(at), 'a quoted name cannot be empty');
      push(c === 0x27 ? 'string' : 'quoted', end, inner);
    } else if (c === 0x24 && text.charCodeAt(at + 1) === 0x7b) {
      const match = variableName(text, at + 2);
      if (match === null) throw syntaxError(place(at), 'a variable is written ${name}');
      push('variable', at + match.length + 3, match);
    } else if (isDigit(c) || (c === 0x2e && isDigit(text.charCodeAt(at + 1)) && !endsName(tokens.at(-1), at))) {
      const { kind, end } = scanNumber(text, at);
      push(kind, end, text.slice(at, end));
    } else if (isWordStart(c)) {
      let end = at + 1;
      while (isWordPart(text.charCodeAt(end))) end++;
      push('word', end, text.slice(at, end));
    } else {
      const length = symbols2.has(text.slice(at, at + 2)) ? 2 : 1;
      const symbol = text.slice(at, at + length);
      if (length === 1 && !symbols1.has(symbol)) {
        throw syntaxError(place(at), `unexpected character ${printable(text, at)}`);
      }
      push('symbol', at + length, symbol);
    }
  }
  tokens.push({ kind: 'end', text: '', upper: '', start: at, end: at, ...place(at) });
  return tokens;
}

/** True behind a name without a gap: the dot of `t.1R` begins no number. */
function endsName(token: Token | undefined, at: number): boolean {
  return token?.end === at && (token.kind === 'word' || token.kind === 'quoted');
}

/** Behind the closing quote; -1 when there is none. A doubled quote stands for one inside. */
function quotedEnd(text: string, start: number): number {
  const quote = text[start]!;
  let end = start + 1;
  for (;;) {
    end = text.indexOf(quote, end);
    if (end < 0) return -1;
    if (text[end + 1] !== quote) return end + 1;
    end += 2;
  }
}

const variablePattern = /([A-Za-z_][A-Za-z0-9_@]*)\}/y;

function variableName(text: string, at: number): string | null {
  variablePattern.lastIndex = at;
  return variablePattern.exec(text)?.[1] ?? null;
}

/** 12 · 1.5 · .5 · 1. · 1e3 · 1.5E-3; a word that begins with digits (`1R`) is a name. */
function scanNumber(text: string, start: number): { kind: TokenKind; end: number } {
  let end = start;
  while (isDigit(text.charCodeAt(end))) end++;
  let kind: TokenKind = 'integer';
  if (text.charCodeAt(end) === 0x2e) {
    kind = 'decimal';
    end++;
    while (isDigit(text.charCodeAt(end))) end++;
  }
  const exponent = exponentEnd(text, end);
  if (exponent > 0) {
    if (kind !== 'integer' || !isWordPart(text.charCodeAt(exponent))) return { kind: 'double', end: exponent };
  }
  if (kind === 'integer' && isWordPart(text.charCodeAt(end))) {
    while (isWordPart(text.charCodeAt(end))) end++;
    kind = 'word';
  }
  return { kind, end };
}

function exponentEnd(text: string, at: number): number {
  const c = text.charCodeAt(at);
  if (c !== 0x65 && c !== 0x45) return -1;
  let end = at + 1;
  const sign = text.charCodeAt(end);
  if (sign === 0x2b || sign === 0x2d) end++;
  const digits = end;
  while (isDigit(text.charCodeAt(end))) end++;
  return end > digits ? end : -1;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isWordStart(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x5f;
}

function isWordPart(c: number): boolean {
  return isWordStart(c) || isDigit(c) || c === 0x40;
}

function printable(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  return code < 0x20 || code === 0x7f ? `U+${code.toString(16).padStart(4, '0')}` : `'${String.fromCodePoint(code)}'`;
}
