// The plan: what a statement means, as data, with every name resolved and every expression typed. Made by analyze and planner,
// run by dataflow (persistent and push queries) and query/pull. Frozen, serialisable, printed by explain. A node's output
// columns are `schema.columns`; an expression over a node refers to them by index.
//
// What the planner promises about types, so that the evaluator never has to convert on its own: both sides of a `compare` have
// one type or are numbers, which compare by value whatever their types; the argument and all items of an `in`, and all branches
// of a `case` have one type (casts are inserted); the operands of an `arithmetic` have the result's type, except DECIMAL, whose
// operands are DECIMALs with precision and scale of their own; a
// string `+` or `||` is a `call` of `||`; field access, subscripts and constructors are `call`s too (functions/structure.ts).
// A literal null has the type that its place asks for.
import type { Column, DataType, RowSchema, Value } from '../core/data-type.js';
import type { AskedRetention } from '../core/topic-retention.js';

export type CompareOp = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'is distinct from' | 'is not distinct from';
export type ArithmeticOp = '+' | '-' | '*' | '/' | '%';

/** A typed expression. Three-valued logic: a BOOLEAN may be null. */
export type Expr =
  | { readonly kind: 'column'; readonly index: number; readonly type: DataType }
  /** The record's timestamp, ms, BIGINT. */
  | { readonly kind: 'rowtime'; readonly type: DataType }
  | { readonly kind: 'literal'; readonly value: Value; readonly type: DataType }
  | {
      readonly kind: 'arithmetic';
      readonly op: ArithmeticOp;
      readonly left: Expr;
      readonly right: Expr;
      readonly type: DataType;
    }
  | { readonly kind: 'negate'; readonly arg: Expr; readonly type: DataType }
  | {
      readonly kind: 'compare';
      readonly op: CompareOp;
      readonly left: Expr;
      readonly right: Expr;
      readonly type: DataType;
    }
  | { readonly kind: 'and' | 'or'; readonly left: Expr; readonly right: Expr; readonly type: DataType }
  | { readonly kind: 'not'; readonly arg: Expr; readonly type: DataType }
  | { readonly kind: 'is-null'; readonly arg: Expr; readonly negated: boolean; readonly type: DataType }
  | {
      readonly kind: 'in';
      readonly arg: Expr;
      readonly list: readonly Expr[];
      readonly negated: boolean;
      readonly type: DataType;
    }
  | {
      readonly kind: 'like';
      readonly arg: Expr;
      readonly pattern: Expr;
      readonly escape: string | null;
      readonly negated: boolean;
      readonly type: DataType;
    }
  | {
      readonly kind: 'case';
      readonly whens: readonly { readonly when: Expr; readonly then: Expr }[];
      readonly otherwise: Expr | null;
      readonly type: DataType;
    }
  | { readonly kind: 'cast'; readonly arg: Expr; readonly type: DataType }
  /** A scalar function of sql/functions, by its upper-case name; arguments already cast to what the body takes. */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[]; readonly type: DataType };

export interface AggregateCall {
  /** COUNT, SUM, MIN, MAX: upper case; `COUNT` without argument is COUNT(*). */
  readonly name: string;
  readonly args: readonly Expr[];
  readonly type: DataType;
}

export type SourceKind = 'stream' | 'table';

/** A running query's graph, from its sink to its sources. */
export type PlanNode =
  | { readonly kind: 'source'; readonly name: string; readonly sourceKind: SourceKind; readonly schema: RowSchema }
  | { readonly kind: 'filter'; readonly input: PlanNode; readonly predicate: Expr; readonly schema: RowSchema }
  /** Key columns of the output stand for the same key as the input's (projection never changes the key; PARTITION BY does). */
  | {
      readonly kind: 'project';
      readonly input: PlanNode;
      readonly columns: readonly Expr[];
      readonly schema: RowSchema;
    }
  /** Output columns: groupBy expressions, then aggregates; key = the groupBy expressions. HAVING is a filter above it. */
  | {
      readonly kind: 'aggregate';
      readonly input: PlanNode;
      readonly groupBy: readonly Expr[];
      readonly aggregates: readonly AggregateCall[];
      readonly schema: RowSchema;
    }
  /**
   * Table-table join. `leftKey` is over the left input; it equals the right's key (one column). When it is the left's own key the
   * join is 1:1 (all types), else a foreign-key join (inner, left): output key = left key. Output columns: left's, then right's.
   * For `right` and `outer` one more column follows, the row's key itself (either side may be missing), and it alone is the
   * schema's key.
   */
  | {
      readonly kind: 'table-join';
      readonly joinType: 'inner' | 'left' | 'right' | 'outer';
      readonly left: PlanNode;
      readonly right: PlanNode;
      readonly leftKey: Expr;
      readonly foreignKey: boolean;
      readonly schema: RowSchema;
    };

