// A stored query to its running form: plan (sql), topology (dataflow), states (store), results to the sink.
import type { Catalog, QueryEntry } from '../catalog/catalog.js';
import type { Change } from '../dataflow/change.js';
import { compileTopology } from '../dataflow/topology.js';
import type { CompiledQuery, CompileRequest } from '../runtime/runtime.js';
import { rowTimestamp } from '../runtime/row-timestamp.js';
import type { StateWriter } from '../store/state-store.js';
import { assertSameColumns } from './definition-checks.js';
import { queryPlan } from './query-sources.js';

export interface CompileEnv {
  readonly catalog: Catalog;
  readonly state: StateWriter;
  /** An expression failed on a row and became NULL, as in ksqlDB. */
  readonly onExpressionError: (queryId: string, reason: string) => void;
  /** A result was left out: it has no timestamp. */
  readonly onSkipped: (sink: string, reason: string) => void;
}

/** The query and version that an operator state is named after: `q3v1` of `q3v1_join0_rows`. */
export function stateOwner(stateName: string): string {
  return stateName.slice(0, stateName.indexOf('_'));
}

export function compileQuery(env: CompileEnv, query: QueryEntry, request: CompileRequest): CompiledQuery {
  const { context, emit, sink } = request;
  const plan = queryPlan(env.catalog, query);
  assertSameColumns(sink, plan.root.schema, `its query as it stands over its sources now`);
  const topology = compileTopology(plan, {
    queryId: `${query.number}v${request.version}`, // `stateOwner` reads it back
    state: (spec) => env.state.openState(spec),
    lookup: request.lookup,
    rowtime: request.rowtime,
    onError: (reason) => env.onExpressionError(query.id, reason),
    strict: query.strict,
  });
  const keyColumns = sink.schema.keyColumns;
  const isTable = sink.sourceKind === 'table';
  // One closure per query, not per change.
  const write = ({ before, after, rowtimeMs }: Change) => {
    const outer = context.rowtimeMs;
    context.rowtimeMs = rowtimeMs;
    const row = (after ?? before)!;
    emit(isTable ? keyColumns.map((i) => row[i]!) : [], after);
    context.rowtimeMs = outer;
  };
  // What has no timestamp is left out, as ksqlDB does at the sink: a row that stands under its key stays. So a table depends on what its
  // rows were, and one that is filled from the rows as they are now (a rebuild) does not have those that were left standing.
  const timestamp = rowTimestamp(sink);
  const out =
    timestamp === undefined
      ? write
      : (change: Change) => {
          const rowtimeMs = change.after === null ? change.rowtimeMs : timestamp.of(change.after);
          if (rowtimeMs === null) env.onSkipped(sink.name, timestamp.problem(change.after!));
          else write({ ...change, rowtimeMs });
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
