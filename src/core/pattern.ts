// Regular expressions that others write: names of tables, columns and topics in connector files, matched whole, as Java's `matches()`
// does. Whatever they are, matching one name has a bound, since a backtracking engine needs longer than anybody lives for `(((.+)+)+)+!`:
//
// - a plain run of characters with one open repetition at most, as most items are, is left to V8;
// - everything else is matched in linear time by RE2JS, which knows Java's `\Q..\E` and `(?i)` too;
// - what only backtracking can do (lookaround, back references) is left to V8 with a deadline, and its answers are remembered. One that
//   has passed the deadline is not asked again.
import { createRequire } from 'node:module';
import { createContext, Script, type Context } from 'node:vm';
import type * as Linear from 're2js';
import { bounds } from './bounds.js';
import { AppError } from './errors.js';

export interface Pattern {
  readonly text: string;
  readonly ignoreCase: boolean;
  /** Whether the whole of `name` matches. Throws bad-connector-config where telling takes too long. */
  test(name: string): boolean;
  /** The groups of a match of the whole text, `0` and the names among them; undefined without a match, or for one that took no part. */
  groups(text: string): ReadonlyMap<string, string | undefined> | undefined;
}

export interface PatternOptions {
  readonly ignoreCase: boolean;
}

const compiled = new Map<string, Pattern>();
const compiledMax = 10_000;
/** Answers of one expression. */
const rememberedMax = 1_000;
/** A machine that stands still for a moment is no fault of an expression. */
const tries = 2;

/** The same object for the same text. Throws SyntaxError for what is no expression, or one that is too large. */
export function compilePattern(text: string, { ignoreCase }: PatternOptions): Pattern {
  const id = `${ignoreCase ? 'i' : 'c'}${text}`;
  let pattern = compiled.get(id);
  if (pattern === undefined) {
    pattern = compile(text, ignoreCase);
    if (compiled.size >= compiledMax) compiled.clear();
    compiled.set(id, pattern);
  }
  return pattern;
}

/** Whether the whole of `name` matches; upper and lower case differ. */
export function matchesWhole(text: string, name: string): boolean {
  return compilePattern(text, { ignoreCase: false }).test(name);
}

function compile(text: string, ignoreCase: boolean): Pattern {
  const { value: max } = bounds.patternSize;
  const size = patternSize(text);
  if (size > max) throw new SyntaxError(`it is ${size} characters, counted repetitions multiplied, of ${max} at most`);
  const plain = plainSource(text);
  if (plain !== undefined)
    return new NativePattern(text, ignoreCase, new RegExp(`^${plain}$`, ignoreCase ? 'iu' : 'u'));
  const { RE2JS: Engine, RE2JSException } = linearEngine();
  try {
    return new LinearPattern(text, ignoreCase, Engine.compile(text, ignoreCase ? Engine.CASE_INSENSITIVE : 0));
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return new GuardedPattern(text, ignoreCase, new RegExp(`^(?:${text})$`, ignoreCase ? 'i' : ''));
  }
}

