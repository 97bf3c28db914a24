// A query that runs on: the SELECT of CREATE .. AS and of a push query, to a plan and the schema of its result.
import { BIGINT, withoutZone, type RowSchema } from '../../core/data-type.js';
import type { Expression, Query } from '../ast.js';
import { messages } from '../messages.js';
import type { Expr, PlanNode, QueryPlan, SourceDefinition, SourceKind } from '../plan.js';
import { aggregateNode, filterNode, projectNode } from '../planner.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, syntaxError, unsupported } from '../sql-error.js';
import { Aggregation, aggregatesUsed, hasAggregate, refuseWindow } from './aggregate.js';
import type { Context } from './context.js';
import { assertPlanSize } from './effort.js';
import type { Environment } from './environment.js';
import { analyzeCondition, analyzeExpression } from './expression.js';
import { analyzeFrom, type From, type KeyColumn } from './from.js';
import { columnOrder, reorder } from './key-order.js';
import { keyOfProjection } from './projection-key.js';
import { selectColumns, type SelectColumn } from './select.js';

export interface AnalyzedQuery {
  readonly plan: QueryPlan;
  readonly schema: RowSchema;
  /** The sources, the left of a join first: a sink takes its formats from it. */
  readonly sources: readonly SourceDefinition[];
}

/** `sink`: what the result is written to; null for a push query, which may leave key columns out. */
export function analyzeQuery(query: Query, context: Context, sink: string | null): AnalyzedQuery {
  refuseExtensions(query, context);
  if (query.partitionBy !== null) throw unsupported(query.partitionBy.place, 'PARTITION BY');
  const from = analyzeFrom(query, context);
  refuseWindow(query);
  let root = from.root;
  if (query.where !== null) root = filterNode(root, analyzeCondition(query.where, inputEnvironment(from, 'WHERE')));
  const grouped = query.groupBy !== null || (sink === null && aggregatesUsed(query).length > 0);
  const part = grouped ? groupedSelect(query, from, root, sink) : plainSelect(query, from, root, sink);
  if (query.emit?.mode === 'FINAL') throw invalidStatement(query.emit.place, messages.emitFinal);
  const { selected, keyRule } = part;
  const exprs = selected.map(({ expr }) => expr);
  assertPlanSize(query.place, ...exprs);
  const names = selected.map(({ column }) => column);
  const { columns, keyColumns } = keyOfProjection({
    names,
    exprs,
    from,
    keyRule,
    sink,
    grouped: query.groupBy !== null,
  });
  const selectedSchema: RowSchema = {
    columns: names.map((column, i) => ({ name: column.name, type: withoutZone(columns[i]!.type) })),
    keyColumns,
  };
  const order = columnOrder(selectedSchema, context.strict && sink !== null);
  const schema = reorder(selectedSchema, order);
  const plan: QueryPlan = {
    root: projectNode(
      part.root,
      order.map((i) => columns[i]!),
      schema,
    ),
    resultKind: part.resultKind,
    sources: from.sources.map((source) => source.name),
  };
  return { plan, schema, sources: from.sources };
}

interface Selected {
  readonly column: SelectColumn;
  readonly expr: Expr;
}

interface SelectPart {
  readonly root: PlanNode;
  readonly selected: readonly Selected[];
  readonly keyRule: readonly KeyColumn[];
  readonly resultKind: SourceKind;
}

function plainSelect(query: Query, from: From, root: PlanNode, sink: string | null): SelectPart {
  const columns = expandSelect(query, from, sink);
  const used = aggregatesUsed(query);
  if (used.length > 0) throw withoutGroup(query, columns, used);
  if (query.having !== null) throw invalidStatement(query.having.place, messages.havingWithoutGroup);
  const env = inputEnvironment(from, 'SELECT');
  const selected = columns.map((column) => ({
    column,
    expr: selectedExpr(column, analyzeExpression(column.expression, env)),
  }));
  return { root, selected, keyRule: from.key, resultKind: from.resultKind };
}

/** Aggregates without GROUP BY: ksqlDB names the columns beside them, where there are any. */
function withoutGroup(query: Query, columns: readonly SelectColumn[], used: readonly string[]): Error {
  const others = columns.filter((column) => !hasAggregate(column.expression)).map((c) => printExpression(c.expression));
  const message = others.length > 0 ? messages.nonAggregate(others) : messages.aggregateWithoutGroup(used);
  return invalidStatement(query.place, message, 'add a GROUP BY clause');
}

function groupedSelect(query: Query, from: From, root: PlanNode, sink: string | null): SelectPart {
  const aggregation = new Aggregation(query, from);
  const ungrouped: string[] = [];
  const selected = expandSelect(query, from, sink).map((column) => {
    const { typed, grouped } = aggregation.analyze(column.expression, 'SELECT');
    if (!grouped) ungrouped.push(printExpression(column.expression));
    return { column, expr: selectedExpr(column, typed) };
  });
  const having = query.having === null ? null : havingCondition(query.having, aggregation);
  if (aggregation.calls.length === 0) throw invalidStatement(query.groupBy!.place, messages.groupWithoutAggregate);
  if (ungrouped.length > 0) throw invalidStatement(query.select[0]!.place, messages.nonAggregate(ungrouped));
  const aggregate = aggregateNode(root, aggregation.groupBy, aggregation.names, aggregation.calls);
  const keyRule = (query.groupBy?.expressions ?? []).map((e, index) => ({
    index,
    candidates: [index],
    names: [printExpression(e)],
  }));
  return {
    root: having === null ? aggregate : filterNode(aggregate, having),
    selected,
    keyRule,
    resultKind: 'table',
  };
}

function havingCondition(having: Expression, aggregation: Aggregation): Expr {
  let predicate: Expr | undefined;
  const { grouped } = aggregation.analyze(having, 'HAVING', (e, env) => {
    predicate = analyzeCondition(e, env);
    return { expr: predicate, type: predicate.type };
  });
  if (!grouped) throw invalidStatement(having.place, messages.nonAggregateHaving([printExpression(having)]));
  return predicate!;
}

function expandSelect(query: Query, from: From, sink: string | null): SelectColumn[] {
  const env = inputEnvironment(from, 'SELECT');
  return selectColumns(query, {
    scope: from.scope,
    persistent: sink !== null,
    typeOf: (e) => (hasAggregate(e) ? BIGINT : analyzeExpression(e, env).type),
  });
}

function selectedExpr(column: SelectColumn, typed: { readonly expr: Expr; readonly type: unknown }): Expr {
  if (typed.type === null) throw invalidStatement(column.place, messages.nullType);
  return typed.expr;
}

export function inputEnvironment(from: From, clause: string): Environment {
  return { clause, strict: from.scope.context.strict, column: (ref) => from.scope.resolve(ref, clause) };
}

/** Clauses that ksqlDB's grammar lacks: in strict mode a syntax error, else a feature that is not there. */
export function refuseExtensions(query: Query, context: Context): void {
  const refuse = (place: Query['place'], clause: string): Error =>
    context.strict ? syntaxError(place, messages.syntaxError(place, '')) : unsupported(place, clause);
  if (query.distinct) throw refuse(query.place, 'DISTINCT');
  if (query.orderBy !== null) throw refuse(query.orderBy.place, 'ORDER BY');
  if (query.offset !== null) throw refuse(query.offset.place, 'OFFSET');
}
