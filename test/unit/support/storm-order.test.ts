// The checker of storms finds what does not fit one order, and nothing where something does.
import { describe, expect, it } from 'vitest';
import { StormModel } from '../../support/harness/storm-model.js';
import { checkOrder, type Asked, type StormAnswer } from '../../support/harness/storm-order.js';
import type { Step } from '../../support/harness/storm-step.js';

const create = (name: string): Step => ({ kind: 'create-source', name, sql: `CREATE ${name}`, lenient: false });
const derive = (name: string, source: string): Step => ({
  kind: 'create-as',
  name,
  source,
  sql: `CREATE ${name} AS ${source}`,
  lenient: false,
});
const drop = (name: string, lenient = false): Step => ({
  kind: 'drop',
  name,
  sql: `DROP ${name}`,
  lenient,
  deleteTopic: true,
});

function asked(step: Step, answer: StormAnswer, from = 0, to = 100): Asked {
  return { step, answer, from, to };
}
const at = (seq: number, step: Step, from?: number, to?: number) => asked(step, { code: 'ok', seq }, from, to);
const refused = (code: string, step: Step, from?: number, to?: number) => asked(step, { code }, from, to);
const unanswered = (step: Step, from = 0) => asked(step, { code: 'unknown' }, from, Infinity);
const seen = (...printed: readonly string[]) => ({
  catalogue: printed,
  topics: printed.map((name) => name.replace(/ over .*/, '')),
});
const breaches = (all: readonly Asked[], names?: readonly string[]) =>
  checkOrder(all, new StormModel(), names && seen(...names)).breaches;

describe('answers that fit', () => {
  it('in the order of their seqs, however they came', () => {
    const order = checkOrder([at(3, create('s0')), at(2, drop('s0')), at(1, create('s0'))], new StormModel());
    expect(order.breaches).toEqual([]);
    expect([...order.model.sources.keys()]).toEqual(['s0']);
  });

  it('with refusals that were right at some moment', () => {
    const all = [at(5, create('s0')), at(9, drop('s0')), refused('already-exists', create('s0'), 6, 8)];
    expect(breaches(all)).toEqual([]);
  });

  it('with a statement whose answer was cut off, whether it happened or not', () => {
    expect(breaches([at(1, create('s0')), unanswered(drop('s0'))], [])).toEqual([]);
    expect(breaches([at(1, create('s0')), unanswered(drop('s0'))], ['s0'])).toEqual([]);
    const between = [at(1, create('s0')), unanswered(drop('s0')), at(7, create('s0'))];
    expect(breaches(between, ['s0'])).toEqual([]);
    const chain = [unanswered(derive('d0', 's0')), unanswered(create('s0')), refused('invalid-statement', drop('s0'))];
    expect(breaches(chain, ['s0', 'd0 over s0'])).toEqual([]);
    const either = [
      at(1, create('s0')),
      at(2, create('s1')),
      unanswered(derive('d0', 's0')),
      unanswered(derive('d0', 's1')),
    ];
    const { model } = checkOrder(either, new StormModel(), seen('s0', 's1', 'd0 over s1'));
    expect(model.sources.get('d0')).toBe('s1');
  });
});

describe('answers that do not fit are told', () => {
  it('when something is made twice', () => {
    expect(breaches([at(1, create('s0')), at(2, create('s0'))])).toEqual([
      'seq 2: CREATE s0 came to ok, the order says already-exists',
    ]);
  });

  it('when a refusal was right at no moment of its question', () => {
    expect(breaches([at(5, create('s0')), refused('unknown-table', drop('s0'), 5, 9)])).toHaveLength(1);
    expect(breaches([at(5, create('s0')), refused('already-exists', create('s0'), 1, 4)])).toHaveLength(1);
  });

  it('when what was answered is not there afterwards, or something is there that nobody made', () => {
    expect(breaches([at(1, create('s0'))], [])).toHaveLength(1);
    expect(breaches([at(1, create('s0'))], ['s0', 's1'])).toHaveLength(1);
    expect(breaches([at(1, create('s0')), unanswered(create('s2'))], ['s0', 's1'])).toHaveLength(1);
  });

  it('when a topic is left of what was dropped with it', () => {
    const all = [at(1, create('s0')), at(2, drop('s0'))];
    expect(checkOrder(all, new StormModel(), { catalogue: [], topics: ['s0'] }).breaches).toHaveLength(1);
  });

  it('when a statement without an answer would have to come before it was asked', () => {
    expect(breaches([at(1, create('s0')), at(3, create('s0')), unanswered(drop('s0'), 4)])).toHaveLength(1);
  });
});
