// LIKE: `%` stands for any text, `_` for one character (a code point), the character behind the escape for itself. Case counts.
// The pattern is what lies between its `%`: the first part at the beginning of the text, the last at its end, each of the others where
// it comes first behind the one before, so no text is looked at twice. A part without `_` is found in linear time; one with `_` is tried
// at every place, which takes the product of both lengths at worst, and is counted as steps of the row.
import { spend } from '../../core/evaluation-work.js';
import { findsText, type FindText } from '../../core/text-search.js';
import type { Condition, Evaluator } from './evaluator.js';

export type LikeMatcher = (text: string) => boolean;

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
    // Also where it is the same: what a row may cost is not a matter of the row before.
    spend((source as string).length * patternSteps);
    if (source !== lastPattern) {
      lastMatcher = likeMatcher(source as string, escape);
      lastPattern = source as string;
    }
    return lastMatcher(text as string) !== negated;
  };
}

/** To read one character of a pattern. */
const patternSteps = 32;
/** To try one character of a part with a `_`. */
const triedSteps = 2;
/** A part that is longer may nearly be everywhere, and takes longer to be found. */
const shortText = 32;
const longTextSteps = 2;
/** Code point that stands for `_`. */
const ONE = -1;

/** Between two `%`. */
interface Part {
  /** Undefined: it has a `_`. */
  readonly text: string | undefined;
  /** Of one with a `_`: code points and ONE. */
  readonly points: readonly number[];
}

export function likeMatcher(pattern: string, escape: string | null): LikeMatcher {
  const parts = partsOf(pattern, escape);
  const [first, ...others] = parts as [Part, ...Part[]];
  const last = others.pop();
  if (last === undefined) {
    const { text } = first;
    return text === undefined
      ? (value) => startsWith(value, first, 0) === value.length
      : (value) => isEqual(value, text);
  }
  // Neighbouring `%` are one.
  const inner = others.filter(({ text }) => text !== '').map(finderOf);
  return (value) => {
    spend(value.length);
    let at = startsWith(value, first, 0);
    if (at < 0) return false;
    for (const find of inner) {
      at = find(value, at);
      if (at < 0) return false;
    }
    const end = endsWith(value, last);
    return end >= at;
  };
}

function isEqual(value: string, text: string): boolean {
  if (value.length === text.length) spend(text.length);
  return value === text;
}

function partsOf(pattern: string, escape: string | null): readonly Part[] {
  const parts: Part[] = [];
  let text = '';
  /** Of the part, once it has a `_`. */
  let points: number[] | undefined;
  const take = (char: string) => {
    if (points === undefined) text += char;
    else points.push(char.codePointAt(0)!);
  };
  const end = () => {
    parts.push(points === undefined ? { text, points: [] } : { text: undefined, points });
    text = '';
    points = undefined;
  };
  let escaped = false;
  for (const char of pattern) {
    if (!escaped && escape !== null && char === escape) {
      escaped = true;
      continue;
    }
    if (escaped || (char !== '%' && char !== '_')) take(char);
    else if (char === '%') end();
    else {
      points ??= Array.from(text, (before) => before.codePointAt(0)!);
      points.push(ONE);
    }
    escaped = false;
  }
  // An escape with nothing behind it stands for itself.
  if (escaped) take(escape!);
  end();
  return parts;
}

/** The place behind the part, where it stands at `at`; else -1. */
function startsWith(value: string, { text, points }: Part, at: number): number {
  if (text !== undefined) return value.startsWith(text, at) ? at + text.length : -1;
  let end = at;
  for (const wanted of points) {
    if (end >= value.length) return -1;
    const point = value.codePointAt(end)!;
    if (wanted !== ONE && wanted !== point) return -1;
    end += point > 0xffff ? 2 : 1;
  }
  return end;
}

/** The place of the part, where the text ends with it; else -1. */
function endsWith(value: string, { text, points }: Part): number {
  if (text !== undefined) return value.endsWith(text) ? value.length - text.length : -1;
  let at = value.length;
  for (let i = points.length - 1; i >= 0; i--) {
    if (at === 0) return -1;
    at -= at > 1 && value.codePointAt(at - 2)! > 0xffff ? 2 : 1;
    const wanted = points[i]!;
    if (wanted !== ONE && wanted !== value.codePointAt(at)) return -1;
  }
  return at;
}

/** The place behind the first occurrence of the part that begins at `from` or later; -1: there is none. */
function finderOf({ text, points }: Part): FindText {
  if (text !== undefined) {
    const find = findsText(text);
    const steps = text.length > shortText ? longTextSteps : 0;
    return (value, from) => {
      const at = find(value, from);
      const end = at < 0 ? -1 : at + text.length;
      spend((at < 0 ? value.length - from : end - from) * steps);
      return end;
    };
  }
  return (value, from) => {
    for (let start = from; start < value.length; start += value.codePointAt(start)! > 0xffff ? 2 : 1) {
      let end = start;
      let i = 0;
      for (; i < points.length && end < value.length; i++) {
        const point = value.codePointAt(end)!;
        if (points[i] !== ONE && points[i] !== point) break;
        end += point > 0xffff ? 2 : 1;
      }
      spend(i * triedSteps);
      if (i === points.length) return end;
      // The rest of the text is too short, here and behind.
      if (end >= value.length) return -1;
    }
    return -1;
  };
}
