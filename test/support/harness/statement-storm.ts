// Many clients that create, drop and fill streams and tables of few names at once, and the law that their answers obey: there is one
// order, that of the seqs, in which all statements that took effect make sense one after the other, and each refusal was right at
// some moment between its question and its answer. A model of a few lines knows what makes sense.
import type { Dice } from './dice.js';

export interface StormAnswer {
  /** `ok`, or the code of the refusal. */
  readonly code: string;
  readonly seq?: number | undefined;
  readonly message?: string | undefined;
}

export interface StormTarget {
  run(sql: string): Promise<StormAnswer>;
  /** Of the newest append that is applied. */
  seq(): number | Promise<number>;
}

interface Step {
  readonly kind: 'create-source' | 'create-as' | 'drop' | 'insert';
  readonly name: string;
  readonly sql: string;
  readonly source?: string;
  readonly lenient: boolean;
  readonly orReplace?: boolean;
  readonly deleteTopic?: boolean;
}

interface Asked {
  readonly step: Step;
  readonly answer: StormAnswer;
  readonly from: number;
  readonly to: number;
}

const streams = ['s0', 's1', 's2', 's3', 's4'];
const tables = ['t0', 't1', 't2', 't3', 't4'];
const derived = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7', 'd8', 'd9'];
export const stormNames: readonly string[] = [...streams, ...tables, ...derived];

/** The table that is always there. */
export const stormSource = 'items';

function draw(dice: Dice): Step {
  const name = dice.pick(stormNames);
  const isStream = name.startsWith('s');
  const isDerived = name.startsWith('d');
  const type = isStream ? 'STREAM' : 'TABLE';
  const lenient = dice.between(0, 1) === 0;
  const roll = dice.between(0, 9);
  if (roll < 4) {
    const deleteTopic = dice.between(0, 2) > 0;
    const sql = `DROP ${type} ${lenient ? 'IF EXISTS ' : ''}${name}${deleteTopic ? ' DELETE TOPIC' : ''};`;
    return { kind: 'drop', name, sql, lenient, deleteTopic };
  }
  if (isDerived) {
    const source = dice.pick([stormSource, stormSource, ...stormNames]);
    const select = source.startsWith('d')
      ? `SELECT v, n FROM ${source}`
      : `SELECT ${source === stormSource ? 'name AS v' : 'v'}, COUNT(*) AS n FROM ${source} GROUP BY ${source === stormSource ? 'name' : 'v'}`;
    const sql = `CREATE TABLE ${lenient ? 'IF NOT EXISTS ' : ''}${name} AS ${select};`;
    return { kind: 'create-as', name, sql, source, lenient };
  }
  if (roll < 7) {
    const sql = `INSERT INTO ${name} (id, v) VALUES (${dice.between(0, 19)}, 'v${dice.between(0, 4)}');`;
    return { kind: 'insert', name, sql, lenient: false };
  }
  const orReplace = !lenient && dice.between(0, 2) === 0;
  const key = isStream ? 'KEY' : 'PRIMARY KEY';
  const sql = `CREATE ${orReplace ? 'OR REPLACE ' : ''}${type} ${lenient ? 'IF NOT EXISTS ' : ''}${name} (id INT ${key}, v STRING) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, FORMAT='JSON');`;
  return { kind: 'create-source', name, sql, lenient, orReplace };
}

/** What there is, and what a statement comes to. */
export class StormModel {
  /** name -> the name that it reads, for derived ones. */
  readonly sources = new Map<string, string | null>();
  readonly topics = new Set<string>();

  /** `ok`, `left-alone`, `absent` (a drop of nothing) or the code of the refusal. */
  outcome(step: Step): string {
    const there = this.sources.has(step.name);
    switch (step.kind) {
      case 'insert':
        return there ? 'ok' : 'unknown-table';
      case 'drop':
        if (!there) return step.lenient ? 'absent' : 'unknown-table';
        return [...this.sources.values()].includes(step.name) ? 'invalid-statement' : 'ok';
      case 'create-as':
        if (step.source !== stormSource && !this.sources.has(step.source!)) return 'unknown-table';
        if (there) return step.lenient ? 'left-alone' : 'already-exists';
        return 'ok';
      case 'create-source':
        if (!there || step.orReplace === true) return 'ok';
        return step.lenient ? 'left-alone' : 'already-exists';
    }
  }

  take(step: Step): void {
    const { name, kind } = step;
    if (kind === 'drop' && this.sources.delete(name) && step.deleteTopic === true) this.topics.delete(name);
    if (kind !== 'create-as' && kind !== 'create-source') return;
    if (!this.sources.has(name)) this.sources.set(name, step.source ?? null);
    this.topics.add(name);
  }
}

export interface Storm {
  readonly model: StormModel;
  readonly statements: number;
  readonly applied: number;
  readonly breaches: readonly string[];
}

/** Runs `statements` of them from so many clients, and checks the answers; `model` is what there is before. */
export async function runStorm(
  target: StormTarget,
  dice: Dice,
  { clients, statements, model = new StormModel() }: { clients: number; statements: number; model?: StormModel },
): Promise<Storm> {
  const asked: Asked[] = [];
  let left = statements;
  const client = async () => {
    while (left-- > 0) {
      const step = draw(dice);
      const from = await target.seq();
      const answer = await target.run(step.sql);
      asked.push({ step, answer, from, to: await target.seq() });
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { ...check(asked, model), statements: asked.length };
}

function check(asked: readonly Asked[], model: StormModel): Omit<Storm, 'statements'> {
  const breaches: string[] = [];
  const placed = asked
    .filter(({ answer }) => answer.seq !== undefined)
    .toSorted((a, b) => a.answer.seq! - b.answer.seq!);
  const refused = asked.filter(
    ({ answer, step }) => answer.seq === undefined && (answer.code !== 'ok' || step.kind === 'insert'),
  );
  /** Refusals that no moment has made right yet, in the order of their windows. */
  let open = refused.toSorted((a, b) => a.from - b.from);
  const settle = (from: number, to: number) => {
    open = open.filter(({ step, answer, from: first, to: last }) => {
      if (first >= to || last < from) return true;
      return model.outcome(step) !== answer.code;
    });
  };
  let since = 0;
  for (const { step, answer } of placed) {
    const seq = answer.seq!;
    settle(since, seq);
    const expected = model.outcome(step);
    const told = toldBy(answer);
    if (told !== expected) breaches.push(`seq ${seq}: ${step.sql} came to ${told}, the order says ${expected}`);
    model.take(step);
    since = seq;
  }
  settle(since, Infinity);
  for (const { step, answer, from, to } of open)
    breaches.push(`${step.sql} came to ${answer.code}, which was right at no moment from seq ${from} to ${to}`);
  return { model, applied: placed.length, breaches };
}

function toldBy({ code, message }: StormAnswer): string {
  if (code !== 'ok') return code;
  if (message?.startsWith('Cannot add') === true) return 'left-alone';
  return message?.endsWith('does not exist.') === true ? 'absent' : 'ok';
}
