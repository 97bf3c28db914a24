// From the nodes of a plan to operators, from the sink upwards: each operator is made with the one below it, then its inputs with
// it. What is needed below decides what is kept above: see `exact` in operators/operator.ts.
import { bounds } from '../core/bounds.js';
import type { Column, RowSchema } from '../core/data-type.js';
import { AppError, assert, unreachable } from '../core/errors.js';
import type { KeyedState } from '../core/keyed-state.js';
import type { Expr, PlanNode, SourceKind } from '../sql/plan.js';
import { compileColumns, compileExpression, compilePredicate } from './expression/compile.js';
import type { CompileOptions } from './expression/evaluator.js';
import { planAggregates } from './operators/aggregate-functions.js';
import { Aggregate, countAt, firstAccumulatorColumn, groupColumns } from './operators/aggregate.js';
import { Filter, FilterLookup, InexactFilter } from './operators/filter.js';
import { ForeignKeyJoin } from './operators/foreign-key-join.js';
import { DirectOutput, MaterializedOutput, type JoinOutput, type JoinShape } from './operators/join-output.js';
import type { Downstream, Lookup } from './operators/operator.js';
import { Project, ProjectLookup } from './operators/project.js';
import { TableJoin } from './operators/table-join.js';
import type { TopologyEnv } from './topology-env.js';

type NodeOf<K extends PlanNode['kind']> = Extract<PlanNode, { kind: K }>;

export interface TopologyInput {
  readonly sourceKind: SourceKind;
  /** More than one where a query reads a source twice. */
  readonly readers: Downstream[];
}

export interface CompiledNodes {
  readonly inputs: ReadonlyMap<string, TopologyInput>;
  readonly states: readonly string[];
  readonly usesRowtime: boolean;
}

export function compileNodes(root: PlanNode, end: Downstream, env: TopologyEnv): CompiledNodes {
  const compiler = new NodeCompiler(env);
  compiler.compile(root, end, false);
  assert(
    !compiler.usesRowtime || !compiler.hasJoin || env.rowtime !== undefined,
    'the runtime tells ROWTIMEs to a join that computes with them',
  );
  const { inputs, states, usesRowtime } = compiler;
  return { inputs, states, usesRowtime };
}

/** Whether `before` of this node's changes can be had exact without keeping rows for it. */
function isExact(node: PlanNode): boolean {
  switch (node.kind) {
    case 'source':
    case 'aggregate':
      return true;
    case 'filter':
    case 'project':
      return isExact(node.input);
    case 'table-join':
      return false;
    default:
      return unreachable(node);
  }
}

function kindOf(node: PlanNode): SourceKind {
  switch (node.kind) {
    case 'source':
      return node.sourceKind;
    case 'filter':
    case 'project':
      return kindOf(node.input);
    case 'aggregate':
    case 'table-join':
      return 'table';
    default:
      return unreachable(node);
  }
}

class NodeCompiler {
  readonly inputs = new Map<string, TopologyInput>();
  readonly states: string[] = [];
  usesRowtime = false;
  hasJoin = false;
  readonly #env: TopologyEnv;
  readonly #options: CompileOptions;

