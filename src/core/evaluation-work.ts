// What the evaluation of one row may cost, counted in steps and not in time, so that it comes to the same on every process and at every
// replay. What evaluates a row begins and ends it (dataflow/expression/compile.ts); functions whose cost grows with their arguments spend
// steps before they work. Outside an evaluation nothing is counted.
import { bounds } from './bounds.js';
import { AppError } from './errors.js';

let left = Infinity;
let spent = 0;

/** `share`: of so many that are evaluated one by one for a row. */
export function beginEvaluation(share = 1): void {
  left = bounds.rowWork.value / share;
}

export function endEvaluation(): void {
  left = Infinity;
}

/** A step is about a character that is looked at. Throws `value-too-large` when the row has none left. */
export function spend(steps: number): void {
  spent += steps;
  if ((left -= steps) >= 0) return;
  throw new AppError(bounds.rowWork.code, `the row asks for more than ${bounds.rowWork.value} steps of functions`, {
    hint: 'the functions of the statement are given very long values',
  });
}

/** All steps of this thread: who looks at the clock now and then sees by it that there was much to do. */
export function stepsSpent(): number {
  return spent;
}

/** A function is about to make a value of that size. */
export function assertValueSize(size: number): void {
  if (size <= bounds.valueSize.value) return;
  throw new AppError(bounds.valueSize.code, `a function would make a value of ${size} characters or bytes`, {
    hint: `${bounds.valueSize.value} at most`,
  });
}
