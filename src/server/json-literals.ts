// Turns a JSON text into SQL literals without losing a digit: numbers are copied as they are written, because JSON.parse would
// round BIGINT and DECIMAL. For rows of /inserts-stream.
import { AppError } from '../core/errors.js';

/** The members of a JSON object: name -> SQL expression. */
export function sqlLiterals(json: string): Map<string, string> {
  // JSON.parse first, only as the judge of whether the text is valid JSON: what follows relies on it.
  try {
    JSON.parse(json);
  } catch (cause) {
    throw new AppError('bad-request', 'a row is not valid JSON', { detail: json.slice(0, 200), cause });
  }
  const reader = new Reader(json);
  return reader.topLevel();
}

const literal = /\s*(?:(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|("(?:[^"\\]|\\.)*"))\s*/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  topLevel(): Map<string, string> {
    const members = new Map<string, string>();
    if (this.#peek() !== '{') throw new AppError('bad-request', 'a row must be a JSON object');
    this.#members((name, value) => members.set(name, value));
    return members;
  }

  #value(): string {
    const next = this.#peek();
    if (next === '{') {
      const fields: string[] = [];
      this.#members((name, value) => fields.push(`${quoteName(name)} := ${value}`));
      return `STRUCT(${fields.join(', ')})`;
    }
    if (next === '[') {
      const items: string[] = [];
      this.#at++;
      while (this.#peek() !== ']') {
        items.push(this.#value());
        if (this.#peek() === ',') this.#at++;
      }
      this.#at++;
      return `ARRAY[${items.join(', ')}]`;
    }
    literal.lastIndex = this.#at;
    const found = literal.exec(this.#text);
    if (found === null) throw new AppError('internal', `no JSON value at character ${this.#at}`);
    this.#at = literal.lastIndex;
    if (found[1] !== undefined) return found[1];
    if (found[2] !== undefined) return found[2].toUpperCase();
    return `'${(JSON.parse(found[3]!) as string).replaceAll("'", "''")}'`;
  }

  #members(take: (name: string, value: string) => void): void {
    this.#at++;
    while (this.#peek() !== '}') {
      literal.lastIndex = this.#at;
      const name = JSON.parse(literal.exec(this.#text)![3]!) as string;
      this.#at = this.#text.indexOf(':', literal.lastIndex) + 1;
      take(name, this.#value());
      if (this.#peek() === ',') this.#at++;
    }
    this.#at++;
  }

  #peek(): string | undefined {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
    return this.#text[this.#at];
  }
}

/**
 * A column name of a client. Names without quotes are matched without regard to case, and clients send them as they were
 * typed, so a plain word is left unquoted.
 */
export function quoteName(name: string): string {
  if (/^`.*`$/s.test(name)) return name;
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name.replaceAll('`', '``')}\``;
}