  constructor(env: TopologyEnv) {
    this.#env = env;
    this.#options = {
      onError: (reason) => env.onError(reason),
      comparisonWithNull: env.strict ? false : null,
    };
  }

  compile(node: PlanNode, next: Downstream, wantsExact: boolean): Lookup {
    switch (node.kind) {
      case 'source':
        return this.#source(node, next);
      case 'filter':
        return this.#filter(node, next, wantsExact);
      case 'project':
        return this.#project(node, next, wantsExact);
      case 'aggregate':
        return this.#aggregate(node, next, wantsExact);
      case 'table-join':
        return this.#tableJoin(node, next, wantsExact);
      default:
        return unreachable(node);
    }
  }

  #source(node: NodeOf<'source'>, next: Downstream): Lookup {
    const { name } = node;
    const input = this.inputs.get(name);
    if (input === undefined) this.inputs.set(name, { sourceKind: node.sourceKind, readers: [next] });
    else input.readers.push(next);
    const env = this.#env;
    return {
      get: (key) => env.lookup(name, key),
      rowtime: (key) => env.rowtime?.(name, key) ?? -Infinity,
    };
  }

  #filter(node: NodeOf<'filter'>, next: Downstream, wantsExact: boolean): Lookup {
    const predicate = compilePredicate(node.predicate, this.#expression(node.predicate));
    const exact = wantsExact || isExact(node.input);
    const filter = exact ? new Filter(predicate, next) : new InexactFilter(predicate, next);
    return new FilterLookup(predicate, this.compile(node.input, filter, exact));
  }

  #project(node: NodeOf<'project'>, next: Downstream, wantsExact: boolean): Lookup {
    for (const column of node.columns) this.#expression(column);
    const columns = compileColumns(node.columns, this.#options);
    const input = this.compile(node.input, new Project(columns, next, wantsExact), wantsExact);
    return new ProjectLookup(columns, keyOrder(node), input);
  }

  #aggregate(node: NodeOf<'aggregate'>, next: Downstream, wantsExact: boolean): Lookup {
    const name = this.#name('aggregate');
    const key = node.schema.columns.slice(0, node.groupBy.length);
    let valueStates = 0;
    const openValues = (value: Column): KeyedState =>
      this.#open(`${name}_values${valueStates++}`, [...key, value], [count]);
    for (const call of node.aggregates) call.args.forEach((arg) => this.#expression(arg));
    const share = node.groupBy.length + node.aggregates.length;
    const functions = planAggregates(node.aggregates, {
      options: { ...this.#options, share },
      countAt,
      firstColumn: firstAccumulatorColumn,
      openValues: kindOf(node.input) === 'table' ? openValues : null,
    });
    const columns = functions.accumulators.flatMap((accumulator) => accumulator.columns);
    const aggregate = new Aggregate({
      groupBy: node.groupBy.map((expr) => compileExpression(expr, { ...this.#expression(expr), share })),
      functions,
      groups: this.#open(name, key, [...groupColumns, ...columns]),
      next,
      givesBefore: wantsExact,
      keepsEmptyGroups: this.#env.strict ?? false,
    });
    this.compile(node.input, aggregate, true);
    return aggregate;
  }

  #tableJoin(node: NodeOf<'table-join'>, next: Downstream, wantsExact: boolean): Lookup {
    this.hasJoin = true;
    const name = this.#name('join');
    const { left, right, joinType, schema } = node;
    const shape: JoinShape = {
      leftWidth: left.schema.columns.length,
      rightWidth: right.schema.columns.length,
      appendsKey: joinType === 'right' || joinType === 'outer',
    };
    assert(
      shape.leftWidth + shape.rightWidth + Number(shape.appendsKey) === schema.columns.length,
      'a join gives its sides',
    );
    const kept = wantsExact ? this.#openRows(`${name}_rows`, schema, next) : undefined;
    const output: JoinOutput = kept ?? new DirectOutput(next);
    const keys = { leftKey: left.schema.keyColumns, rightKey: right.schema.keyColumns };
    const join =
      node.foreignKey && (joinType === 'inner' || joinType === 'left')
        ? new ForeignKeyJoin({
            joinType,
            shape,
            ...keys,
            foreignKey: compileExpression(node.leftKey, this.#expression(node.leftKey)),
            index: this.#open(`${name}_index`, indexKey(node), []),
            output,
          })
        : new TableJoin({ joinType, shape, ...keys, output });
    if (node.foreignKey && join instanceof TableJoin) {
      throw new AppError('unsupported-statement', `a foreign-key join cannot be ${joinType}: only inner and left`);
    }
    join.connect(this.compile(left, join.left, node.foreignKey), this.compile(right, join.right, false));
    return kept ?? join;
  }

  #openRows(name: string, schema: RowSchema, next: Downstream): MaterializedOutput {
    const key = schema.keyColumns.map((i) => schema.columns[i]!);
    return new MaterializedOutput(this.#open(name, key, [...schema.columns, rowtime]), next);
  }

  #name(operator: string): string {
    return `q${this.#env.queryId}_${operator}${this.#operators++}`;
  }
  #operators = 0;

  #open(name: string, key: readonly Column[], value: readonly Column[]): KeyedState {
    const { code, value: max } = bounds.sqlColumns;
    if (key.length + value.length > max)
      throw new AppError(code, `the query keeps rows of ${key.length + value.length} columns`, {
        hint: `${max} at most`,
      });
    this.states.push(name);
    return this.#env.state({ name, key, value });
  }

  /** The options for an expression, after a note of whether it reads ROWTIME. */
  #expression(expr: Expr): CompileOptions {
    this.usesRowtime ||= readsRowtime(expr);
    return this.#options;
  }
}

const count: Column = { name: 'count', type: { kind: 'BIGINT' } };
const rowtime: Column = { name: 'rowtime', type: { kind: 'BIGINT' } };

function indexKey(node: NodeOf<'table-join'>): readonly Column[] {
  const { columns, keyColumns } = node.left.schema;
  return [{ name: 'foreign_key', type: node.leftKey.type }, ...keyColumns.map((i) => columns[i]!)];
}

/** Where each key column of a projection's input stands in the projection's key (the same columns, perhaps in another order). */
function keyOrder(node: NodeOf<'project'>): readonly number[] {
  const inputKey = node.input.schema.keyColumns;
  const expressions = node.schema.keyColumns.map((i) => node.columns[i]!);
  const places = inputKey.map((index) =>
    expressions.findIndex((expr) => expr.kind === 'column' && expr.index === index),
  );
  return places.includes(-1) ? inputKey.map((_, place) => place) : places;
}

export function readsRowtime(expr: Expr): boolean {
  switch (expr.kind) {
    case 'rowtime':
      return true;
    case 'column':
    case 'literal':
      return false;
    case 'arithmetic':
    case 'compare':
    case 'and':
    case 'or':
      return readsRowtime(expr.left) || readsRowtime(expr.right);
    case 'negate':
    case 'not':
    case 'is-null':
    case 'cast':
      return readsRowtime(expr.arg);
    case 'in':
      return readsRowtime(expr.arg) || expr.list.some(readsRowtime);
    case 'like':
      return readsRowtime(expr.arg) || readsRowtime(expr.pattern);
    case 'case':
      return (
        expr.whens.some(({ when, then }) => readsRowtime(when) || readsRowtime(then)) ||
        (expr.otherwise !== null && readsRowtime(expr.otherwise))
      );
    case 'call':
      return expr.args.some(readsRowtime);
    default:
      return unreachable(expr);
  }
}
