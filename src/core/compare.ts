// The one order of values: of keys in the store, of MIN and MAX, of ranges. Null first; numbers by value (number and bigint mixed);
// strings by code point, which is the order of their UTF-8 bytes and so SQLite's BINARY order; bytes by byte.
import type { Row, Value } from './data-type.js';

/** Negative, 0 or positive. Both values are of one SQL type, or null. */
export function compareValues(a: Value, b: Value): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b || compareNaN(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return Buffer.compare(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return compareRows(a as Row, b as Row);
  if (a instanceof Map && b instanceof Map) return compareRows(entries(a), entries(b));
  throw new TypeError(`cannot compare ${typeof a} with ${typeof b}`);
}

/** Column by column; a row that is a prefix of the other comes first. */
export function compareRows(a: Row, b: Row): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const order = compareValues(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By code point. JavaScript's own `<` goes by UTF-16 unit and sorts U+FFFD behind U+10000. */
export function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const xSurrogate = x >= 0xd800 && x <= 0xdfff;
    const ySurrogate = y >= 0xd800 && y <= 0xdfff;
    // A surrogate stands for a code point above every unit of the basic plane.
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1;
    return x - y;
  }
  return a.length - b.length;
}

/** SQLite has no NaN; ours sorts behind every number. */
function compareNaN(a: number, b: number): number {
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function entries(map: ReadonlyMap<string, Value>): Row {
  return [...map].toSorted(([a], [b]) => compareText(a, b)).flat();
}

export function sameValue(a: Value, b: Value): boolean {
  return compareValues(a, b) === 0;
}

export function sameRow(a: Row, b: Row): boolean {
  return a.length === b.length && a.every((value, i) => sameValue(value, b[i]!));
}
