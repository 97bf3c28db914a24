// DECIMAL of more than 18 digits as text whose byte order is the order of the numbers: a sign character (0 below 1), then all
// digits of the precision; those of a negative number as nines' complement, so that a larger magnitude sorts lower.
import { assert } from '../../core/errors.js';

/** From the unscaled integer. */
export function toSortableText(unscaled: number | bigint, precision: number): string {
  const negative = unscaled < 0;
  const digits = String(negative ? -unscaled : unscaled).padStart(precision, '0');
  assert(digits.length === precision, `a decimal has at most ${precision} digits`);
  return negative ? `0${complement(digits)}` : `1${digits}`;
}

export function fromSortableText(text: string): bigint {
  const digits = text.slice(1);
  return text.charCodeAt(0) === 0x30 ? -BigInt(complement(digits)) : BigInt(digits);
}

function complement(digits: string): string {
  let result = '';
  for (let i = 0; i < digits.length; i++) result += String.fromCharCode(0x69 - digits.charCodeAt(i));
  return result;
}

/** An SQL expression that writes the number in the usual way, for the views that people read. */
export function sortableTextForReaders(column: string, precision: number, scale: number): string {
  const number = (digits: string) => plainNumber(digits, precision, scale);
  return `CASE substr(${column}, 1, 1) WHEN '1' THEN ${number(`substr(${column}, 2)`)} WHEN '0' THEN '-' || ${number(complementInSql(`substr(${column}, 2)`))} END`;
}

function plainNumber(digits: string, precision: number, scale: number): string {
  const whole = `ifnull(nullif(ltrim(substr(${digits}, 1, ${precision - scale}), '0'), ''), '0')`;
  return scale === 0 ? whole : `${whole} || '.' || substr(${digits}, ${precision - scale + 1})`;
}

/** SQLite has no translate(): each digit goes to a letter first, so that none is exchanged twice. */
function complementInSql(digits: string): string {
  let expression = digits;
  for (let d = 0; d <= 9; d++) expression = `replace(${expression}, '${d}', '${String.fromCharCode(0x61 + d)}')`;
  for (let d = 0; d <= 9; d++) expression = `replace(${expression}, '${String.fromCharCode(0x61 + d)}', '${9 - d}')`;
  return expression;
}
