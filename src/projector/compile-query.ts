// A stored query to its running form: plan (sql), topology (dataflow), states (store), results to the sink.
import type { Catalog, QueryEntry } from '../catalog/catalog.js';
import type { Row } from '../core/data-type.js';
import type { Change } from '../dataflow/change.js';
import { compileTopology } from '../dataflow/topology.js';
import type { CompiledQuery, CompileRequest } from '../runtime/runtime.js';
import type { StateWriter } from '../store/state-store.js';
import { queryPlan } from './query-sources.js';

export interface CompileEnv {
  readonly catalog: Catalog;
  readonly state: StateWriter;
  readonly rowtime: (source: string, key: Row) => number | undefined;
  /** An expression failed on a row and became NULL, as in ksqlDB. */
  readonly onExpressionError: (queryId: string, reason: string) => void;
}

export function compileQuery(env: CompileEnv, query: QueryEntry, request: CompileRequest): CompiledQuery {
  const { context, emit, sink } = request;
  const plan = queryPlan(env.catalog, query);
  const topology = compileTopology(plan, {
    queryId: `${query.number}v${request.version}`,
    state: (spec) => env.state.openState(spec),
    lookup: request.lookup,
    rowtime: env.rowtime,
    onError: (reason) => env.onExpressionError(query.id, reason),
    strict: query.strict,
  });
  const keyColumns = sink.schema.keyColumns;
  const isTable = sink.sourceKind === 'table';
  // One closure per query, not per change.
  const out = ({ before, after, rowtimeMs }: Change) => {
    const outer = context.rowtimeMs;
    context.rowtimeMs = rowtimeMs;
    const row = (after ?? before)!;
    emit(isTable ? keyColumns.map((i) => row[i]!) : [], after);
    context.rowtimeMs = outer;
  };
  return {
    sources: plan.sources,
    topology: {
      accept: (source, before, after) =>
        topology.accept(
          source,
          { before, after, rowtimeMs: context.rowtimeMs, beforeRowtimeMs: context.beforeRowtimeMs },
          out,
        ),
      stateNames: topology.states,
    },
  };
}