const atom = /([\w\-"#%&',/:;<=>@`~! \u0080-\uffff])|(\.)|\\([^\w\s])|(\\[dws])/y;

/** The same expression in V8's terms, where it is nothing but characters and classes one behind the other; else undefined. */
function plainSource(text: string): string | undefined {
  let source = '';
  let open = 0;
  for (let at = 0; at < text.length;) {
    atom.lastIndex = at;
    const found = atom.exec(text);
    if (found === null) return undefined;
    const [whole, character, any, escaped, set] = found;
    const literal = character ?? escaped;
    source += literal === undefined ? (any ?? set!) : literal.replace(/[\\^$.*+?()[\]{}|/]/, String.raw`\$&`);
    at += whole.length;
    const repeat = text[at];
    if (repeat !== '*' && repeat !== '+' && repeat !== '?') continue;
    if (repeat !== '?' && ++open > 1) return undefined;
    source += repeat;
    at++;
    // Of a lazy, a possessive or a doubled repetition the other engines say what it is.
    if (/[*+?{]/.test(text[at] ?? '')) return undefined;
  }
  return source;
}

/** What an item of a list takes of the bound of all that a connector has: a name one, an expression its size. */
export function patternCost(item: string): number {
  return plainSource(item) === undefined ? patternSize(item) : 1 + Math.floor(item.length / 100);
}

/** How many states a machine of it has, about: its characters, those in counted repetitions as often as they are repeated. */
export function patternSize(text: string): number {
  const outer: number[] = [];
  let size = 0;
  let last = 0;
  const repeat = /\{(\d+)(?:,(\d*))?\}/y;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    repeat.lastIndex = at;
    const count = char === '{' ? repeat.exec(text) : null;
    if (count !== null) {
      size += last * Math.max(Number(count[1]), Number(count[2] ?? 0), 1) - last;
      last = 0;
      at += count[0].length - 1;
    } else if (char === '(') {
      outer.push(size);
      size = 0;
      last = 0;
    } else if (char === ')') {
      last = size + 1;
      size = (outer.pop() ?? 0) + last;
    } else {
      if (char === '\\') at++;
      last = 1;
      size++;
    }
  }
  return outer.reduce((sum, each) => sum + each, size);
}

class NativePattern implements Pattern {
  readonly text: string;
  readonly ignoreCase: boolean;
  readonly #expression: RegExp;

  constructor(text: string, ignoreCase: boolean, expression: RegExp) {
    this.text = text;
    this.ignoreCase = ignoreCase;
    this.#expression = expression;
  }

  test(name: string): boolean {
    return this.#expression.test(name);
  }

  groups(text: string) {
    return groupsOf(this.#expression.exec(text));
  }
}

class LinearPattern implements Pattern {
  readonly text: string;
  readonly ignoreCase: boolean;
  readonly #expression: Linear.RE2JS;

  constructor(text: string, ignoreCase: boolean, expression: Linear.RE2JS) {
    this.text = text;
    this.ignoreCase = ignoreCase;
    this.#expression = expression;
  }

  test(name: string): boolean {
    return this.#expression.matches(name);
  }

  groups(text: string) {
    const matcher = this.#expression.matcher(text);
    if (!matcher.matches()) return undefined;
    const groups = new Map<string, string | undefined>();
    for (let i = 0; i <= matcher.groupCount(); i++) groups.set(String(i), matcher.group(i) ?? undefined);
    for (const [name, at] of Object.entries(this.#expression.namedGroups()))
      groups.set(name, matcher.group(at) ?? undefined);
    return groups;
  }
}

/** What V8 does not know is not so: the answers of one expression are remembered, since each question costs a quarter of a millisecond. */
class GuardedPattern implements Pattern {
  readonly text: string;
  readonly ignoreCase: boolean;
  readonly #expression: RegExp;
  readonly #known = new Map<string, boolean>();
  #failed: AppError | undefined;

  constructor(text: string, ignoreCase: boolean, expression: RegExp) {
    this.text = text;
    this.ignoreCase = ignoreCase;
    this.#expression = expression;
  }

  test(name: string): boolean {
    let known = this.#known.get(name);
    if (known === undefined) {
      known = this.#exec(name) !== null;
      if (this.#known.size >= rememberedMax) this.#known.clear();
      this.#known.set(name, known);
    }
    return known;
  }

  groups(text: string) {
    return groupsOf(this.#exec(text));
  }

  #exec(text: string): RegExpExecArray | null {
    if (this.#failed !== undefined) throw this.#failed;
    guard ??= { context: createContext(Object.create(null) as Context), script: new Script('expression.exec(text)') };
    guard.context['expression'] = this.#expression;
    guard.context['text'] = text;
    for (let left = tries - 1; ; left--) {
      try {
        return guard.script.runInContext(guard.context, { timeout: bounds.patternMs.value }) as RegExpExecArray | null;
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
        if (left > 0) continue;
        this.#failed = new AppError(
          'bad-connector-config',
          `whether "${text.slice(0, 100)}" matches the regular expression "${this.text.slice(0, 200)}" was not found out within ${bounds.patternMs.value} ms`,
          {
            hint: 'write it without repetitions inside of repetitions, or without lookaround and back references',
            cause,
          },
        );
        throw this.#failed;
      }
    }
  }
}

let guard: { readonly context: Context; readonly script: Script } | undefined;

function groupsOf(found: RegExpExecArray | null): ReadonlyMap<string, string | undefined> | undefined {
  if (found === null) return undefined;
  return new Map(
    [...found.entries()].map(([at, text]) => [String(at), text] as const).concat(Object.entries(found.groups ?? {})),
  );
}

let engine: typeof Linear | undefined;

/** Loaded by the first thread that needs it: most connector files have nothing but names. */
function linearEngine(): typeof Linear {
  engine ??= createRequire(import.meta.url)('re2js') as typeof Linear;
  return engine;
}
