// Many clients that create, drop and fill streams and tables of few names at once, and the law that their answers obey: there is one
// order, that of the seqs, in which all statements that took effect make sense one after the other, and each refusal was right at
// some moment between its question and its answer. A model of a few lines knows what makes sense. A client whose answer is cut off, as by
// a kill, stops: its statement may have taken effect or not.
import type { Dice } from './dice.js';
import { StormModel } from './storm-model.js';
import { checkOrder, type Asked, type Seen, type StormAnswer } from './storm-order.js';
import { drawSequence } from './storm-step.js';

export { printSource, StormModel } from './storm-model.js';
export type { StormAnswer } from './storm-order.js';
export { stormNames, stormSource } from './storm-step.js';

export interface StormTarget {
  /** The code `unknown`: there was no answer. */
  run(sql: string): Promise<StormAnswer>;
  /** Of the newest append that is applied; rejects where nobody answers. */
  seq(): number | Promise<number>;
}

export interface StormOptions {
  readonly clients: number;
  readonly sequences: number;
  /** No further sequence is begun. */
  readonly isOver?: () => boolean;
  /** What there is before. */
  readonly model?: StormModel;
  /** What there is afterwards, asked when all clients have stopped; without it only the answers are checked. */
  readonly seen?: () => Promise<Seen>;
}

export interface Storm {
  /** What there is, by the order that was found. */
  readonly model: StormModel;
  readonly sequences: number;
  readonly statements: number;
  readonly applied: number;
  /** Statements without an answer. */
  readonly unknown: number;
  readonly breaches: readonly string[];
  /** Where there is no order: what led to that. */
  readonly story: readonly string[];
}

/** Runs `sequences` of them from so many clients, and checks the answers. */
export async function runStorm(target: StormTarget, dice: Dice, options: StormOptions): Promise<Storm> {
  const { clients, sequences, isOver = () => false, model = new StormModel(), seen } = options;
  const asked: Asked[] = [];
  let begun = 0;
  const client = async () => {
    while (begun < sequences && !isOver()) {
      begun++;
      for (const step of drawSequence(dice)) {
        const from = await seqOf(target);
        if (from === undefined) return;
        const answer = await target.run(step.sql);
        const to = answer.code === 'unknown' ? Infinity : ((await seqOf(target)) ?? Infinity);
        asked.push({ step, answer, from, to });
        if (answer.code === 'unknown') return;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const found = checkOrder(asked, model, await seen?.());
  return { ...found, sequences: begun, statements: asked.length };
}

async function seqOf(target: StormTarget): Promise<number | undefined> {
  try {
    return await target.seq();
  } catch {
    return undefined;
  }
}
