// What the engine's turns without other work do: steps of chores until there is nothing left.
import type { Chore } from '../../src/core/chore.js';

const stepsMax = 2_000;

export function keepHouse(chores: readonly Chore[], nowMs: number = Date.now()): void {
  for (let steps = 0; ; steps++) {
    const due = chores.filter((chore) => chore.debt(nowMs) > 0);
    if (due.length === 0) return;
    const told = () => due.map((chore) => `${chore.name} ${chore.debt(nowMs)}`).join(', ');
    if (steps > stepsMax) throw new Error(`housekeeping comes to no end: ${told()}`);
    for (const chore of due) chore.step(nowMs);
  }
}
