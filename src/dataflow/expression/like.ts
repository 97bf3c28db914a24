// LIKE: `%` stands for any text, `_` for one character (a code point), the character behind the escape for itself. Case counts.
// Matched by two cursors instead of a regular expression, which a pattern of many `%` could keep busy for ever. The forms
// without inner wildcards (`a%`, `%a`, `%a%`, `a`) become plain string searches.
import type { Condition, Evaluator } from './evaluator.js';

export type LikeMatcher = (text: string) => boolean;

const ANY = -1;
const ONE = -2;

export function compileLike(
  arg: Evaluator,
  pattern: Evaluator,
  literalPattern: string | undefined,
  escape: string | null,
  negated: boolean,
): Condition {
  if (literalPattern !== undefined) {
    const matches = likeMatcher(literalPattern, escape);
    return (row, rowtimeMs) => {
      const text = arg(row, rowtimeMs);
      return text === null ? null : matches(text as string) !== negated;
    };
  }
  // A pattern that comes from the row is often the same as in the row before.
  let lastPattern: string | undefined;
  let lastMatcher: LikeMatcher = () => false;
  return (row, rowtimeMs) => {
    const text = arg(row, rowtimeMs);
    const source = pattern(row, rowtimeMs);
    if (text === null || source === null) return null;
    if (source !== lastPattern) {
      lastMatcher = likeMatcher(source as string, escape);
      lastPattern = source as string;
    }
    return lastMatcher(text as string) !== negated;
  };
}

export function likeMatcher(pattern: string, escape: string | null): LikeMatcher {
  const tokens = tokenize(pattern, escape);
  const first = tokens[0] === ANY;
  const last = tokens.length > 1 && tokens[tokens.length - 1] === ANY;
  const inner = tokens.slice(first ? 1 : 0, last ? -1 : tokens.length);
  if (inner.every((token) => token >= 0)) {
    const text = inner.map((token) => String.fromCodePoint(token)).join('');
    if (first && last) return (value) => value.includes(text);
    if (first) return (value) => value.endsWith(text);
    if (last) return (value) => value.startsWith(text);
    return (value) => value === text;
  }
  return (value) => glob(value, tokens);
}

/** Code points, ANY and ONE; neighbouring ANYs are one. */
function tokenize(pattern: string, escape: string | null): readonly number[] {
  const tokens: number[] = [];
  let escaped = false;
  for (const char of pattern) {
    if (!escaped && escape !== null && char === escape) escaped = true;
    else {
      if (escaped || (char !== '%' && char !== '_')) tokens.push(char.codePointAt(0)!);
      else if (char === '_') tokens.push(ONE);
      else if (tokens[tokens.length - 1] !== ANY) tokens.push(ANY);
      escaped = false;
    }
  }
  // An escape with nothing behind it stands for itself.
  if (escaped) tokens.push(escape!.codePointAt(0)!);
  return tokens;
}

/** Greedy with one point to fall back to, the newest ANY: at worst text times pattern. */
function glob(text: string, tokens: readonly number[]): boolean {
  let at = 0;
  let token = 0;
  let fallbackAt = -1;
  let fallbackToken = -1;
  while (at < text.length) {
    const wanted = tokens[token];
    const char = text.codePointAt(at)!;
    if (wanted === ANY) {
      fallbackAt = at;
      fallbackToken = ++token;
    } else if (wanted === ONE || wanted === char) {
      at += char > 0xffff ? 2 : 1;
      token++;
    } else if (fallbackToken >= 0) {
      fallbackAt += text.codePointAt(fallbackAt)! > 0xffff ? 2 : 1;
      at = fallbackAt;
      token = fallbackToken;
    } else return false;
  }
  while (tokens[token] === ANY) token++;
  return token === tokens.length;
}
