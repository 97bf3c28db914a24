// Which SQL type a declared column type of SQLite stands for: one table, first match wins. SQLite itself takes the declared
// type only as an advice (its affinity); whether a value then fits is checked value by value in value.ts.
import { BIGINT, BOOLEAN, BYTES, DATE, DOUBLE, STRING } from '../../core/data-type.js';
import type { DataType } from '../../core/data-type.js';
import { AppError } from '../../core/errors.js';

export type Affinity = 'INTEGER' | 'TEXT' | 'BLOB' | 'REAL' | 'NUMERIC';

type Rule = readonly [pattern: RegExp, type: (size: readonly number[], digits: 3 | 6) => DataType | undefined];

/** Over the upper-case name in front of the brackets; `size` holds the numbers inside them. */
const rules: readonly Rule[] = [
  [/^$/, () => STRING],
  [/BOOL/, () => BOOLEAN],
  [/^DATE$/, () => DATE],
  [/^(DATETIME|TIMESTAMP|TIMESTAMPTZ)\b/, (size, digits) => ({ kind: 'TIMESTAMP', digits: digitsOf(size, digits) })],
  [/^TIME\b/, (size, digits) => ({ kind: 'TIME', digits: digitsOf(size, digits) })],
  // Without a precision SQLite's NUMERIC is any number; DOUBLE holds what it stores, except integers beyond 2^53 (aloud).
  [/^(DEC|DECIMAL|NUMERIC|NUMBER)$/, (size) => (size.length === 0 ? DOUBLE : decimal(size))],
  [/INT/, () => BIGINT],
  [/CHAR|CLOB|TEXT|STRING|JSON|UUID|ENUM/, () => STRING],
  [/BLOB|BINARY|BYTEA/, () => BYTES],
  [/REAL|FLOA|DOUB/, () => DOUBLE],
  // Anything else is a name of the application's own; every storage class but BLOB has a text form.
  [/^/, () => STRING],
];

export function typeOfDeclared(declared: string, defaultDigits: 3 | 6): DataType {
  const match = /^\s*([^(]*?)\s*(?:\(([^)]*)\).*)?$/s.exec(declared);
  const name = (match?.[1] ?? declared).toUpperCase();
  const size = (match?.[2] ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  for (const [pattern, type] of rules) {
    if (!pattern.test(name)) continue;
    const found = type(size, defaultDigits);
    if (found) return found;
    throw new AppError('unsupported-type', `the declared type ${declared} is not covered`, {
      hint: 'DECIMAL takes a precision from 1 to 38 and a scale up to it; sqlite.text.columns reads the column as STRING',
    });
  }
  return STRING;
}

function digitsOf(size: readonly number[], digits: 3 | 6): 3 | 6 {
  return size.length === 0 ? digits : size[0]! > 3 ? 6 : 3;
}

function decimal([precision, scale = 0]: readonly number[]): DataType | undefined {
  const p = precision!;
  const whole = Number.isInteger(p) && Number.isInteger(scale);
  return whole && p >= 1 && p <= 38 && scale >= 0 && scale <= p ? { kind: 'DECIMAL', precision: p, scale } : undefined;
}

/** SQLite's own rules, in its order (datatype3.html, section 3.1). */
export function affinityOf(declared: string): Affinity {
  const upper = declared.toUpperCase();
  if (upper.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(upper)) return 'TEXT';
  if (upper === '' || upper.includes('BLOB')) return 'BLOB';
  if (/REAL|FLOA|DOUB/.test(upper)) return 'REAL';
  return 'NUMERIC';
}
