// Makes queries fail on purpose: one fails on every row that holds the text `poison <name of its sink>`, in either version of it.
// Operators have no failure of their own that SQL could ask for, so the test puts one in front of them.
import { vi } from 'vitest';
import { AppError } from '../../src/core/errors.js';
import { QueryFailure, RunningQuery } from '../../src/runtime/running-query.js';

export function poisonQueries(): void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its query
  const run = RunningQuery.prototype.run;
  vi.spyOn(RunningQuery.prototype, 'run').mockImplementation(function (this: RunningQuery, source, before, after) {
    const poison = after?.find((value) => typeof value === 'string' && value.startsWith('poison '));
    const sink = /^C[TS]AS_(.*)_\d+$/.exec(this.id)?.[1];
    if (poison === `poison ${sink}`)
      throw new QueryFailure(this.id, new AppError('bad-record', `${sink} is poisoned`), this.build);
    run.call(this, source, before, after);
  });
}
