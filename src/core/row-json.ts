// A row as JSON text and back, exactly: for small documents (cursors, progress). Not a format of the wire.
import type { Row, Value } from './data-type.js';

type Tagged =
  | { readonly $n: string }
  | { readonly $b: string }
  | { readonly $d: string }
  | { readonly $m: readonly [string, unknown][] };

export function rowToJson(row: Row): string {
  return JSON.stringify(row.map(encode));
}

export function rowFromJson(text: string): Row {
  return (JSON.parse(text) as unknown[]).map(decode);
}

function encode(value: Value): unknown {
  if (typeof value === 'bigint') return { $n: value.toString() };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $d: String(value) };
  if (Buffer.isBuffer(value)) return { $b: value.toString('base64') };
  if (value instanceof Map) return { $m: [...(value as ReadonlyMap<string, Value>)].map(([k, v]) => [k, encode(v)]) };
  if (Array.isArray(value)) return (value as readonly Value[]).map(encode);
  return value;
}

function decode(value: unknown): Value {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value === 'object' && value !== null) {
    const tagged = value as Tagged;
    if ('$n' in tagged) return BigInt(tagged.$n);
    if ('$d' in tagged) return Number(tagged.$d);
    if ('$b' in tagged) return Buffer.from(tagged.$b, 'base64');
    return new Map(tagged.$m.map(([k, v]) => [k, decode(v)]));
  }
  return value as Value;
}
