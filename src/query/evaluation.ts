// How expressions of pull and push queries are evaluated: a failed one becomes NULL, as in ksqlDB. A persistent query counts such
// failures in its status; here the NULL in the answer is what the caller sees.
import type { CompileOptions } from '../dataflow/expression/evaluator.js';

export const evaluation: CompileOptions = { onError: () => {} };
