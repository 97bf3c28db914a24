// A plan as text for readers: one line per node from the result down to the sources, expressions with the names of the columns.
// Stable, for golden tests.
import type { RowSchema, Value } from '../core/data-type.js';
import { printType, type DataType } from '../core/data-type.js';
import { unreachable } from '../core/errors.js';
import { castBody } from './functions/cast.js';
import type { AggregateCall, Expr, PlanNode, PullAccess, PullPlan, QueryPlan } from './plan.js';

export function explainQuery(plan: QueryPlan): string {
  const lines = [`result: ${plan.resultKind} of ${plan.sources.join(', ')}`];
  writeNode(plan.root, 0, lines);
  return lines.join('\n');
}

export function explainPull(plan: PullPlan): string {
  const names = namesOf(plan.schema);
  const columns = plan.output.map((column, i) => assigned(column.name, printExpr(plan.columns[i]!, names)));
  const lines = [`pull: ${columns.join(', ')}`];
  if (plan.limit !== null) lines.push(`  limit: ${plan.limit}`);
  if (plan.predicate !== null) lines.push(`  filter: ${printExpr(plan.predicate, names)}`);
  const keys = plan.schema.keyColumns.map((i) => plan.schema.columns[i]!);
  if (plan.accesses.length === 0) lines.push(`  nothing of ${plan.source}`);
  for (const access of plan.accesses.slice(0, accessesShown)) {
    lines.push(`  ${printAccess(access, plan.source, keys)}`);
  }
  const more = plan.accesses.length - accessesShown;
  if (more > 0) lines.push(`  and ${more} more`);
  return lines.join('\n');
}
const accessesShown = 20;

function writeNode(node: PlanNode, depth: number, lines: string[]): void {
  const write = (text: string): void => {
    lines.push(`${'  '.repeat(depth)}${text}`);
  };
  switch (node.kind) {
    case 'source':
      write(`${node.sourceKind} ${node.name} [${printSchema(node.schema)}]`);
      return;
    case 'filter':
      write(`filter: ${printExpr(node.predicate, namesOf(node.input.schema))}`);
      writeNode(node.input, depth + 1, lines);
      return;
    case 'project': {
      const names = namesOf(node.input.schema);
      const columns = node.schema.columns.map((column, i) => assigned(column.name, printExpr(node.columns[i]!, names)));
      write(`project: ${columns.join(', ')}${keyNote(node.schema)}`);
      writeNode(node.input, depth + 1, lines);
      return;
    }
    case 'aggregate': {
      const names = namesOf(node.input.schema);
      const groups = node.groupBy.map((expr, i) => assigned(node.schema.columns[i]!.name, printExpr(expr, names)));
      const calls = node.aggregates.map((call, i) =>
        assigned(node.schema.columns[groups.length + i]!.name, printCall(call, names)),
      );
      write(`aggregate: ${calls.join(', ')} by ${groups.join(', ')}`);
      writeNode(node.input, depth + 1, lines);
      return;
    }
    case 'table-join': {
      const key = printExpr(node.leftKey, namesOf(node.left.schema));
      const right = node.right.schema.columns[node.right.schema.keyColumns[0]!]!.name;
      write(
        `${node.joinType} join${node.foreignKey ? ' by foreign key' : ''}: left ${key} = right ${right}${keyNote(node.schema)}`,
      );
      writeNode(node.left, depth + 1, lines);
      writeNode(node.right, depth + 1, lines);
      return;
    }
    default:
      unreachable(node);
  }
}

function assigned(name: string, text: string): string {
  return name === text ? name : `${name} = ${text}`;
}

function keyNote(schema: RowSchema): string {
  const keys = schema.keyColumns.map((i) => schema.columns[i]!.name);
  return keys.length === 0 ? '' : ` key (${keys.join(', ')})`;
}

export function printSchema(schema: RowSchema): string {
  return schema.columns
    .map(({ name, type }, i) => `${name} ${printType(type)}${schema.keyColumns.includes(i) ? ' KEY' : ''}`)
    .join(', ');
}

function namesOf(schema: RowSchema): readonly string[] {
  return schema.columns.map((column) => column.name);
}

