// ARRAY, MAP and STRUCT as canonical JSON text: one text per value, so that equal values are equal as text. Numbers keep all their
// digits, because the text is read back by the type and not through JSON.parse.
import { compareText } from '../../core/compare.js';
import { integerValue, type DataType, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';

export function toJson(type: DataType, value: Value): string {
  if (value === null) return 'null';
  switch (type.kind) {
    case 'BOOLEAN':
      return value === true ? 'true' : 'false';
    case 'INTEGER':
    case 'BIGINT':
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
    case 'DECIMAL':
      // A decimal is its unscaled integer here: the scale is the type's.
      return String(value as number | bigint);
    case 'DOUBLE':
      return doubleToJson(value as number);
    case 'STRING':
      return JSON.stringify(value);
    case 'BYTES':
      return `"${(value as Buffer).toString('base64')}"`;
    case 'ARRAY':
      return `[${(value as readonly Value[]).map((element) => toJson(type.element, element)).join(',')}]`;
    case 'MAP': {
      const entries = [...(value as ReadonlyMap<string, Value>)].toSorted(([a], [b]) => compareText(a, b));
      return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${toJson(type.value, entry)}`).join(',')}}`;
    }
    case 'STRUCT': {
      const fields = value as readonly Value[];
      return `{${type.fields.map((field, i) => `${JSON.stringify(field.name)}:${toJson(field.type, fields[i]!)}`).join(',')}}`;
    }
  }
}

function doubleToJson(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

export function fromJson(type: DataType, text: string): Value {
  const reader = new JsonReader(text);
  const value = reader.value(type);
  reader.end();
  return value;
}

/** Reads what toJson wrote: no white space, keys in the expected order. */
class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    if (this.#at !== this.#text.length) throw this.#broken();
  }

  value(type: DataType): Value {
    if (this.#skip('null')) return null;
    switch (type.kind) {
      case 'BOOLEAN':
        if (this.#skip('true')) return true;
        this.#expect('false');
        return false;
      case 'INTEGER':
      case 'BIGINT':
      case 'DATE':
      case 'TIME':
      case 'TIMESTAMP':
      case 'DECIMAL':
        return integerValue(BigInt(this.#number()));
      case 'DOUBLE':
        return Number(this.#text[this.#at] === '"' ? this.#string() : this.#number());
      case 'STRING':
        return this.#string();
      case 'BYTES':
        return Buffer.from(this.#string(), 'base64');
      case 'ARRAY':
        return this.#list('[', ']', () => this.value(type.element));
      case 'MAP':
        return new Map(
          this.#list('{', '}', () => {
            const key = this.#string();
            this.#expect(':');
            return [key, this.value(type.value)] as const;
          }),
        );
      case 'STRUCT': {
        let field = 0;
        return this.#list('{', '}', () => {
          this.#string();
          this.#expect(':');
          return this.value(type.fields[field++]!.type);
        });
      }
    }
  }

  #list<T>(open: string, close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#expect(open);
    if (this.#skip(close)) return items;
    do items.push(item());
    while (this.#skip(','));
    this.#expect(close);
    return items;
  }

  #number(): string {
    const pattern = /-?[0-9][0-9.eE+-]*/y;
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw this.#broken();
    this.#at += match[0].length;
    return match[0];
  }

  #string(): string {
    const start = this.#at;
    this.#expect('"');
    for (;;) {
      const quote = this.#text.indexOf('"', this.#at);
      if (quote < 0) throw this.#broken();
      this.#at = quote + 1;
      let escapes = 0;
      while (this.#text.charCodeAt(quote - 1 - escapes) === 0x5c) escapes++;
      if (escapes % 2 === 0) return JSON.parse(this.#text.slice(start, this.#at)) as string;
    }
  }

  #skip(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#skip(text)) throw this.#broken();
  }

  #broken(): AppError {
    return new AppError('internal', `a stored value is not the JSON that its type says, at character ${this.#at}`);
  }
}
