// The words of a .proto file. Comments and white space are passed over; every word knows its place, for messages.
import { AppError } from '../../core/errors.js';

export interface ProtoToken {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end';
  /** Of a text: what it stands for, without quotes. */
  readonly text: string;
  readonly at: number;
}

const spaces = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const name = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /(?:0[xX][0-9A-Fa-f]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y;
const quoted = /"(?:[^"\\\n\0]|\\[^\n\0])*"|'(?:[^'\\\n\0]|\\[^\n\0])*'/y;
const escape = /\\(?:([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs;
const plainEscapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

export class ProtoLexer {
  readonly #source: string;
  #at = 0;
  #next: ProtoToken;

  constructor(source: string) {
    this.#source = source;
    this.#next = this.#read();
  }

  get next(): ProtoToken {
    return this.#next;
  }

  take(): ProtoToken {
    const token = this.#next;
    if (token.kind !== 'end') this.#next = this.#read();
    return token;
  }

  /** Takes the next word where it is this name or sign. */
  takeIf(text: string): boolean {
    const { kind, text: found } = this.#next;
    if ((kind !== 'name' && kind !== 'sign') || found !== text) return false;
    this.take();
    return true;
  }

  expect(text: string): void {
    if (!this.takeIf(text)) this.fail(`${JSON.stringify(text)} is expected`);
  }

  name(what: string): string {
    if (this.#next.kind !== 'name') this.fail(`${what} is expected`);
    return this.take().text;
  }

  /** `a.b.C`; with a leading dot where that may be. */
  path(what: string, rooted = false): string {
    let path = rooted && this.takeIf('.') ? '.' : '';
    path += this.name(what);
    while (this.takeIf('.')) path += `.${this.name(what)}`;
    return path;
  }

  integer(what: string): number {
    const negative = this.takeIf('-');
    const { kind, text } = this.#next;
    const value = kind === 'number' && /^(?:0[xX][0-9A-Fa-f]+|\d+)$/.test(text) ? integerOf(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) this.fail(`${what} is expected`);
    this.take();
    return negative ? -value : value;
  }

  /** Texts that stand behind each other are one. */
  text(what: string): string {
    if (this.#next.kind !== 'text') this.fail(`${what} is expected`);
    let text = this.take().text;
    while (this.#next.kind === 'text') text += this.take().text;
    return text;
  }

  fail(why: string, at = this.#next.at): never {
    const before = this.#source.slice(0, at).split('\n');
    const { kind, text } = this.#next;
    const found = kind === 'end' ? 'the end' : JSON.stringify(text.slice(0, 40));
    throw new AppError('invalid-schema', 'the Protobuf schema is not valid', {
      detail: `line ${before.length}, column ${before.at(-1)!.length + 1}: ${why}${at === this.#next.at ? `, not ${found}` : ''}`,
    });
  }

  #read(): ProtoToken {
    this.#match(spaces);
    const at = this.#at;
    if (at >= this.#source.length) return { kind: 'end', text: '', at };
    const word = this.#match(name);
    if (word !== undefined) return { kind: 'name', text: word, at };
    const digits = this.#match(number);
    if (digits !== undefined) return { kind: 'number', text: digits, at };
    const text = this.#match(quoted);
    if (text !== undefined) return { kind: 'text', text: unescape(text.slice(1, -1)), at };
    this.#at++;
    return { kind: 'sign', text: this.#source[at]!, at };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match[0];
  }
}

/** A zero in front means octal. */
function integerOf(text: string): number {
  if (/^0[xX]/.test(text) || !/^0\d/.test(text)) return Number(text);
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(escape, (_, octal?: string, hex?: string, four?: string, eight?: string, other?: string) => {
    if (other !== undefined) return plainEscapes[other] ?? other;
    const code = octal === undefined ? Number.parseInt(hex ?? four ?? eight!, 16) : Number.parseInt(octal, 8);
    return code > 0x10_ffff ? '\ufffd' : String.fromCodePoint(code);
  });
}
