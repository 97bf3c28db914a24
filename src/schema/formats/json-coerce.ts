// A JSON node as a value of a column type, by ksqlDB's rules: numbers may stand as text, a STRING takes any node, fields of a
// STRUCT are found without regard to case. Stricter in one thing: what does not fit (a fraction in an INTEGER, a DECIMAL with too
// many digits) is a bad record, never cut.
import { nameKey } from '../../core/names.js';
import { integerValue, printType, type DataType, type Value } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';
import { parseDecimal } from './decimal.js';
import { fromWire } from './micros.js';
import { zonedMicros } from './zoned-text.js';
import { JsonNumber, printJson, type JsonNode } from './json-parse.js';

const wholeText = /^-?\d+$/;
const base64Text = /^[A-Za-z0-9+/]*={0,2}$/;
const doubleWords = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['+Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/** `name`: the column, for the message. */
export function coerceJson(name: string, type: DataType, node: JsonNode): Value {
  if (node === null) return null;
  switch (type.kind) {
    case 'BOOLEAN':
      if (typeof node === 'boolean') return node;
      break;
    case 'INTEGER': {
      const value = whole(node);
      if (typeof value === 'number' && value >= -2147483648 && value <= 2147483647) return value;
      break;
    }
    case 'BIGINT': {
      const value = whole(node);
      if (value !== undefined && fits64(value)) return value;
      break;
    }
    case 'DATE': {
      const value = node instanceof JsonNumber ? whole(node) : undefined;
      if (typeof value === 'number') return value;
      break;
    }
    case 'TIME':
    case 'TIMESTAMP': {
      // As Debezium writes TIMESTAMP; other text is no time.
      if (type.kind === 'TIMESTAMP' && typeof node === 'string') {
        const micros = zonedMicros(node);
        if (micros !== undefined) return micros;
        break;
      }
      const value = node instanceof JsonNumber ? whole(node) : undefined;
      if (value !== undefined && fits64(value)) return fromWire(value, type.digits);
      break;
    }
    case 'DOUBLE': {
      const value = double(node);
      if (value !== undefined) return value;
      break;
    }
    case 'DECIMAL': {
      const text = textOf(node);
      const value = text === undefined ? undefined : parseDecimal(text, type.precision, type.scale);
      if (value !== undefined) return value;
      break;
    }
    case 'STRING':
      return typeof node === 'string' ? node : printJson(node);
    case 'BYTES':
      if (typeof node === 'string' && node.length % 4 === 0 && base64Text.test(node))
        return Buffer.from(node, 'base64');
      break;
    case 'ARRAY':
      if (isArray(node)) return node.map((element) => coerceJson(name, type.element, element));
      break;
    case 'MAP':
      if (node instanceof Map) {
        const entries = new Map<string, Value>();
        for (const [key, value] of node as ReadonlyMap<string, JsonNode>)
          entries.set(key, coerceJson(name, type.value, value));
        return entries;
      }
      break;
    case 'STRUCT':
      if (node instanceof Map) {
        const find = fieldFinder(node as ReadonlyMap<string, JsonNode>);
        return type.fields.map((field) => coerceJson(`${name}.${field.name}`, field.type, find(field.name)));
      }
      break;
  }
  const text = printJson(node);
  throw new AppError('bad-record', `column ${name} is no ${printType(type)}`, {
    detail: text.length > 200 ? `${text.slice(0, 200)}...` : text,
  });
}

/** Fields by name: the exact one first, else without regard to case; null when there is none. */
export function fieldFinder(fields: ReadonlyMap<string, JsonNode>): (name: string) => JsonNode {
  let folded: Map<string, JsonNode> | undefined;
  return (name) => {
    const exact = fields.get(name);
    if (exact !== undefined) return exact;
    if (folded === undefined) {
      folded = new Map();
      for (const [key, node] of fields) folded.set(nameKey(key), node);
    }
    return folded.get(nameKey(name)) ?? null;
  };
}

function textOf(node: JsonNode): string | undefined {
  if (node instanceof JsonNumber) return node.text;
  return typeof node === 'string' ? node : undefined;
}

/** The exact integer of a number node or a text of digits; `1.0` and `1e3` are integers too. */
function whole(node: JsonNode): number | bigint | undefined {
  const text = textOf(node);
  if (text === undefined) return undefined;
  if (wholeText.test(text)) return integerValue(BigInt(text));
  return node instanceof JsonNumber ? parseDecimal(text, 19, 0) : undefined;
}

function fits64(value: number | bigint): boolean {
  return typeof value === 'number' || BigInt.asIntN(64, value) === value;
}

function double(node: JsonNode): number | undefined {
  const text = textOf(node);
  if (text === undefined || text.trim() === '') return undefined;
  const word = doubleWords.get(text);
  if (word !== undefined) return word;
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function isArray(node: JsonNode): node is readonly JsonNode[] {
  return Array.isArray(node);
}
