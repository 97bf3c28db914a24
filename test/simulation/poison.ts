// Makes queries fail on purpose, as test/support/poison.ts does, for runs without vitest. Gives what takes it back.
import { AppError } from '../../src/core/errors.js';
import { QueryFailure, RunningQuery } from '../../src/runtime/running-query.js';

export function plantPoison(): () => void {
  // oxlint-disable-next-line typescript/unbound-method -- called with its query
  const run = RunningQuery.prototype.run;
  RunningQuery.prototype.run = function (this: RunningQuery, source, before, after) {
    const poison = after?.find((value) => typeof value === 'string' && value.startsWith('poison '));
    const sink = /^C[TS]AS_(.*)_\d+$/.exec(this.id)?.[1];
    if (poison === `poison ${sink}`)
      throw new QueryFailure(this.id, new AppError('bad-record', `${sink} is poisoned`), this.build);
    run.call(this, source, before, after);
  };
  return () => {
    RunningQuery.prototype.run = run;
  };
}
