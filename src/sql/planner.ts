// Builders of plan nodes: each knows how the schema of its node follows from its input. The analyser decides what to build;
// this file is where the shape of a plan is kept right.
import type { Column, RowSchema } from '../core/data-type.js';
import { assert } from '../core/errors.js';
import type { AggregateCall, Expr, PlanNode, SourceDefinition } from './plan.js';

/** The name of the extra column of right and full outer joins: the row's key, whichever side is there. */
export const joinKeyName = 'ROWKEY';

export function sourceNode(source: SourceDefinition): PlanNode {
  return { kind: 'source', name: source.name, sourceKind: source.sourceKind, schema: source.schema };
}

export function filterNode(input: PlanNode, predicate: Expr): PlanNode {
  assert(predicate.type.kind === 'BOOLEAN', 'a filter needs a condition');
  return { kind: 'filter', input, predicate, schema: input.schema };
}

export function projectNode(input: PlanNode, columns: readonly Expr[], schema: RowSchema): PlanNode {
  assert(columns.length === schema.columns.length, 'a projection has one expression per column');
  return { kind: 'project', input, columns, schema };
}

/** `names`: of the grouping expressions, as far as they have one. */
export function aggregateNode(
  input: PlanNode,
  groupBy: readonly Expr[],
  names: readonly string[],
  aggregates: readonly AggregateCall[],
): PlanNode {
  const columns: Column[] = groupBy.map((expr, i) => ({ name: names[i]!, type: expr.type }));
  for (const [i, call] of aggregates.entries()) columns.push({ name: `AGGREGATE_${i}`, type: call.type });
  return { kind: 'aggregate', input, groupBy, aggregates, schema: { columns, keyColumns: groupBy.map((_, i) => i) } };
}

export interface JoinSide {
  readonly alias: string;
  readonly node: PlanNode;
}

export function joinNode(options: {
  readonly joinType: 'inner' | 'left' | 'right' | 'outer';
  readonly left: JoinSide;
  readonly right: JoinSide;
  readonly leftKey: Expr;
  readonly foreignKey: boolean;
  readonly keyName: string;
}): PlanNode {
  const { joinType, left, right, leftKey, foreignKey, keyName } = options;
  const columns: Column[] = [left, right].flatMap(({ alias, node }) =>
    node.schema.columns.map((column) => ({ name: `${alias}_${column.name}`, type: column.type })),
  );
  let keyColumns = left.node.schema.keyColumns;
  if (joinType === 'right' || joinType === 'outer') {
    keyColumns = [columns.length];
    columns.push({ name: keyName, type: leftKey.type });
  }
  const schema = { columns, keyColumns };
  return { kind: 'table-join', joinType, left: left.node, right: right.node, leftKey, foreignKey, schema };
}