export interface QueryPlan {
  readonly root: PlanNode;
  readonly resultKind: SourceKind;
  /** Names of the streams and tables read, upper-case-insensitive, as defined. */
  readonly sources: readonly string[];
}

/** A pull query over one table (or stream): what is pushed down, and what the evaluator does. */
export interface PullPlan {
  readonly source: string;
  readonly schema: RowSchema;
  /** Alternatives whose union covers the result, in key order without overlap; one `scan` without bounds when nothing is pinned. */
  readonly accesses: readonly PullAccess[];
  readonly predicate: Expr | null;
  readonly columns: readonly Expr[];
  readonly output: readonly (Column & { readonly isKey: boolean })[];
  readonly limit: number | null;
}

export type PullAccess =
  | { readonly kind: 'key'; readonly key: readonly Value[] }
  | {
      readonly kind: 'range';
      readonly prefix: readonly Value[];
      readonly lower: { readonly value: Value; readonly inclusive: boolean } | null;
      readonly upper: { readonly value: Value; readonly inclusive: boolean } | null;
    };

export interface SourceProperties {
  readonly topic: string;
  readonly keyFormat: FormatName;
  readonly valueFormat: FormatName;
  readonly partitions: number | null;
  /** The column that gives ROWTIME, by name. */
  readonly timestampColumn: string | null;
  /** Of a text, the pattern that it is written by (Java's DateTimeFormatter). */
  readonly timestampFormat?: string | null;
}
export type FormatName = 'JSON' | 'AVRO' | 'PROTOBUF' | 'KAFKA';

/** A statement after analysis. */
export type Statement =
  | {
      readonly kind: 'create-source';
      readonly sourceKind: SourceKind;
      readonly name: string;
      readonly schema: RowSchema;
      readonly properties: SourceProperties;
      /** Of the topic that it makes, or finds. */
      readonly retention: AskedRetention;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      /** CREATE SOURCE TABLE/STREAM: read-only. */
      readonly readOnly: boolean;
    }
  | {
      readonly kind: 'create-as';
      readonly sourceKind: SourceKind;
      readonly name: string;
      readonly schema: RowSchema;
      readonly properties: SourceProperties;
      readonly retention: AskedRetention;
      readonly plan: QueryPlan;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
    }
  | {
      readonly kind: 'drop';
      readonly sourceKind: SourceKind;
      readonly name: string;
      readonly ifExists: boolean;
      readonly deleteTopic: boolean;
    }
  | {
      readonly kind: 'insert-values';
      readonly target: string;
      readonly rowtime: number | null;
      readonly row: readonly Value[];
    }
  | { readonly kind: 'terminate'; readonly queryId: string | null }
  | { readonly kind: 'pause' | 'resume'; readonly queryId: string | null }
  | {
      readonly kind: 'show';
      readonly what:
        'streams' | 'tables' | 'topics' | 'queries' | 'properties' | 'functions' | 'variables' | 'types' | 'connectors';
      readonly extended: boolean;
    }
  | { readonly kind: 'describe'; readonly name: string; readonly extended: boolean }
  | {
      readonly kind: 'explain';
      readonly query: string | null;
      readonly plan: QueryPlan | null;
      /** `plan` is that of a SELECT with EMIT: nothing would go on running. */
      readonly push?: boolean | undefined;
      /** Of a SELECT without EMIT. */
      readonly pull?: PullPlan | undefined;
    }
  | { readonly kind: 'set' | 'unset' | 'define' | 'undefine'; readonly name: string; readonly value: string | null }
  | { readonly kind: 'pull'; readonly plan: PullPlan }
  | { readonly kind: 'push'; readonly plan: QueryPlan; readonly limit: number | null };

/** What the analyser may know of the world: the catalogue as of the statement. Names resolve without regard to case. */
export interface SourceDefinition {
  /** As defined. */
  readonly name: string;
  readonly sourceKind: SourceKind;
  readonly schema: RowSchema;
  readonly properties: SourceProperties;
  /** Name of the query that writes it, for a derived source. */
  readonly writtenBy: string | null;
  readonly readOnly: boolean;
}
export interface CatalogView {
  find(name: string): SourceDefinition | undefined;
  all(): readonly SourceDefinition[];
}
