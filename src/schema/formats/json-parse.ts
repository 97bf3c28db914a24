// A JSON parser that keeps the text of numbers: JSON.parse would round BIGINT and DECIMAL and drop trailing zeros. The
// comfortable path for records in another order or form than our own encoder writes; strict as RFC 8259 asks.

/** A number as it stood in the text. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type JsonNode = null | boolean | string | JsonNumber | readonly JsonNode[] | ReadonlyMap<string, JsonNode>;

/** Deeper nesting than any table has would only be an attack on the stack. */
const depthMax = 500;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Throws SyntaxError with the place. A repeated field counts by its last occurrence. */
export function parseJson(text: string): JsonNode {
  const parser = new Parser(text);
  const node = parser.value(0);
  parser.skipSpace();
  if (parser.at < text.length) parser.fail();
  return node;
}

class Parser {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  fail(): never {
    throw new SyntaxError(
      `unexpected ${this.at < this.#text.length ? JSON.stringify(this.#text[this.at]) : 'end'} at character ${this.at}`,
    );
  }

  skipSpace(): void {
    for (;;) {
      const c = this.#text.charCodeAt(this.at);
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return;
      this.at++;
    }
  }

  value(depth: number): JsonNode {
    if (depth > depthMax) this.fail();
    this.skipSpace();
    switch (this.#text.charCodeAt(this.at)) {
      case 34:
        return this.#string();
      case 123:
        return this.#object(depth);
      case 91:
        return this.#array(depth);
      case 116:
        return this.#word('true', true);
      case 102:
        return this.#word('false', false);
      case 110:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #word<T>(word: string, meaning: T): T {
    if (!this.#text.startsWith(word, this.at)) this.fail();
    this.at += word.length;
    return meaning;
  }

  #number(): JsonNumber {
    numberPattern.lastIndex = this.at;
    const match = numberPattern.exec(this.#text);
    if (!match) this.fail();
    this.at += match[0].length;
    return new JsonNumber(match[0]);
  }

  #string(): string {
    const start = this.at;
    let plain = true;
    for (let i = start + 1; ; i++) {
      const c = this.#text.charCodeAt(i);
      if (c === 34) {
        this.at = i + 1;
        return plain ? this.#text.slice(start + 1, i) : this.#unescape(start);
      }
      if (c === 92) {
        plain = false;
        i++;
      } else if (!(c >= 32)) {
        // NaN behind the end, or a raw control character.
        this.at = i;
        this.fail();
      }
    }
  }

  #unescape(start: number): string {
    try {
      return JSON.parse(this.#text.slice(start, this.at)) as string;
    } catch {
      // Only a bad escape is left to be wrong here; the caller hears where the string stands.
      this.at = start;
      this.fail();
    }
  }

  #array(depth: number): JsonNode[] {
    const items: JsonNode[] = [];
    this.at++;
    this.skipSpace();
    if (this.#text.charCodeAt(this.at) === 93) {
      this.at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.skipSpace();
      const c = this.#text.charCodeAt(this.at);
      if (c !== 44 && c !== 93) this.fail();
      this.at++;
      if (c === 93) return items;
    }
  }

  #object(depth: number): Map<string, JsonNode> {
    const fields = new Map<string, JsonNode>();
    this.at++;
    this.skipSpace();
    if (this.#text.charCodeAt(this.at) === 125) {
      this.at++;
      return fields;
    }
    for (;;) {
      this.skipSpace();
      if (this.#text.charCodeAt(this.at) !== 34) this.fail();
      const name = this.#string();
      this.skipSpace();
      if (this.#text.charCodeAt(this.at) !== 58) this.fail();
      this.at++;
      fields.set(name, this.value(depth + 1));
      this.skipSpace();
      const c = this.#text.charCodeAt(this.at);
      if (c !== 44 && c !== 125) this.fail();
      this.at++;
      if (c === 125) return fields;
    }
  }
}

/** Prints a node again, number text kept, without spaces: what a STRING column holds of nested JSON. */
export function printJson(node: JsonNode): string {
  if (node instanceof JsonNumber) return node.text;
  if (node instanceof Map) {
    return `{${[...(node as ReadonlyMap<string, JsonNode>)].map(([name, value]) => `${JSON.stringify(name)}:${printJson(value)}`).join(',')}}`;
  }
  if (Array.isArray(node)) return `[${node.map((item) => printJson(item as JsonNode)).join(',')}]`;
  return JSON.stringify(node);
}
