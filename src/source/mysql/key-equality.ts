// When the server takes a value of a child's column and one of the parent's for equal. Numbers, times and bytes of one type are equal when
// they are the same. Text is compared by its collation: of printable ASCII we know what every collation that is listed here does; what
// else is equal to what, the server is asked. Its answer depends on nothing but the two texts, so it does not matter when it is asked.
import type { Row, Value } from '../../core/data-type.js';
import { quoteText, type Session } from './connection.js';
import { keyTextOf } from '../key-text.js';
import type { SourceColumn } from '../../core/row-encoder.js';

export interface TextRule {
  readonly charset: string;
  readonly collation: string;
  /** Spaces at the end do not count. */
  readonly pads: boolean;
  /** The case of ASCII letters does not count. */
  readonly folds: boolean;
  /** Texts with other characters than printable ASCII may be equal though they differ. */
  readonly asks: boolean;
}

/** Languages have letters of their own (I and J are one in `roman_ci`), so only collations without one are known. */
const plain =
  /^(?:ascii|latin1|utf8|utf8mb3|utf8mb4|ucs2|utf16|utf16le|utf32)_(?:general|general_nopad|swedish|swedish_nopad|general_mysql500|unicode|unicode_nopad|unicode_520|unicode_520_nopad|0900_ai|0900_as|uca1400_ai|uca1400_as|uca1400_nopad_ai|uca1400_nopad_as)_c([is])$/;

/** Undefined: not known here. */
export function textRule(charset: string, collation: string): TextRule | undefined {
  const pads = !/_nopad_|_0900_/.test(collation);
  if (collation.endsWith('_bin')) return { charset, collation, pads, folds: false, asks: false };
  const kind = plain.exec(collation)?.[1];
  return kind === undefined ? undefined : { charset, collation, pads, folds: kind === 'i', asks: true };
}

/** There is more than printable ASCII in it. */
export function isOddText(text: string): boolean {
  return /[^ -~]/.test(text);
}

/** The same for all texts that may be equal, unless they are odd; the form by which the store finds text. */
export function searchText(text: string): string {
  return text.replace(/ +$/, '').replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** One pair of rows of values, in the order of the rules; no value is null. */
export interface Pair {
  readonly one: Row;
  readonly other: Row;
}

export class KeyEquality {
  readonly #columns: readonly SourceColumn[];
  readonly #rules: readonly (TextRule | null)[];
  /** What the server has said, by rule and the two texts. Of odd texts only. */
  readonly #said = new Map<string, boolean>();

  constructor(columns: readonly SourceColumn[], rules: readonly (TextRule | null)[]) {
    this.#columns = columns;
    this.#rules = rules;
  }

  async equal(pairs: readonly Pair[], session: () => Session): Promise<boolean[]> {
    const open = new Map<string, { readonly rule: TextRule; readonly a: string; readonly b: string }>();
    const answers = pairs.map((pair) => this.#locally(pair, open));
    if (open.size > 0) await this.#ask(open, session());
    return answers.map((answer, i) => answer ?? this.#locally(pairs[i]!, new Map()) === true);
  }

  /** Undefined: the server has to be asked. */
  #locally({ one, other }: Pair, open: Map<string, { rule: TextRule; a: string; b: string }>): boolean | undefined {
    let sure = true;
    for (const [i, rule] of this.#rules.entries()) {
      const [a, b] = [one[i]!, other[i]!];
      if (rule === null) {
        const { type } = this.#columns[i]!;
        if (keyTextOf([type], [a]) !== keyTextOf([type], [b])) return false;
        continue;
      }
      const [x, y] = [a as string, b as string];
      if (x === y || normal(rule, x) === normal(rule, y)) continue;
      if (!rule.asks || (!isOddText(x) && !isOddText(y))) return false;
      const question = JSON.stringify([rule.collation, x, y]);
      const said = this.#said.get(question);
      if (said === false) return false;
      if (said === undefined) {
        open.set(question, { rule, a: x, b: y });
        sure = false;
      }
    }
    return sure ? true : undefined;
  }

  async #ask(
    open: ReadonlyMap<string, { readonly rule: TextRule; readonly a: string; readonly b: string }>,
    session: Session,
  ): Promise<void> {
    if (this.#said.size > saidMax) this.#said.clear();
    const questions = [...open];
    for (let from = 0; from < questions.length; from += pairsPerQuestion) {
      const some = questions.slice(from, from + pairsPerQuestion);
      const terms = some.map(([, { rule, a, b }], i) => `${literal(rule, a)} = ${literal(rule, b)} AS c${i}`);
      const row = (await session.queryLong(`SELECT ${terms.join(', ')}`, 'comparing values of foreign keys'))[0]!;
      some.forEach(([question], i) => this.#said.set(question, row[`c${i}`] === '1'));
    }
  }
}

const pairsPerQuestion = 200;
const saidMax = 20_000;

function normal({ pads, folds }: TextRule, text: string): string {
  const trimmed = pads ? text.replace(/ +$/, '') : text;
  return folds ? trimmed.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : trimmed;
}

function literal({ charset, collation }: TextRule, text: string): string {
  return `CONVERT(${quoteText(text)} USING ${charset}) COLLATE ${collation}`;
}

/** What the store and the changes of a transaction are searched by; undefined where a value is null, which refers to nothing. */
export function searchKey(
  columns: readonly SourceColumn[],
  rules: readonly (TextRule | null)[],
  values: Row,
): string | undefined {
  if (values.includes(null)) return undefined;
  const forms = values.map((value, i): Value => (rules[i] === null ? value : searchText(value as string)));
  return keyTextOf(
    columns.map(({ type }) => type),
    forms,
  );
}
