// Comma-separated regular expressions, as Debezium's lists are: a comma inside brackets or braces, or behind a backslash, is part of one.
import { compilePattern, type Pattern } from './pattern.js';

/** In front of an item, as in Java: upper and lower case are not the same in it. */
export const caseCounts = '(?-i)';

/** Of an item that must match the whole name; case does not count, as in Debezium, unless it says so. Throws SyntaxError. */
export function wholeName(item: string): Pattern {
  return item.startsWith(caseCounts)
    ? compilePattern(item.slice(caseCounts.length), { ignoreCase: false })
    : compilePattern(item, { ignoreCase: true });
}

/** The name that an item is, if it is one and no pattern. */
export function nameOf(item: string): string {
  return (item.startsWith(caseCounts) ? item.slice(caseCounts.length) : item).replaceAll('\\', '');
}

/** `a{1,2}` is one item. */
export function splitPatterns(text: string): string[] {
  const items: string[] = [];
  let item = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === '\\') {
      item += char + (text[++i] ?? '');
      continue;
    }
    if ('({['.includes(char)) depth++;
    if (')}]'.includes(char)) depth--;
    if (char === ',' && depth <= 0) {
      items.push(item);
      item = '';
    } else item += char;
  }
  return [...items, item].map((one) => one.trim()).filter((one) => one !== '');
}

/** Why an item is not taken, for the message of an error. */
export function notAPattern(item: string, cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return `"${item.length > 200 ? `${item.slice(0, 200)}...` : item}" is not a regular expression that is taken: ${reason.slice(0, 300)}`;
}
