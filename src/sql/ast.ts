// The syntax tree: what a statement says, before anything is known of its meaning. Plain nodes with a tag and a place. Names
// keep their spelling; strict mode folds them before analysis (analyze/fold-names.ts).
import type { Place } from './sql-error.js';

export interface Name {
  readonly kind: 'name';
  readonly text: string;
  readonly quoted: boolean;
  readonly place: Place;
}

// --- expressions

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '||';
export type ComparisonOp = '=' | '<>' | '<' | '<=' | '>' | '>=' | 'IS DISTINCT FROM' | 'IS NOT DISTINCT FROM';

interface Node {
  readonly place: Place;
}

export type Literal =
  | (Node & { readonly kind: 'null' })
  | (Node & { readonly kind: 'boolean'; readonly value: boolean })
  | (Node & { readonly kind: 'string'; readonly value: string })
  /** The number's text, `-` included; its form says the type: integer, decimal or double. */
  | (Node & { readonly kind: 'integer' | 'decimal' | 'double'; readonly text: string });

export type Expression =
  | Literal
  | (Node & { readonly kind: 'column'; readonly source: Name | null; readonly name: Name })
  | (Node & { readonly kind: 'unary'; readonly op: '-' | '+'; readonly arg: Expression })
  | (Node & { readonly kind: 'binary'; readonly op: BinaryOp; readonly left: Expression; readonly right: Expression })
  | (Node & {
      readonly kind: 'compare';
      readonly op: ComparisonOp;
      readonly left: Expression;
      readonly right: Expression;
    })
  | (Node & {
      readonly kind: 'logical';
      readonly op: 'AND' | 'OR';
      readonly left: Expression;
      readonly right: Expression;
    })
  | (Node & { readonly kind: 'not'; readonly arg: Expression })
  | (Node & {
      readonly kind: 'between';
      readonly arg: Expression;
      readonly lower: Expression;
      readonly upper: Expression;
      readonly negated: boolean;
    })
  | (Node & {
      readonly kind: 'in';
      readonly arg: Expression;
      readonly list: readonly Expression[];
      readonly negated: boolean;
    })
  | (Node & {
      readonly kind: 'like';
      readonly arg: Expression;
      readonly pattern: Expression;
      readonly escape: string | null;
      readonly negated: boolean;
    })
  | (Node & { readonly kind: 'is-null'; readonly arg: Expression; readonly negated: boolean })
  | (Node & {
      readonly kind: 'case';
      readonly operand: Expression | null;
      readonly whens: readonly { readonly condition: Expression; readonly result: Expression }[];
      readonly otherwise: Expression | null;
    })
  | (Node & { readonly kind: 'cast'; readonly arg: Expression; readonly type: TypeNode })
  /** `DATE '2020-01-01'` */
  | (Node & { readonly kind: 'typed-literal'; readonly type: Name; readonly text: string })
  /** `star`: COUNT(*). */
  | (Node & {
      readonly kind: 'call';
      readonly name: Name;
      readonly args: readonly Expression[];
      readonly star: boolean;
    })
  | (Node & { readonly kind: 'lambda'; readonly params: readonly Name[]; readonly body: Expression })
  | (Node & { readonly kind: 'array'; readonly items: readonly Expression[] })
  | (Node & {
      readonly kind: 'map';
      readonly entries: readonly { readonly key: Expression; readonly value: Expression }[];
    })
  | (Node & {
      readonly kind: 'struct';
      readonly fields: readonly { readonly name: Name; readonly value: Expression }[];
    })
  | (Node & { readonly kind: 'subscript'; readonly base: Expression; readonly index: Expression })
  | (Node & { readonly kind: 'field'; readonly base: Expression; readonly name: Name });

export type ColumnRef = Extract<Expression, { kind: 'column' }>;

// --- types

export type TypeNode =
  /** A base type or a custom one; DECIMAL(4, 2) has two parameters, TIMESTAMP(6) one. */
  | (Node & { readonly kind: 'named-type'; readonly name: Name; readonly params: readonly number[] })
  | (Node & { readonly kind: 'array-type'; readonly element: TypeNode })
  | (Node & { readonly kind: 'map-type'; readonly key: TypeNode; readonly value: TypeNode })
  | (Node & {
      readonly kind: 'struct-type';
      readonly fields: readonly { readonly name: Name; readonly type: TypeNode }[];
    });

// --- queries

export type SelectItem =
  | (Node & { readonly kind: 'item'; readonly expression: Expression; readonly alias: Name | null })
  /** `*` or `t.*` */
  | (Node & { readonly kind: 'star'; readonly source: Name | null })
  /** `s->*` */
  | (Node & { readonly kind: 'struct-star'; readonly base: Expression });

export interface SourceRef extends Node {
  readonly kind: 'source';
  readonly name: Name;
  readonly alias: Name | null;
}

export interface Duration {
  readonly amount: number;
  /** Upper case, plural: SECONDS. */
  readonly unit: 'MILLISECONDS' | 'SECONDS' | 'MINUTES' | 'HOURS' | 'DAYS';
}

export type JoinType = 'inner' | 'left' | 'right' | 'outer';

export interface Join extends Node {
  readonly kind: 'join';
  readonly type: JoinType;
  readonly source: SourceRef;
  readonly within: { readonly before: Duration; readonly after: Duration; readonly grace: Duration | null } | null;
  readonly on: Expression;
}

