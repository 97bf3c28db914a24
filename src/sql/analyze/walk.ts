// Looks through the parts of an expression.
import type { ColumnRef, Expression } from '../ast.js';

/** The expressions directly inside. */
export function parts(e: Expression): readonly Expression[] {
  switch (e.kind) {
    case 'unary':
    case 'not':
    case 'is-null':
    case 'cast':
      return [e.arg];
    case 'binary':
    case 'compare':
    case 'logical':
      return [e.left, e.right];
    case 'between':
      return [e.arg, e.lower, e.upper];
    case 'in':
      return [e.arg, ...e.list];
    case 'like':
      return [e.arg, e.pattern];
    case 'case': {
      const outer = [e.operand, e.otherwise].filter((part) => part !== null);
      return [...outer, ...e.whens.flatMap((branch) => [branch.condition, branch.result])];
    }
    case 'call':
      return e.args;
    case 'lambda':
      return [e.body];
    case 'array':
      return e.items;
    case 'map':
      return e.entries.flatMap((entry) => [entry.key, entry.value]);
    case 'struct':
      return e.fields.map((field) => field.value);
    case 'subscript':
      return [e.base, e.index];
    case 'field':
      return [e.base];
    default:
      return [];
  }
}

/** True when the test holds for the expression or any part of it. */
export function someExpression(e: Expression, test: (e: Expression) => boolean): boolean {
  return test(e) || parts(e).some((part) => someExpression(part, test));
}

/** The same tree with every column replaced. */
export function mapColumns(e: Expression, change: (ref: ColumnRef) => ColumnRef): Expression {
  return mapNode(e, change) as Expression;
}

function mapNode(node: unknown, change: (ref: ColumnRef) => ColumnRef): unknown {
  if (Array.isArray(node)) return node.map((part) => mapNode(part, change));
  if (typeof node !== 'object' || node === null) return node;
  if ((node as Expression).kind === 'column') return change(node as ColumnRef);
  return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, mapNode(part, change)]));
}
