// Short hands for plans and expressions, as the planner would make them, and a harness that runs one topology over base tables
// in memory: the base tables hold the rows, the sink's table is folded from the commands that come out.
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  INTEGER,
  STRING,
  type Column,
  type DataType,
  type Row,
  type RowSchema,
  type Value,
} from '../../src/core/data-type.js';
import { compareRows } from '../../src/core/compare.js';
import type { Change } from '../../src/dataflow/change.js';
import { compileTopology, type Topology } from '../../src/dataflow/topology.js';
import type { TopologyEnv } from '../../src/dataflow/topology-env.js';
import type {
  AggregateCall,
  ArithmeticOp,
  CompareOp,
  Expr,
  PlanNode,
  QueryPlan,
  SourceKind,
} from '../../src/sql/plan.js';
import { MemoryStates } from './memory-state.js';

export const columns = (types: Readonly<Record<string, DataType>>): readonly Column[] =>
  Object.entries(types).map(([name, type]) => ({ name, type }));

export const schema = (types: Readonly<Record<string, DataType>>, keyColumns: readonly number[] = [0]): RowSchema => ({
  columns: columns(types),
  keyColumns,
});

export const col = (index: number, type: DataType): Expr => ({ kind: 'column', index, type });
export const lit = (value: Value, type: DataType): Expr => ({ kind: 'literal', value, type });
export const int = (value: number | null): Expr => lit(value, INTEGER);
export const big = (value: number | bigint | null): Expr => lit(value, BIGINT);
export const dbl = (value: number | null): Expr => lit(value, DOUBLE);
export const str = (value: string | null): Expr => lit(value, STRING);
export const bool = (value: boolean | null): Expr => lit(value, BOOLEAN);
export const dec = (value: number | bigint | null, precision: number, scale: number): Expr =>
  lit(value, { kind: 'DECIMAL', precision, scale });
export const arithmetic = (op: ArithmeticOp, left: Expr, right: Expr, type: DataType = left.type): Expr => ({
  kind: 'arithmetic',
  op,
  left,
  right,
  type,
});
export const compare = (op: CompareOp, left: Expr, right: Expr): Expr => ({
  kind: 'compare',
  op,
  left,
  right,
  type: BOOLEAN,
});
export const and = (left: Expr, right: Expr): Expr => ({ kind: 'and', left, right, type: BOOLEAN });
export const or = (left: Expr, right: Expr): Expr => ({ kind: 'or', left, right, type: BOOLEAN });
export const not = (arg: Expr): Expr => ({ kind: 'not', arg, type: BOOLEAN });
export const isNull = (arg: Expr, negated = false): Expr => ({ kind: 'is-null', arg, negated, type: BOOLEAN });
export const cast = (arg: Expr, type: DataType): Expr => ({ kind: 'cast', arg, type });

export const source = (name: string, rowSchema: RowSchema, sourceKind: SourceKind = 'table'): PlanNode => ({
  kind: 'source',
  name,
  sourceKind,
  schema: rowSchema,
});
export const filter = (input: PlanNode, predicate: Expr): PlanNode => ({
  kind: 'filter',
  input,
  predicate,
  schema: input.schema,
});
export const project = (input: PlanNode, expressions: readonly Expr[], rowSchema: RowSchema): PlanNode => ({
  kind: 'project',
  input,
  columns: expressions,
  schema: rowSchema,
});

export const call = (name: string, type: DataType, ...args: Expr[]): AggregateCall => ({ name, args, type });
export const aggregate = (
  input: PlanNode,
  groupBy: readonly Expr[],
  aggregates: readonly AggregateCall[],
): PlanNode => ({
  kind: 'aggregate',
  input,
  groupBy,
  aggregates,
  schema: {
    columns: [...groupBy, ...aggregates].map(({ type }, i) => ({ name: `c${i}`, type })),
    keyColumns: groupBy.map((_, i) => i),
  },
});

type Join = Extract<PlanNode, { kind: 'table-join' }>;
export const join = (joinType: Join['joinType'], left: PlanNode, right: PlanNode, foreignKey?: Expr): PlanNode => {
  const appendsKey = joinType === 'right' || joinType === 'outer';
  const both = [...left.schema.columns, ...right.schema.columns];
  const leftKey = left.schema.keyColumns[0]!;
  const type = left.schema.columns[leftKey]!.type;
  return {
    kind: 'table-join',
    joinType,
    left,
    right,
    leftKey: foreignKey ?? col(leftKey, type),
    foreignKey: foreignKey !== undefined,
    schema: appendsKey
      ? { columns: [...both, { name: 'rowkey', type }], keyColumns: [both.length] }
      : { columns: both, keyColumns: left.schema.keyColumns },
  };
};

