// Patterns of Java's DateTimeFormatter, as ksqlDB's formats are written: text -> the parts that time-pattern-parse.ts reads a text by.
// Compiled once per definition. Letters of Java that would need calendars of other cultures or weeks of a locale are refused by name;
// what Java does not know is refused in its words, which ksqlDB hands on.

/** What a number or a name in the text means. */
export type TimeField =
  | 'year'
  | 'month'
  | 'day'
  | 'dayOfYear'
  | 'hour'
  | 'clockHour'
  | 'hourOfHalf'
  | 'clockHourOfHalf'
  | 'minute'
  | 'second'
  | 'nano'
  | 'milliOfDay'
  | 'nanoOfDay'
  | 'half'
  | 'weekday'
  | 'era';

export type TimePart =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'number';
      readonly field: TimeField;
      readonly min: number;
      readonly max: number;
      /** A minus may stand in front; `padded`: a plus too, where there are more digits than `min`. */
      readonly sign: 'none' | 'minus' | 'padded';
      /** Digits that follow without a gap and belong to others. */
      reserved: number;
    }
  /** Two digits of a year from 2000 to 2099. */
  | { readonly kind: 'short-year' }
  /** So many digits behind the decimal point of a second, or any number of them. */
  | { readonly kind: 'fraction'; readonly digits: number }
  | { readonly kind: 'name'; readonly field: TimeField; readonly names: readonly string[]; readonly first: number }
  | { readonly kind: 'offset'; readonly form: OffsetForm; readonly zero: string }
  /** GMT, or GMT and an offset; `short`: its hours may have one digit and its minutes may be missing. */
  | { readonly kind: 'gmt'; readonly short: boolean }
  /** The id of a region, or its abbreviation. */
  | { readonly kind: 'zone' }
  | { readonly kind: 'optional'; readonly parts: readonly TimePart[] };

/** Upper case: has to be there; in brackets: may be there. */
export type OffsetForm = 'HH[mm]' | 'HHMM' | 'HH:MM' | 'HHMM[ss]' | 'HH:MM[:ss]';

export class TimePatternError extends Error {
  override readonly name = 'TimePatternError';
  /** Java knows it and we do not. */
  readonly unsupported: boolean;
  constructor(message: string, unsupported: boolean) {
    super(message);
    this.unsupported = unsupported;
  }
}

