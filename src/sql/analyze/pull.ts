// Pull queries: one source, WHERE, a projection, LIMIT.
import type { Column, RowSchema } from '../../core/data-type.js';
import type { Expression, Query } from '../ast.js';
import { messages } from '../messages.js';
import type { Expr, PullPlan, SourceDefinition } from '../plan.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported, type Place } from '../sql-error.js';
import type { Context } from './context.js';
import { assertPlanSize } from './effort.js';
import { analyzeCondition, analyzeExpression } from './expression.js';
import { analyzeFrom, type From } from './from.js';
import { limitOf } from './limit.js';
import { pullAccesses } from './pull-access.js';
import { inputEnvironment, refuseExtensions } from './query.js';
import { selectColumns } from './select.js';
import { hasAggregate } from './aggregate.js';
import { someExpression } from './walk.js';

export function analyzePull(query: Query, context: Context): PullPlan {
  refuseClauses(query, context);
  refuseExtensions(query, context);
  const from = analyzeFrom(query, context);
  const source = from.sources[0]!;
  refuseStream(query, source);
  refuseUnqueryable(query, source, context);
  const where = query.where === null ? null : condition(query.where, from, source);
  const { accesses, covered } = pullAccesses(where, source.schema);
  const { columns, output } = project(query, from, source.schema);
  return {
    source: source.name,
    schema: source.schema,
    accesses,
    predicate: covered ? null : where,
    columns,
    output,
    limit: limitOf(query, messages.pullLimit),
  };
}

function refuseClauses(query: Query, context: Context): void {
  const clauses: [{ readonly place: Place } | null | undefined, string][] = [
    [query.joins[0], 'JOIN'],
    [query.window, 'WINDOW'],
    [query.groupBy, 'GROUP BY'],
    [query.partitionBy, 'PARTITION BY'],
    [query.having, 'HAVING'],
  ];
  for (const [clause, name] of clauses) {
    if (clause === null || clause === undefined) continue;
    const hint = 'make a table of it with CREATE TABLE .. AS SELECT, and query that';
    if (context.strict) throw invalidStatement(clause.place, messages.pullClause(name), hint);
    throw unsupported(clause.place, `${name} in a pull query`, hint);
  }
  for (const item of query.select) {
    if (item.kind !== 'item' || !hasAggregate(item.expression)) continue;
    throw unsupported(
      item.place,
      'an aggregate function in a pull query',
      'make a table of it with CREATE TABLE .. AS SELECT',
    );
  }
}

/** ksqlDB reads the stream's topic for it, from its beginning to its end of that moment. */
function refuseStream(query: Query, source: SourceDefinition): void {
  if (source.sourceKind !== 'stream') return;
  throw unsupported(
    query.from.place,
    `a pull query over a stream (${source.name})`,
    `make a table of it with CREATE TABLE .. AS SELECT .. GROUP BY, or read its records: GET /v1/topics/${source.properties.topic}/records`,
  );
}

/** ksqlDB serves only what a query of its own materialised. */
function refuseUnqueryable(query: Query, source: SourceDefinition, context: Context): void {
  if (!context.strict || source.readOnly || source.writtenBy !== null) return;
  throw invalidStatement(query.from.place, messages.notQueryable(source.name));
}

function condition(where: Expression, from: From, source: SourceDefinition): Expr {
  refuseNullKey(where, from, source);
  return analyzeCondition(where, inputEnvironment(from, 'WHERE'));
}

function refuseNullKey(where: Expression, from: From, source: SourceDefinition): void {
  const { context } = from.scope;
  someExpression(where, (e) => {
    if (e.kind !== 'compare' || e.op.startsWith('IS')) return false;
    const [column, other] = e.left.kind === 'column' ? [e.left, e.right] : [e.right, e.left];
    if (column.kind !== 'column' || other.kind !== 'null') return false;
    const isKey = source.schema.keyColumns.some((i) => context.same(source.schema.columns[i]!.name, column.name.text));
    if (isKey) throw invalidStatement(e.place, messages.pullNullKey(printExpression(e)));
    return false;
  });
}

type Output = PullPlan['output'];

function project(query: Query, from: From, schema: RowSchema): { columns: readonly Expr[]; output: Output } {
  const env = inputEnvironment(from, 'SELECT');
  const typeOf = (e: Expression) => analyzeExpression(e, env).type;
  const selected = selectColumns(query, { scope: from.scope, persistent: false, typeOf });
  const columns: Expr[] = [];
  const output: (Column & { readonly isKey: boolean })[] = [];
  for (const { name, expression, place } of selected) {
    const { expr, type } = analyzeExpression(expression, env);
    if (type === null) throw invalidStatement(place, messages.nullType);
    columns.push(expr);
    output.push({ name, type, isKey: expr.kind === 'column' && schema.keyColumns.includes(expr.index) });
  }
  assertPlanSize(query.place, ...columns);
  return { columns, output };
}
