// Looks for the order in which the answers of a storm make sense. Statements that took effect have their seqs. One without an answer is
// put wherever it makes the rest fit, or nowhere; what there was to be seen afterwards decides as the answers do. Few are open at a time
// (one for each client at a kill), so all places are tried, each state once.
import type { StormModel } from './storm-model.js';
import type { Step } from './storm-step.js';

export interface StormAnswer {
  /** `ok`, the code of the refusal, or `unknown` where there was no answer. */
  readonly code: string;
  readonly seq?: number | undefined;
  readonly message?: string | undefined;
}

export interface Asked {
  readonly step: Step;
  readonly answer: StormAnswer;
  /** Seqs before the question and behind the answer. */
  readonly from: number;
  readonly to: number;
}

/** What is there afterwards. */
export interface Seen {
  /** As StormModel.catalogue prints it. */
  readonly catalogue: readonly string[];
  readonly topics: readonly string[];
}

export interface Order {
  readonly model: StormModel;
  readonly applied: number;
  readonly unknown: number;
  readonly breaches: readonly string[];
  /** Where there is no order: what was there before, and the last statements. */
  readonly story: readonly string[];
}

/** A statement in the order; one without an answer came at some seq from `earliest` to `latest`. */
interface Placed {
  readonly step: Step;
  readonly earliest: number;
  readonly latest: number;
}

/** So many orders in which the seqs and what is seen make sense are tried for one in which the refusals do, too. */
const ordersMax = 500;
/** Of a storm without an order, its last statements are told. */
const askedShown = 60;

export function checkOrder(asked: readonly Asked[], before: StormModel, seen?: Seen): Order {
  const known = asked
    .filter(({ answer }) => answer.seq !== undefined)
    .toSorted((a, b) => a.answer.seq! - b.answer.seq!);
  const unknown = asked.filter(({ answer, step }) => answer.code === 'unknown' && step.kind !== 'insert');
  const refused = asked.filter(
    ({ answer, step }) =>
      answer.seq === undefined && answer.code !== 'unknown' && (answer.code !== 'ok' || step.kind === 'insert'),
  );
  const search = new Search(known, unknown, seen);
  let best: Order | undefined;
  let tried = 0;
  for (const order of search.orders(before)) {
    const model = before.copy();
    const breaches = wrongRefusals(order, refused, model);
    if (best === undefined || breaches.length < best.breaches.length)
      best = { model, applied: known.length, unknown: unknown.length, breaches, story: [] };
    if (breaches.length === 0 || ++tried > ordersMax) break;
  }
  if (best !== undefined) return best;
  const story = [`before: ${before.key}`, ...asked.slice(-askedShown).map(printAsked)];
  return { model: before, applied: known.length, unknown: unknown.length, breaches: [search.failure], story };
}

function printAsked({ step, answer, from, to }: Asked): string {
  const { code, seq, message } = answer;
  return `  ${from}..${to} ${step.sql} ${code}${seq === undefined ? '' : ` at ${seq}`}${message === undefined ? '' : ` (${message})`}`;
}

class Search {
  readonly #known: readonly Asked[];
  readonly #unknown: readonly Asked[];
  readonly #seen: Seen | undefined;
  /** States from which no order leads to the end. */
  readonly #dead = new Set<string>();
  #deepest = -1;
  failure = 'nothing was tried';

  constructor(known: readonly Asked[], unknown: readonly Asked[], seen: Seen | undefined) {
    this.#known = known;
    this.#unknown = unknown;
    this.#seen = seen;
  }