const offsetForms: readonly OffsetForm[] = ['HH[mm]', 'HHMM', 'HH:MM', 'HHMM[ss]', 'HH:MM[:ss]'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** Letters whose count is 1 (any number of digits) or 2 (two digits). */
const plainNumbers: Readonly<Record<string, TimeField>> = {
  d: 'day',
  H: 'hour',
  k: 'clockHour',
  K: 'hourOfHalf',
  h: 'clockHourOfHalf',
  m: 'minute',
  s: 'second',
};
/** Letters whose count is the least number of digits. */
const longNumbers: Readonly<Record<string, TimeField>> = { A: 'milliOfDay', n: 'nano', N: 'nanoOfDay' };
const unsupportedLetters = 'YwWQqecFgBvp';

export function compileTimePattern(pattern: string): readonly TimePart[] {
  const stack: TimePart[][] = [[]];
  const add = (part: TimePart) => stack.at(-1)!.push(part);
  for (let i = 0; i < pattern.length;) {
    const char = pattern[i]!;
    if (/[A-Za-z]/.test(char)) {
      let count = 1;
      while (pattern[i + count] === char) count++;
      add(partOf(char, count));
      i += count;
    } else if (char === "'") {
      const end = quotedEnd(pattern, i);
      const quoted = pattern.slice(i + 1, end).replaceAll("''", "'");
      add({ kind: 'literal', text: quoted === '' ? "'" : quoted });
      i = end + 1;
    } else {
      if (char === '[') stack.push([]);
      else if (char === ']') closeOptional(stack);
      else if ('{}#'.includes(char)) throw bad(`Pattern includes reserved character: '${char}'`);
      else add({ kind: 'literal', text: char });
      i++;
    }
  }
  while (stack.length > 1) closeOptional(stack);
  reserveDigits(stack[0]!);
  return stack[0]!;
}

function closeOptional(stack: TimePart[][]): void {
  if (stack.length === 1) throw bad('Pattern invalid as it contains ] without previous [');
  const parts = stack.pop()!;
  reserveDigits(parts);
  stack.at(-1)!.push({ kind: 'optional', parts });
}

/** Two quotes inside stand for one. */
function quotedEnd(pattern: string, start: number): number {
  for (let i = start + 1; i < pattern.length; i++) {
    if (pattern[i] !== "'") continue;
    if (pattern[i + 1] !== "'" || i === start) return i;
    i++;
  }
  throw bad(`Pattern ends with an incomplete string literal: ${pattern}`);
}

/** A number of any length ends where those of fixed length behind it need their digits: `yyyyMMdd`. */
function reserveDigits(parts: readonly TimePart[]): void {
  let open: Extract<TimePart, { kind: 'number' }> | undefined;
  for (const part of parts) {
    const fixed =
      part.kind === 'fraction' || part.kind === 'short-year'
        ? part.kind === 'fraction'
          ? part.digits
          : 2
        : part.kind === 'number' && part.min === part.max
          ? part.max
          : undefined;
    if (fixed !== undefined && open) open.reserved += fixed;
    else open = fixed === undefined && part.kind === 'number' ? part : undefined;
  }
}

function partOf(letter: string, count: number): TimePart {
  const plain = plainNumbers[letter];
  if (plain !== undefined) {
    if (count > 2) throw tooMany(letter);
    return count === 1 ? number(plain, 1, 19, 'minus') : number(plain, 2, 2, 'none');
  }
  const long = longNumbers[letter];
  if (long !== undefined) return number(long, count, 19, count === 1 ? 'minus' : 'none');
  switch (letter) {
    case 'y':
    case 'u':
      if (count === 2) return { kind: 'short-year' };
      if (count > 19) throw tooMany(letter);
      return number('year', count, 19, count < 4 ? 'minus' : 'padded');
    case 'M':
    case 'L':
      if (count > 2) return names('month', months, 1, letter, count);
      return count === 1 ? number('month', 1, 19, 'minus') : number('month', 2, 2, 'none');
    case 'D':
      if (count > 3) throw tooMany(letter);
      return count === 1 ? number('dayOfYear', 1, 19, 'minus') : number('dayOfYear', count, 3, 'none');
    case 'E':
      return names('weekday', weekdays, 1, letter, Math.max(3, count));
    case 'a':
      if (count > 1) throw tooMany(letter);
      return { kind: 'name', field: 'half', names: ['AM', 'PM'], first: 0 };
    case 'G':
      if (count > 5) throw tooMany(letter);
      return {
        kind: 'name',
        field: 'era',
        names: count === 4 ? ['Before Christ', 'Anno Domini'] : ['BC', 'AD'],
        first: 0,
      };
    case 'S':
      if (count > 9) throw bad(`Maximum width must be from 1 to 9 inclusive but was ${count}`);
      return { kind: 'fraction', digits: count };
    default:
      return zonePartOf(letter, count);
  }
}

function zonePartOf(letter: string, count: number): TimePart {
  switch (letter) {
    case 'X':
    case 'x':
      if (count > 5) throw tooMany(letter);
      return { kind: 'offset', form: offsetForms[count - 1]!, zero: letter === 'X' ? 'Z' : '' };
    case 'Z':
      if (count > 5) throw tooMany(letter);
      if (count === 4) return { kind: 'gmt', short: false };
      return count === 5
        ? { kind: 'offset', form: 'HH:MM[:ss]', zero: 'Z' }
        : { kind: 'offset', form: 'HHMM', zero: '' };
    case 'O':
      if (count !== 1 && count !== 4) throw bad(`Pattern letter count must be 1 or 4: ${letter}`);
      return { kind: 'gmt', short: count === 1 };
    case 'V':
      if (count !== 2) throw bad(`Pattern letter count must be 2: ${letter}`);
      return { kind: 'zone' };
    case 'z':
      if (count > 4) throw tooMany(letter);
      return { kind: 'zone' };
    default:
      if (unsupportedLetters.includes(letter)) throw new TimePatternError(`the pattern letter ${letter}`, true);
      throw bad(`Unknown pattern letter: ${letter}`);
  }
}

function number(field: TimeField, min: number, max: number, sign: 'none' | 'minus' | 'padded'): TimePart {
  return { kind: 'number', field, min, max, sign, reserved: 0 };
}

function names(field: TimeField, full: readonly string[], first: number, letter: string, count: number): TimePart {
  if (count === 3) return { kind: 'name', field, names: full.map((name) => name.slice(0, 3)), first };
  if (count === 4) return { kind: 'name', field, names: full, first };
  if (count > 5) throw tooMany(letter);
  // One letter: several names have the same.
  throw new TimePatternError(`the pattern ${letter.repeat(count)}`, true);
}

function tooMany(letter: string): TimePatternError {
  return bad(`Too many pattern letters: ${letter}`);
}

function bad(message: string): TimePatternError {
  return new TimePatternError(message, false);
}