function printAccess(access: PullAccess, source: string, keys: readonly { name: string; type: DataType }[]): string {
  const value = (v: Value, i: number): string => printValue(v, keys[i]!.type);
  if (access.kind === 'key') {
    return `key of ${source}: ${access.key.map((v, i) => `${keys[i]!.name} = ${value(v, i)}`).join(', ')}`;
  }
  const { prefix, lower, upper } = access;
  const conditions = prefix.map((v, i) => `${keys[i]!.name} = ${value(v, i)}`);
  const next = keys[prefix.length]?.name ?? '';
  if (lower !== null) conditions.push(`${next} ${lower.inclusive ? '>=' : '>'} ${value(lower.value, prefix.length)}`);
  if (upper !== null) conditions.push(`${next} ${upper.inclusive ? '<=' : '<'} ${value(upper.value, prefix.length)}`);
  return conditions.length === 0 ? `scan of ${source}` : `range of ${source}: ${conditions.join(', ')}`;
}

function printCall(call: AggregateCall, names: readonly string[]): string {
  return `${call.name}(${call.args.length === 0 ? '*' : call.args.map((arg) => printExpr(arg, names)).join(', ')})`;
}

export function printExpr(e: Expr, names: readonly string[]): string {
  const print = (part: Expr): string => printExpr(part, names);
  const list = (parts: readonly Expr[]): string => parts.map(print).join(', ');
  switch (e.kind) {
    case 'column':
      return names[e.index] ?? `#${e.index}`;
    case 'rowtime':
      return 'ROWTIME';
    case 'literal':
      return printValue(e.value, e.type);
    case 'arithmetic':
    case 'compare':
      return `(${print(e.left)} ${e.op.toUpperCase()} ${print(e.right)})`;
    case 'and':
    case 'or':
      return `(${print(e.left)} ${e.kind.toUpperCase()} ${print(e.right)})`;
    case 'negate':
      return `-(${print(e.arg)})`;
    case 'not':
      return `(NOT ${print(e.arg)})`;
    case 'is-null':
      return `(${print(e.arg)} IS ${e.negated ? 'NOT ' : ''}NULL)`;
    case 'in':
      return `(${print(e.arg)} ${e.negated ? 'NOT ' : ''}IN (${list(e.list)}))`;
    case 'like':
      return `(${print(e.arg)} ${e.negated ? 'NOT ' : ''}LIKE ${print(e.pattern)}${e.escape === null ? '' : ` ESCAPE '${e.escape}'`})`;
    case 'case': {
      const whens = e.whens.map((branch) => ` WHEN ${print(branch.when)} THEN ${print(branch.then)}`);
      return `(CASE${whens.join('')}${e.otherwise === null ? '' : ` ELSE ${print(e.otherwise)}`} END)`;
    }
    case 'cast':
      return `CAST(${print(e.arg)} AS ${printType(e.type)})`;
    case 'call':
      return printFunction(e, print);
    default:
      return unreachable(e);
  }
}

/** Operators that plans hold as calls are shown as what was written. */
function printFunction(e: Expr & { kind: 'call' }, print: (part: Expr) => string): string {
  const args = e.args.map(print);
  switch (e.name) {
    case '||':
      return `(${args.join(' || ')})`;
    case '[]':
      return `${args[0]!}[${args[1]!}]`;
    case '->': {
      const [base, index] = e.args;
      const field =
        base!.type.kind === 'STRUCT' && index!.kind === 'literal'
          ? base!.type.fields[index!.value as number]
          : undefined;
      return `${args[0]!}->${field?.name ?? args[1]!}`;
    }
    case 'array':
      return `ARRAY[${args.join(', ')}]`;
    case 'map':
      return `MAP(${e.args.flatMap((_, i) => (i % 2 === 0 ? [`${args[i]!} := ${args[i + 1]!}`] : [])).join(', ')})`;
    case 'struct': {
      const fields = e.type.kind === 'STRUCT' ? e.type.fields : [];
      return `STRUCT(${args.map((arg, i) => `${fields[i]?.name ?? i} := ${arg}`).join(', ')})`;
    }
    default:
      return `${e.name}(${args.join(', ')})`;
  }
}

function printValue(value: Value, type: DataType): string {
  if (value === null) return 'NULL';
  if (Buffer.isBuffer(value)) return `X'${value.toString('hex')}'`;
  const text = typeof value === 'string' ? value : castBody(type, { kind: 'STRING' })?.(value);
  if (typeof text !== 'string') return printType(type);
  const quoted = ['STRING', 'DATE', 'TIME', 'TIMESTAMP'].includes(type.kind);
  return quoted ? `'${text.replaceAll("'", "''")}'` : text;
}
