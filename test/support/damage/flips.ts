// Single bits of a whole data file, flipped one at a time. The law: what is read of the file is what was read before, or an error; and the
// check names damage wherever anything is read otherwise, or not at all. What is in no page that is in use may be as it likes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCheck } from '../../../src/process/run-check.js';
import { createDice } from '../harness/dice.js';
import type { Figures } from '../harness/figures.js';
import { type Answer, mayMiss, readWhole, writeWholeFile } from './whole-file.js';

export interface FlipsOptions {
  /** Made and removed by the caller. */
  readonly folder: string;
  readonly seed: number;
  readonly flips: number;
}

/** Throws with the first flip that breaks the law. */
export async function runFlips({ folder, seed, flips }: FlipsOptions): Promise<Figures> {
  await writeWholeFile(folder, seed);
  const whole = readFileSync(join(folder, 'writethrough.db'));
  const dice = createDice(seed).fork('flips');
  const untouched = await readCopy(folder, whole);
  if (untouched.damaged > 0) throw new Error(`the file as it was written: ${untouched.findings.join('; ')}`);
  const errors = [...untouched.answers].filter(([, answer]) => 'error' in answer);
  if (errors.length > 0)
    throw new Error(`the file as it was written cannot be read: ${errors[0]![0]}`, cause(errors[0]![1]));
  let named = 0;
  let met = 0;
  for (let i = 0; i < flips; i++) {
    const byte = dice.between(0, whole.length - 1);
    const bit = dice.between(0, 7);
    const copy = Buffer.from(whole);
    copy[byte]! ^= 1 << bit;
    const { answers, damaged, findings } = await readCopy(folder, copy);
    const place = `seed ${seed}, flip ${i}: bit ${bit} of byte ${byte} (page ${Math.floor(byte / 4096) + 1})`;
    const otherwise = differences(untouched.answers, answers);
    for (const { name, answer, before } of otherwise) {
      if (damaged === 0) throw new Error(`${place}: the check finds nothing, and ${name} is otherwise`, cause(answer));
      // An entry that is not met has no checksum that could tell: in an index, and in operator state, that the check alone finds.
      if (answer === undefined || 'error' in answer || mayMiss(name)) continue;
      throw new Error(
        `${place}: ${name} gave ${answer.text.slice(0, 300)} for ${before.slice(0, 300)}; the check says ${findings.join('; ')}`,
      );
    }
    if (damaged > 0) named++;
    if (otherwise.length > 0) met++;
  }
  return { seed, bytes: whole.length, flips, 'named by the check': named, 'met by a read': met };
}

async function readCopy(folder: string, bytes: Buffer) {
  const at = mkdtempSync(join(folder, 'flip-'));
  try {
    const path = join(at, 'writethrough.db');
    writeFileSync(path, bytes);
    const result = await checkOf(at);
    return { ...result, answers: readWhole(path) };
  } finally {
    rmSync(at, { recursive: true });
  }
}

/** A file that cannot be opened is named by the error. */
async function checkOf(data: string): Promise<{ readonly damaged: number; readonly findings: readonly string[] }> {
  try {
    const { damaged, findings } = await runCheck({ data, onProgress: () => {} });
    return { damaged, findings: findings.map(({ what }) => what) };
  } catch (error) {
    return { damaged: 1, findings: [String(error)] };
  }
}

/** Reads that were not reached, since one around them ended with an error, are no answers. */
function differences(before: ReadonlyMap<string, Answer>, after: ReadonlyMap<string, Answer>) {
  const found: { readonly name: string; readonly answer: Answer | undefined; readonly before: string }[] = [];
  for (const [name, answer] of before) {
    const now = after.get(name);
    const text = 'text' in answer ? answer.text : '';
    if (now === undefined || 'error' in now || now.text !== text) found.push({ name, answer: now, before: text });
  }
  return found;
}

function cause(answer: Answer | undefined): ErrorOptions {
  return answer !== undefined && 'error' in answer ? { cause: answer.error } : {};
}