  /** Until the first statement without an answer was asked there is only one way. */
  *orders(before: StormModel): Iterable<readonly Placed[]> {
    const model = before.copy();
    const first = Math.min(...this.#unknown.map(({ from }) => from));
    const placed: Placed[] = [];
    for (const [i, asked] of this.#known.entries()) {
      if (asked.answer.seq! > first) return yield* this.#from(i, model, this.#unknown, placed);
      if (!this.#fits(i, model)) return;
      placed.push(placedOf(asked));
      model.take(asked.step);
    }
    yield* this.#from(this.#known.length, model, this.#unknown, placed);
  }

  *#from(
    i: number,
    model: StormModel,
    open: readonly Asked[],
    placed: readonly Placed[],
  ): Generator<readonly Placed[], boolean> {
    const key = `${i} ${open.map((each) => this.#unknown.indexOf(each)).join()} ${model.key}`;
    if (this.#dead.has(key)) return false;
    let found = false;
    const next = this.#known[i];
    if (next === undefined) {
      const difference = this.#difference(model);
      if (difference === undefined) {
        found = true;
        yield placed;
      } else this.#note(i, difference);
    } else if (this.#fits(i, model)) {
      const after = model.copy();
      after.take(next.step);
      found = yield* this.#from(i + 1, after, open, [...placed, placedOf(next)]);
    }
    const earliest = this.#known[i - 1]?.answer.seq ?? Number.NEGATIVE_INFINITY;
    const latest = next?.answer.seq ?? Infinity;
    for (const one of open) {
      if (one.from >= latest || model.outcome(one.step) !== 'ok') continue;
      const after = model.copy();
      after.take(one.step);
      const rest = open.filter((other) => other !== one);
      const here = { step: one.step, earliest: Math.max(earliest, one.from), latest };
      if (yield* this.#from(i, after, rest, [...placed, here])) found = true;
    }
    if (!found) this.#dead.add(key);
    return found;
  }

  #fits(i: number, model: StormModel): boolean {
    const { step, answer } = this.#known[i]!;
    const [told, expected] = [toldBy(answer), model.outcome(step)];
    if (told === expected) return true;
    this.#note(i, `seq ${answer.seq}: ${step.sql} came to ${told}, the order says ${expected}`);
    return false;
  }

  #difference(model: StormModel): string | undefined {
    if (this.#seen === undefined) return undefined;
    const { catalogue, topics } = this.#seen;
    const differences = [
      difference('the catalogue', model.catalogue, catalogue),
      difference('the topics', [...model.topics], topics),
    ].filter((text) => text !== undefined);
    return differences.length === 0 ? undefined : differences.join('; ');
  }

  /** What stopped the order that came furthest is told when there is none. */
  #note(i: number, text: string): void {
    if (i <= this.#deepest) return;
    this.#deepest = i;
    const open = this.#unknown.map(({ step }) => step.sql).join(' ');
    this.failure = open === '' ? text : `${text}; without an answer: ${open}`;
  }
}

function difference(what: string, expected: readonly string[], found: readonly string[]): string | undefined {
  const missing = expected.filter((name) => !found.includes(name));
  const more = found.filter((name) => !expected.includes(name));
  if (missing.length + more.length === 0) return undefined;
  return `${what}: missing ${missing.toSorted().join() || 'nothing'}, too many ${more.toSorted().join() || 'none'}`;
}

function placedOf({ step, answer }: Asked): Placed {
  return { step, earliest: answer.seq!, latest: answer.seq! };
}

/** Refusals that no moment makes right; `model` ends as the order leaves it. */
function wrongRefusals(order: readonly Placed[], refused: readonly Asked[], model: StormModel): readonly string[] {
  let open = refused.toSorted((a, b) => a.from - b.from);
  /** The state held at the seqs from `since` on and before `until`. */
  const settle = (since: number, until: number) => {
    open = open.filter(({ step, answer, from, to }) => {
      if (from >= until || to < since) return true;
      return model.outcome(step) !== answer.code;
    });
  };
  let since = Number.NEGATIVE_INFINITY;
  for (const { step, earliest, latest } of order) {
    settle(since, latest);
    model.take(step);
    since = earliest;
  }
  settle(since, Infinity);
  return open.map(
    ({ step, answer, from, to }) =>
      `${step.sql} came to ${answer.code}, which was right at no moment from seq ${from} to ${to}`,
  );
}

function toldBy({ code, message }: StormAnswer): string {
  if (code !== 'ok') return code;
  if (message?.startsWith('Cannot add') === true) return 'left-alone';
  return message?.endsWith('does not exist.') === true ? 'absent' : 'ok';
}
