// A persistent query at work: from its plan to operators joined up, once, and then change by change through all of them before
// the next (synchronous; nothing is netted or held back). Pure but for the keyed state and the look-ups that the runtime lends.
import type { Row } from '../core/data-type.js';
import { AppError, assert } from '../core/errors.js';
import type { QueryPlan } from '../sql/plan.js';
import type { Change } from './change.js';
import { compileNodes } from './compile-nodes.js';
import type { Downstream } from './operators/operator.js';
import type { TopologyEnv } from './topology-env.js';

export interface Topology {
  /** One change of a source in; its consequences go to `out`, in order, before the call returns. */
  accept(source: string, change: Change, out: (change: Change) => void): void;
  /** Names of the states to drop with the query. */
  readonly states: readonly string[];
  /** Whether `beforeRowtimeMs` is wanted with every change that has a `before`. */
  readonly needsOldRowtime: boolean;
}

export function compileTopology(plan: QueryPlan, env: TopologyEnv): Topology {
  const end = new End();
  const { inputs, states, usesRowtime } = compileNodes(plan.root, end, env);
  const needsOldRowtime = usesRowtime && [...inputs.values()].some((input) => input.sourceKind === 'table');

  return {
    states,
    needsOldRowtime,
    accept(source, change, out) {
      const input = inputs.get(source);
      if (input === undefined) throw new AppError('internal', `the query does not read ${source}`);
      const { before, after, rowtimeMs } = change;
      let { beforeRowtimeMs } = change;
      if (beforeRowtimeMs === undefined) {
        assert(before === null || !needsOldRowtime, 'a query that computes with ROWTIME is told the old one');
        beforeRowtimeMs = rowtimeMs;
      }
      assert(end.out === null, 'a query takes its next change when the one before is through');
      end.out = out;
      try {
        for (const reader of input.readers) reader.accept(before, after, rowtimeMs, beforeRowtimeMs);
      } finally {
        end.out = null;
      }
    },
  };
}

/** The end of the chain: arguments become a change again. */
class End implements Downstream {
  out: ((change: Change) => void) | null = null;

  accept(before: Row | null, after: Row | null, rowtimeMs: number): void {
    this.out!({ before, after, rowtimeMs });
  }
}
