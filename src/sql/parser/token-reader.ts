// The parser's view of the tokens: look, accept, expect. Errors name the token that was found and what was expected, in
// ksqlDB's wording (`line 1:32: Syntax Error`).
import { bounds } from '../../core/bounds.js';
import type { Name } from '../ast.js';
import { reservedWords } from '../keywords.js';
import type { Token } from '../lexer.js';
import { syntaxError, tooLarge, type Place } from '../sql-error.js';
import type { AppError } from '../../core/errors.js';
import { nearestName } from '../../core/nearest-name.js';
import { messages } from '../messages.js';

/** So that no text exhausts the stack. */
const depthMax = bounds.sqlDepth.value;
/** `a AND b AND ..` makes a tree as deep as it is long. */
const operatorsMax = bounds.sqlOperators.value;

export class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #nameMax: number;
  #at = 0;
  #depth = 0;
  #operators = 0;

  constructor(tokens: readonly Token[], nameMax: number = bounds.sqlName.value) {
    this.#tokens = tokens;
    this.#nameMax = nameMax;
  }

  get token(): Token {
    return this.#tokens[this.#at]!;
  }

  /** The token `n` places on; the end token beyond the last. */
  peek(n: number): Token {
    return this.#tokens[Math.min(this.#at + n, this.#tokens.length - 1)]!;
  }

  place(): Place {
    const { line, column } = this.token;
    return { line, column };
  }

  next(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  isWord(word: string, n = 0): boolean {
    const token = this.peek(n);
    return token.kind === 'word' && token.upper === word;
  }

  isSymbol(symbol: string, n = 0): boolean {
    const token = this.peek(n);
    return token.kind === 'symbol' && token.text === symbol;
  }

  /** True when these words follow one another here. */
  isWords(...words: readonly string[]): boolean {
    return words.every((word, n) => this.isWord(word, n));
  }

  /** Takes the words when all of them follow. */
  accept(...words: readonly string[]): boolean {
    if (!this.isWords(...words)) return false;
    this.#at += words.length;
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.#at++;
    return true;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.unexpected([word]);
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.unexpected([`'${symbol}'`]);
  }

  expectString(): string {
    if (this.token.kind !== 'string') throw this.unexpected(['a text in single quotes']);
    return this.next().text;
  }

  /** A number without sign, fraction or exponent that fits. */
  expectCount(): number {
    const { token } = this;
    const value = Number(token.text);
    if (token.kind !== 'integer' || !Number.isSafeInteger(value)) throw this.unexpected(['a whole number']);
    this.next();
    return value;
  }

  isName(n = 0): boolean {
    const token = this.peek(n);
    return token.kind === 'quoted' || (token.kind === 'word' && !reservedWords.has(token.upper));
  }

  name(what = 'a name'): Name {
    const { token } = this;
    if (token.kind === 'word' && reservedWords.has(token.upper)) {
      throw syntaxError(token, messages.reservedWord(token.text, token), `quote it: \`${token.text}\``);
    }
    if (!this.isName()) throw this.unexpected([what]);
    if (token.text.length > this.#nameMax)
      throw tooLarge(token, `a name of ${token.text.length} characters`, `a name has ${this.#nameMax} at most`);
    this.next();
    return {
      kind: 'name',
      text: token.text,
      quoted: token.kind === 'quoted',
      place: { line: token.line, column: token.column },
    };
  }

  /** `(a, b, c)`; `empty` says whether `()` is allowed. */
  list<T>(open: string, close: string, item: () => T, empty = false): T[] {
    this.expectSymbol(open);
    if (empty && this.acceptSymbol(close)) return [];
    const items = this.commaList(item);
    if (!this.acceptSymbol(close)) throw this.unexpected([`','`, `'${close}'`]);
    return items;
  }

  commaList<T>(item: () => T): T[] {
    const items = [item()];
    while (this.acceptSymbol(',')) items.push(item());
    return items;
  }

  /** Runs a nested part, counting the depth. */
  nested<T>(part: () => T): T {
    if (++this.#depth > depthMax) throw tooLarge(this.token, `the statement nests deeper than ${depthMax} levels`);
    const result = part();
    this.#depth--;
    return result;
  }

  /** Takes a binary operator. */
  operator(): Token {
    if (++this.#operators > operatorsMax) {
      throw tooLarge(
        this.token,
        `the statement has more than ${operatorsMax} operators`,
        'use IN (...) for many values',
      );
    }
    return this.next();
  }

  expectEnd(): void {
    if (this.token.kind !== 'end') throw this.unexpected([`';'`]);
  }

  /** The error for the token here. Of the expected keywords a misspelt one may be meant. */
  unexpected(expected: readonly string[]): AppError {
    const { token } = this;
    const found = token.kind === 'end' ? '<EOF>' : token.text;
    const words = expected.filter((word) => /^[A-Z]+$/.test(word));
    const near = token.kind === 'word' ? nearestName(token.text, words) : undefined;
    return syntaxError(
      token,
      messages.syntaxError(
        token,
        expected.length === 1 ? messages.missing(expected[0]!, found) : messages.expecting(expected),
      ),
      near && near !== token.upper ? `did you mean ${near}?` : undefined,
    );
  }
}
