// Which columns of its sources a plan computes with: what stands in a predicate, a key, an aggregate or an expression. A column that is
// only handed on to the result is not among them.
import { unreachable } from '../core/errors.js';
import { nameKey } from '../core/names.js';
import type { Expr, PlanNode } from '../sql/plan.js';

/** A column of a source, as long as it is handed on unchanged. */
type Origin = { readonly source: string; readonly column: string } | undefined;

/** `source column`, see `useOf`. */
export function usedColumns(root: PlanNode): ReadonlySet<string> {
  const uses = new Set<string>();
  walk(root, uses);
  return uses;
}

export function useOf(source: string, column: string): string {
  return `${nameKey(source)} ${column}`;
}

/** The origins of the node's columns. */
function walk(node: PlanNode, uses: Set<string>): readonly Origin[] {
  switch (node.kind) {
    case 'source':
      return node.schema.columns.map(({ name }) => ({ source: node.name, column: name }));
    case 'filter': {
      const from = walk(node.input, uses);
      use(node.predicate, from, uses);
      return from;
    }
    case 'project': {
      const from = walk(node.input, uses);
      return node.columns.map((column) => {
        if (column.kind === 'column') return from[column.index];
        use(column, from, uses);
        return undefined;
      });
    }
    case 'aggregate': {
      const from = walk(node.input, uses);
      for (const expr of node.groupBy) use(expr, from, uses);
      for (const { args } of node.aggregates) for (const arg of args) use(arg, from, uses);
      return node.schema.columns.map(() => undefined);
    }
    case 'table-join': {
      const left = walk(node.left, uses);
      const right = walk(node.right, uses);
      use(node.leftKey, left, uses);
      return node.schema.columns.map((_, i) => [...left, ...right][i]);
    }
    default:
      return unreachable(node);
  }
}

function use(expr: Expr, from: readonly Origin[], uses: Set<string>): void {
  visit(expr, (index) => {
    const origin = from[index];
    if (origin) uses.add(useOf(origin.source, origin.column));
  });
}

/** Expressions are plain nodes, and only those of a column have an index. */
function visit(node: unknown, column: (index: number) => void): void {
  if (Array.isArray(node)) return node.forEach((each) => visit(each, column));
  if (typeof node !== 'object' || node === null || Buffer.isBuffer(node)) return;
  const fields = node as Readonly<Record<string, unknown>>;
  if (fields['kind'] === 'column' && typeof fields['index'] === 'number') return column(fields['index']);
  for (const value of Object.values(fields)) visit(value, column);
}