export interface WindowNode extends Node {
  readonly kind: 'window';
  readonly type: 'TUMBLING' | 'HOPPING' | 'SESSION';
  readonly size: Duration;
  readonly advance: Duration | null;
  readonly retention: Duration | null;
  readonly grace: Duration | null;
}

export interface Grouping extends Node {
  readonly expressions: readonly Expression[];
}

export interface Query extends Node {
  readonly kind: 'query';
  readonly distinct: boolean;
  readonly select: readonly SelectItem[];
  readonly from: SourceRef;
  readonly joins: readonly Join[];
  readonly window: WindowNode | null;
  readonly where: Expression | null;
  readonly groupBy: Grouping | null;
  readonly partitionBy: Grouping | null;
  readonly having: Expression | null;
  /** An extension; ksqlDB has none. */
  readonly orderBy:
    (Node & { readonly items: readonly { readonly expression: Expression; readonly descending: boolean }[] }) | null;
  readonly emit: (Node & { readonly mode: 'CHANGES' | 'FINAL' }) | null;
  readonly limit: (Node & { readonly count: Literal }) | null;
  readonly offset: (Node & { readonly count: Literal }) | null;
}

// --- statements

export interface Property {
  readonly name: Name;
  readonly value: Literal;
}

export interface ColumnDef extends Node {
  readonly name: Name;
  readonly type: TypeNode;
  readonly role: 'value' | 'key' | 'primary-key' | 'headers' | 'header';
  /** HEADER('key') */
  readonly header: string | null;
}

export type SourceWord = 'STREAM' | 'TABLE';

export type StatementNode =
  | Query
  | (Node & {
      readonly kind: 'create-source';
      readonly type: SourceWord;
      readonly orReplace: boolean;
      readonly readOnly: boolean;
      readonly ifNotExists: boolean;
      readonly name: Name;
      readonly columns: readonly ColumnDef[];
      readonly properties: readonly Property[];
    })
  | (Node & {
      readonly kind: 'create-as';
      readonly type: SourceWord;
      readonly orReplace: boolean;
      readonly ifNotExists: boolean;
      readonly name: Name;
      readonly properties: readonly Property[];
      readonly query: Query;
    })
  | (Node & {
      readonly kind: 'create-connector';
      readonly direction: 'SOURCE' | 'SINK';
      readonly ifNotExists: boolean;
      readonly name: Name;
      readonly properties: readonly Property[];
    })
  | (Node & {
      readonly kind: 'create-type';
      readonly ifNotExists: boolean;
      readonly name: Name;
      readonly type: TypeNode;
    })
  | (Node & {
      readonly kind: 'insert-values';
      readonly target: Name;
      readonly columns: readonly Name[] | null;
      readonly values: readonly Expression[];
    })
  | (Node & {
      readonly kind: 'insert-select';
      readonly target: Name;
      readonly properties: readonly Property[];
      readonly query: Query;
    })
  | (Node & {
      readonly kind: 'drop';
      readonly type: SourceWord | 'CONNECTOR' | 'TYPE';
      readonly ifExists: boolean;
      readonly name: Name;
      readonly deleteTopic: boolean;
    })
  | (Node & {
      readonly kind: 'alter';
      readonly type: SourceWord;
      readonly name: Name;
      readonly columns: readonly { readonly name: Name; readonly type: TypeNode }[];
    })
  /** `name` null: ALL. */
  | (Node & {
      readonly kind: 'query-control';
      readonly action: 'TERMINATE' | 'PAUSE' | 'RESUME';
      readonly name: Name | null;
    })
  | (Node & { readonly kind: 'show'; readonly what: ShowWhat; readonly all: boolean; readonly extended: boolean })
  | (Node & {
      readonly kind: 'describe';
      readonly what: DescribeWhat;
      readonly name: Name | null;
      readonly extended: boolean;
    })
  | (Node & { readonly kind: 'explain'; readonly name: Name | null; readonly statement: StatementNode | null })
  | (Node & { readonly kind: 'set-property'; readonly system: boolean; readonly name: string; readonly value: string })
  | (Node & { readonly kind: 'unset-property'; readonly name: string })
  | (Node & { readonly kind: 'define'; readonly name: Name; readonly value: string })
  | (Node & { readonly kind: 'undefine'; readonly name: Name })
  | (Node & {
      readonly kind: 'print';
      readonly topic: Name;
      readonly fromBeginning: boolean;
      readonly interval: Literal | null;
      readonly limit: Literal | null;
    })
  | (Node & {
      readonly kind: 'assert-topic';
      readonly exists: boolean;
      readonly topic: Name;
      readonly properties: readonly Property[];
      readonly timeout: Duration | null;
    })
  | (Node & {
      readonly kind: 'assert-schema';
      readonly exists: boolean;
      readonly subject: Name | null;
      readonly id: Literal | null;
      readonly timeout: Duration | null;
    });

export type ShowWhat =
  | 'PROPERTIES'
  | 'TOPICS'
  | 'STREAMS'
  | 'TABLES'
  | 'FUNCTIONS'
  | 'CONNECTORS'
  | 'SOURCE CONNECTORS'
  | 'SINK CONNECTORS'
  | 'CONNECTOR PLUGINS'
  | 'TYPES'
  | 'VARIABLES'
  | 'QUERIES';
export type DescribeWhat = 'SOURCE' | 'STREAMS' | 'TABLES' | 'FUNCTION' | 'CONNECTOR';
