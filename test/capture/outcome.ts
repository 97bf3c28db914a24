// What became of a script on one source, and how it is told: one line each, and the sums last.
import type { Product } from './script.js';

export type Verdict = 'ok' | 'FAIL' | 'skip' | 'by hand';

export interface Outcome {
  readonly name: string;
  readonly product: Product | undefined;
  readonly verdict: Verdict;
  /** Why it failed, or the source's own number of why it was skipped. */
  readonly reason: string;
  readonly notes: readonly string[];
}

export function line({ name, product, verdict, reason, notes }: Outcome): string {
  const where = product === undefined ? '' : ` [${product}]`;
  const told = notes.map((note) => `\n      note: ${oneLine(note)}`).join('');
  return `${name}${where} ${verdict}${reason === '' ? '' : ` ${oneLine(reason)}`}${told}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' | ').trim();
}

export function sums(outcomes: readonly Outcome[]): string {
  const count = (verdict: Verdict): number => outcomes.filter((each) => each.verdict === verdict).length;
  return `${count('ok')} passed, ${count('FAIL')} failed, ${count('skip')} skipped`;
}
