// GREATEST and LEAST: NULLs are left out; NULL only when all are.
import type { Value } from '../../core/data-type.js';
import { compareValues } from '../../core/compare.js';
import { chooser } from './conditional.js';
import type { ScalarFunction } from './function.js';

function extreme(sign: 1 | -1): (...values: Value[]) => Value {
  return (...values) => {
    let best: Value = null;
    for (const value of values) {
      if (value !== null && (best === null || compareValues(value, best) * sign > 0)) best = value;
    }
    return best;
  };
}

export const comparisonFunctions: readonly ScalarFunction[] = [
  chooser({
    name: 'GREATEST',
    displayName: 'greatest',
    description: 'the largest of the arguments that are not NULL',
    signature: 'GREATEST(T...)',
    min: 1,
    max: Infinity,
    body: extreme(1),
  }),
  chooser({
    name: 'LEAST',
    displayName: 'least',
    description: 'the smallest of the arguments that are not NULL',
    signature: 'LEAST(T...)',
    min: 1,
    max: Infinity,
    body: extreme(-1),
  }),
];
