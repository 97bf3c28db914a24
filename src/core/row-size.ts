// About how many bytes a row takes in memory, for pages that are bounded in bytes: long values decide, the rest is a few bytes each.
import type { Row, Value } from './data-type.js';

const wordBytes = 8;

export function rowBytes(row: Row): number {
  let bytes = 0;
  for (const value of row) bytes += valueBytes(value);
  return bytes;
}

function valueBytes(value: Value): number {
  if (typeof value === 'string' || Buffer.isBuffer(value)) return value.length + wordBytes;
  if (typeof value !== 'object' || value === null) return wordBytes;
  if (Array.isArray(value)) return rowBytes(value as Row);
  let bytes = 0;
  for (const [key, item] of value as ReadonlyMap<string, Value>) bytes += key.length + valueBytes(item);
  return bytes;
}