export function planOf(root: PlanNode): QueryPlan {
  const sources = new Set<string>();
  const visit = (node: PlanNode): SourceKind => {
    switch (node.kind) {
      case 'source':
        sources.add(node.name);
        return node.sourceKind;
      case 'filter':
      case 'project':
        return visit(node.input);
      case 'aggregate':
        visit(node.input);
        return 'table';
      case 'table-join':
        visit(node.left);
        visit(node.right);
        return 'table';
    }
  };
  return { root, resultKind: visit(root), sources: [...sources] };
}

/** Rows by key, in key order when asked. */
export class MemoryTable {
  readonly schema: RowSchema;
  readonly #rows = new Map<string, { readonly row: Row; readonly rowtimeMs: number }>();

  constructor(rowSchema: RowSchema) {
    this.schema = rowSchema;
  }

  keyOf(row: Row): Row {
    return this.schema.keyColumns.map((i) => row[i]!);
  }
  get(key: Row): Row | undefined {
    return this.#rows.get(text(key))?.row;
  }
  rowtime(key: Row): number | undefined {
    return this.#rows.get(text(key))?.rowtimeMs;
  }
  put(row: Row, rowtimeMs: number): void {
    this.#rows.set(text(this.keyOf(row)), { row, rowtimeMs });
  }
  delete(key: Row): boolean {
    return this.#rows.delete(text(key));
  }
  rows(): readonly Row[] {
    return [...this.#rows.values()].map(({ row }) => row).toSorted((a, b) => compareRows(this.keyOf(a), this.keyOf(b)));
  }
}

function text(key: Row): string {
  return key
    .map((part) => `${typeof part} ${Buffer.isBuffer(part) ? part.toString('hex') : String(part as string)}`)
    .join('\u0000');
}

export interface HarnessOptions {
  readonly strict?: boolean | undefined;
  readonly checks?: boolean | undefined;
  /** Instead of states in memory. */
  readonly openState?: TopologyEnv['state'] | undefined;
}

/** One query over base tables in memory. */
export class QueryHarness {
  readonly tables = new Map<string, MemoryTable>();
  readonly states: MemoryStates;
  readonly topology: Topology;
  readonly sink: MemoryTable;
  readonly errors: string[] = [];
  /** What came out of the newest change. */
  out: Change[] = [];
  readonly #isTable: boolean;

  constructor(root: PlanNode, options: HarnessOptions = {}) {
    const plan = planOf(root);
    this.states = new MemoryStates(options.checks ?? true);
    this.#isTable = plan.resultKind === 'table';
    const visit = (node: PlanNode): void => {
      if (node.kind === 'source') this.tables.set(node.name, new MemoryTable(node.schema));
      else if (node.kind === 'table-join') [node.left, node.right].forEach(visit);
      else visit(node.input);
    };
    visit(root);
    const env: TopologyEnv = {
      queryId: '1',
      state: options.openState ?? this.states.open,
      lookup: (name, key) => this.tables.get(name)!.get(key),
      rowtime: (name, key) => this.tables.get(name)!.rowtime(key),
      onError: (reason) => this.errors.push(reason),
      strict: options.strict,
    };
    this.topology = compileTopology(plan, env);
    this.sink = new MemoryTable(root.schema);
  }

  upsert(name: string, row: Row, rowtimeMs = 0): readonly Change[] {
    const table = this.tables.get(name)!;
    const key = table.keyOf(row);
    const before = table.get(key) ?? null;
    const beforeRowtimeMs = table.rowtime(key);
    table.put(row, rowtimeMs);
    return this.accept(name, { before, after: row, rowtimeMs, beforeRowtimeMs });
  }

  remove(name: string, key: Row, rowtimeMs = 0): readonly Change[] {
    const table = this.tables.get(name)!;
    const before = table.get(key);
    if (before === undefined) return [];
    const beforeRowtimeMs = table.rowtime(key);
    table.delete(key);
    return this.accept(name, { before, after: null, rowtimeMs, beforeRowtimeMs });
  }

  fact(name: string, row: Row, rowtimeMs = 0): readonly Change[] {
    return this.accept(name, { before: null, after: row, rowtimeMs });
  }

  accept(name: string, change: Change): readonly Change[] {
    this.out = [];
    this.topology.accept(name, change, (output) => {
      this.out.push(output);
      if (!this.#isTable) return;
      if (output.after !== null) this.sink.put(output.after, output.rowtimeMs);
      else this.sink.delete(this.sink.keyOf(output.before!));
    });
    return this.out;
  }
}
