// Values as canonical JSON text that is read back exactly, by the type: one text per value, so that equal values are equal as text.
// The store keeps ARRAY, MAP and STRUCT so, and documents keep keys so. Not what clients see, nor a format of topics.
import { integerValue, type DataType, type Row, type RowSchema, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { valuePrinter, type PrintValue } from './row-printer.js';

export interface ExactJson {
  readonly print: PrintValue;
  /** Of what `print` gave. */
  readonly read: (text: string) => Value;
}

export function exactJson(type: DataType): ExactJson {
  return {
    print: valuePrinter(type, { numbers: 'exact' }),
    read: (text) => readWhole(text, (reader) => reader.value(type)),
  };
}

/** Of the keys of a table or state: a list of their columns. */
export function exactKeyJson({ columns, keyColumns }: RowSchema): {
  readonly print: (key: Row) => string;
  readonly read: (text: string) => Row;
} {
  const types = keyColumns.map((i) => columns[i]!.type);
  const printers = types.map((type) => exactJson(type).print);
  return {
    print: (key) => `[${printers.map((print, i) => print(key[i]!)).join(',')}]`,
    read: (text) => readWhole(text, (reader) => reader.row(types)),
  };
}

function readWhole<T>(text: string, read: (reader: JsonReader) => T): T {
  const reader = new JsonReader(text);
  const value = read(reader);
  reader.end();
  return value;
}

/** Reads what was printed: no white space, keys in the expected order. */
class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    if (this.#at !== this.#text.length) throw this.#broken();
  }

  row(types: readonly DataType[]): Row {
    let column = 0;
    const row = this.#list('[', ']', () => this.value(this.#next(types[column++])));
    if (column !== types.length) throw this.#broken();
    return row;
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
          return this.value(this.#next(type.fields[field++]).type);
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

  /** There are no more values than the type has. */
  #next<T>(expected: T | undefined): T {
    if (expected === undefined) throw this.#broken();
    return expected;
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
