// Random plans of the first cut, each with the same query as text for plain SQLite. Only what both define alike is drawn: no
// overflow, no division inside an expression (a failing one is NULL as a whole here, only in its place there).
import fc from 'fast-check';
import { BIGINT, BOOLEAN, DOUBLE, INTEGER, STRING, type DataType, type RowSchema } from '../../src/core/data-type.js';
import type { AggregateCall, Expr, PlanNode } from '../../src/sql/plan.js';
import {
  aggregate,
  and,
  arithmetic,
  big,
  bool,
  cast,
  col,
  compare,
  dbl,
  filter,
  isNull,
  join,
  not,
  or,
  project,
  schema,
  source,
  str,
} from './plans.js';

/** A typed expression and the same for SQLite. */
export interface Sql<T> {
  readonly it: T;
  readonly sql: string;
}
type SqlExpr = Sql<Expr>;
/** Its columns are named c0, c1, ... in SQL. */
export type SqlNode = Sql<PlanNode>;

export const schemaA: RowSchema = schema({ id: INTEGER, g: INTEGER, x: BIGINT, d: DOUBLE, s: STRING, b: INTEGER });
export const schemaB: RowSchema = schema({ id: INTEGER, h: INTEGER, y: BIGINT, t: STRING });

const comparisons = ['=', '<>', '<', '<=', '>', '>='] as const;
// Strings beyond the basic plane sort behind U+FFFD by code point, before it by UTF-16 unit.
export const strings = ['', 'a', 'ab', 'A', 'b%', 'b_', '\uFFFD', '\u{1F600}', 'é'];
const patterns = ['%', 'a%', '%b', '%a%', 'a_', '_', '_%b', '', 'b!%', '%\u{1F600}'];

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

function pick(node: SqlNode, ...kinds: DataType['kind'][]): readonly SqlExpr[] {
  const found: SqlExpr[] = [];
  for (const [i, { type }] of node.it.schema.columns.entries()) {
    if (kinds.includes(type.kind)) found.push({ it: col(i, type), sql: `c${i}` });
  }
  return found;
}

function integers(node: SqlNode, depth: number): fc.Arbitrary<SqlExpr> {
  const literal = fc.integer({ min: -3, max: 9 }).map((n) => ({ it: big(n), sql: `(${n})` }));
  const found = pick(node, 'INTEGER', 'BIGINT');
  const leaf = found.length === 0 ? literal : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...found) }, literal);
  if (depth === 0) return leaf;
  const sub = integers(node, depth - 1);
  const binary = fc.tuple(fc.constantFrom('+', '-', '*'), sub, sub).map(([op, l, r]) => ({
    it: arithmetic(op as '+', l.it, r.it, BIGINT),
    sql: `(${l.sql} ${op} ${r.sql})`,
  }));
  const rest = sub.map((l) => ({ it: arithmetic('%', l.it, big(3), BIGINT), sql: `(${l.sql} % 3)` }));
  const negative = sub.map((l) => ({
    it: { kind: 'negate', arg: cast(l.it, BIGINT), type: BIGINT } satisfies Expr,
    sql: `(- ${l.sql})`,
  }));
  const choice = fc
    .tuple(conditions(node, depth - 1), sub, fc.option(sub, { nil: null }))
    .map(([when, then, otherwise]) => ({
      it: {
        kind: 'case',
        // oxlint-disable-next-line unicorn/no-thenable -- the plan's own field
        whens: [{ when: when.it, then: then.it }],
        otherwise: otherwise?.it ?? null,
        type: BIGINT,
      } satisfies Expr,
      sql: `CASE WHEN ${when.sql} THEN ${then.sql} ${otherwise ? `ELSE ${otherwise.sql}` : ''} END`,
    }));
  return fc.oneof(leaf, binary, rest, negative, choice);
}

function texts(node: SqlNode): fc.Arbitrary<SqlExpr> {
  const literal = fc.constantFrom(...strings).map((value) => ({ it: str(value), sql: text(value) }));
  const found = pick(node, 'STRING');
  return found.length === 0 ? literal : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...found) }, literal);
}

function doubles(node: SqlNode): fc.Arbitrary<SqlExpr> {
  const literal = fc
    .constantFrom(-1.5, 0, 0.1, 1e6)
    .map((value) => ({ it: dbl(value), sql: `CAST(${value} AS REAL)` }));
  const found = pick(node, 'DOUBLE');
  return found.length === 0 ? literal : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...found) }, literal);
}

export function conditions(node: SqlNode, depth: number): fc.Arbitrary<SqlExpr> {
  const compared = (side: fc.Arbitrary<SqlExpr>): fc.Arbitrary<SqlExpr> =>
    fc.tuple(fc.constantFrom(...comparisons), side, side).map(([op, l, r]) => ({
      it: compare(op, l.it, r.it),
      sql: `(${l.sql} ${op} ${r.sql})`,
    }));
  const distinct = fc.tuple(integers(node, 0), integers(node, 0)).map(([l, r]) => ({
    it: compare('is distinct from', l.it, r.it),
    sql: `(${l.sql} IS NOT ${r.sql})`,
  }));
  const nulls = fc
    .tuple(fc.constantFrom(...pick(node, 'INTEGER', 'BIGINT', 'DOUBLE', 'STRING')), fc.boolean())
    .map(([c, negated]) => ({
      it: isNull(c.it, negated),
      sql: `(${c.sql} IS ${negated ? 'NOT ' : ''}NULL)`,
    }));
  const list = fc
    .tuple(integers(node, 0), fc.array(integers(node, 0), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([arg, items, negated]) => ({
      it: {
        kind: 'in',
        arg: cast(arg.it, BIGINT),
        list: items.map((item) => cast(item.it, BIGINT)),
        negated,
        type: BOOLEAN,
      } satisfies Expr,
      sql: `(${arg.sql} ${negated ? 'NOT ' : ''}IN (${items.map((item) => item.sql).join(', ')}))`,
    }));
  const likes = fc.tuple(texts(node), fc.constantFrom(...patterns), fc.boolean()).map(([arg, pattern, negated]) => ({
    it: { kind: 'like', arg: arg.it, pattern: str(pattern), escape: '!', negated, type: BOOLEAN } satisfies Expr,
    sql: `(${arg.sql} ${negated ? 'NOT ' : ''}LIKE ${text(pattern)} ESCAPE '!')`,
  }));
  const literal = fc
    .constantFrom(true, false, null)
    .map((value) => ({ it: bool(value), sql: value === null ? 'NULL' : String(value) }));
  const leaf = fc.oneof(
    { weight: 4, arbitrary: compared(integers(node, depth === 0 ? 0 : 1)) },
    { weight: 2, arbitrary: compared(texts(node)) },
    compared(doubles(node)),
    distinct,
    nulls,
    list,
    likes,
    literal,
  );
  if (depth === 0) return leaf;
  const sub = conditions(node, depth - 1);
  return fc.oneof(
    leaf,
    fc.tuple(sub, sub).map(([l, r]) => ({ it: and(l.it, r.it), sql: `(${l.sql} AND ${r.sql})` })),
    fc.tuple(sub, sub).map(([l, r]) => ({ it: or(l.it, r.it), sql: `(${l.sql} OR ${r.sql})` })),
    sub.map((l) => ({ it: not(l.it), sql: `(NOT ${l.sql})` })),
  );
}

export function base(name: string, rowSchema: RowSchema): SqlNode {
  const list = rowSchema.columns.map((column, i) => `${column.name} AS c${i}`);
  return { it: source(name, rowSchema), sql: `SELECT ${list.join(', ')} FROM ${name}` };
}

export const filtered = (node: SqlNode): fc.Arbitrary<SqlNode> =>
  conditions(node, 1).map((condition) => ({
    it: filter(node.it, condition.it),
    sql: `SELECT * FROM (${node.sql}) WHERE ${condition.sql}`,
  }));

/** Keeps all columns (a join above refers to them) but may move them, and adds computed ones. */
const projected = (node: SqlNode, added: number): fc.Arbitrary<SqlNode> => {
  const kept = node.it.schema.columns.map(({ type }, i): SqlExpr => ({ it: col(i, type), sql: `c${i}` }));
  const expressions = fc.oneof(integers(node, 2), conditions(node, 1), texts(node), doubles(node));
  return fc.array(expressions, { maxLength: added }).map((computed) => {
    const all = [...kept, ...computed];
    const rowSchema = {
      columns: all.map(({ it }, i) => ({ name: `c${i}`, type: it.type })),
      keyColumns: node.it.schema.keyColumns,
    };
    return {
      it: project(
        node.it,
        all.map(({ it }) => it),
        rowSchema,
      ),
      sql: `SELECT ${all.map(({ sql }, i) => `${sql} AS c${i}`).join(', ')} FROM (${node.sql})`,
    };
  });
};

const maybe = (node: SqlNode, step: (node: SqlNode) => fc.Arbitrary<SqlNode>): fc.Arbitrary<SqlNode> =>
  fc.boolean().chain((does) => (does ? step(node) : fc.constant(node)));

export const side = (node: SqlNode): fc.Arbitrary<SqlNode> =>
  maybe(node, filtered).chain((input) => maybe(input, (n) => projected(n, 1)));

/** `on` is the left column that is compared with the right's key; its own key: a 1:1 join. */
export function joined(
  left: SqlNode,
  right: SqlNode,
  joinType: 'inner' | 'left' | 'right' | 'outer',
  on: number,
): SqlNode {
  const isKey = left.it.schema.keyColumns[0] === on;
  const it = join(joinType, left.it, right.it, isKey ? undefined : col(on, left.it.schema.columns[on]!.type));
  const n = left.it.schema.columns.length;
  const rightKey = right.it.schema.keyColumns[0]!;
  const list = [
    ...left.it.schema.columns.map((_, i) => `l.c${i} AS c${i}`),
    ...right.it.schema.columns.map((_, i) => `r.c${i} AS c${n + i}`),
  ];
  if (joinType === 'right' || joinType === 'outer') list.push(`COALESCE(l.c${on}, r.c${rightKey}) AS c${list.length}`);
  const words = { inner: 'JOIN', left: 'LEFT JOIN', right: 'RIGHT JOIN', outer: 'FULL JOIN' }[joinType];
  return {
    it,
    sql: `SELECT ${list.join(', ')} FROM (${left.sql}) l ${words} (${right.sql}) r ON l.c${on} = r.c${rightKey}`,
  };
}

const joins = fc
  .tuple(
    side(base('A', schemaA)),
    side(base('B', schemaB)),
    fc.constantFrom('inner', 'left', 'right', 'outer'),
    fc.boolean(),
  )
  .map(([a, b, type, foreign]) => {
    if (!foreign) return joined(a, b, type, 0);
    return joined(a, b, type === 'inner' ? 'inner' : 'left', 5);
  });

interface SqlCall {
  readonly call: AggregateCall;
  readonly sql: string;
}

function calls(node: SqlNode): fc.Arbitrary<SqlCall> {
  const counts = fc.oneof(integers(node, 1), texts(node)).map((arg) => ({
    call: { name: 'COUNT', args: [arg.it], type: BIGINT },
    sql: `COUNT(${arg.sql})`,
  }));
  const ints = fc.tuple(fc.constantFrom('SUM', 'MIN', 'MAX', 'AVG'), integers(node, 1)).map(([name, arg]) => ({
    call: { name, args: [cast(arg.it, BIGINT)], type: name === 'AVG' ? DOUBLE : BIGINT },
    // ksqlDB's sum and average of no value are 0.
    sql: name === 'SUM' || name === 'AVG' ? `COALESCE(${name}(${arg.sql}), 0)` : `${name}(${arg.sql})`,
  }));
  const reals = fc.tuple(fc.constantFrom('SUM', 'MIN', 'MAX', 'AVG'), doubles(node)).map(([name, arg]) => ({
    call: { name, args: [arg.it], type: DOUBLE },
    sql: name === 'SUM' || name === 'AVG' ? `COALESCE(${name}(${arg.sql}), 0)` : `${name}(${arg.sql})`,
  }));
  const words = fc.tuple(fc.constantFrom('MIN', 'MAX'), texts(node)).map(([name, arg]) => ({
    call: { name, args: [arg.it], type: STRING },
    sql: `${name}(${arg.sql})`,
  }));
  const all = fc.constant({ call: { name: 'COUNT', args: [], type: BIGINT }, sql: 'COUNT(*)' });
  return fc.oneof(all, counts, ints, reals, words);
}

export function aggregated(node: SqlNode): fc.Arbitrary<SqlNode> {
  const grouping = fc.oneof(integers(node, 1), texts(node));
  return fc
    .tuple(fc.array(grouping, { minLength: 1, maxLength: 2 }), fc.array(calls(node), { minLength: 1, maxLength: 4 }))
    .map(([groups, aggregates]) => {
      const list = [...groups, ...aggregates].map(({ sql }, i) => `${sql} AS c${i}`);
      // A NULL belongs to no group in ksqlDB. Grouping by position: an expression of a constant would be one.
      const inner = `SELECT *, ${groups.map(({ sql }, i) => `${sql} AS g${i}`).join(', ')} FROM (${node.sql})`;
      const names = groups.map((_, i) => `g${i}`);
      return {
        it: aggregate(
          node.it,
          groups.map(({ it }) => it),
          aggregates.map(({ call }) => call),
        ),
        sql:
          `SELECT ${list.map((item, i) => (i < groups.length ? `g${i} AS c${i}` : item)).join(', ')} FROM (${inner}) ` +
          `WHERE ${names.map((name) => `${name} IS NOT NULL`).join(' AND ')} GROUP BY ${names.join(', ')}`,
      };
    });
}

export const inputs: fc.Arbitrary<SqlNode> = fc.oneof(side(base('A', schemaA)), side(base('B', schemaB)), {
  weight: 3,
  arbitrary: joins,
});

/** In reports of failures the query is its SQL. */
const readable = (node: SqlNode): SqlNode => Object.assign(node, { [fc.toStringMethod]: () => node.sql });

/** Aggregates over groups of many rows. */
export const aggregates: fc.Arbitrary<SqlNode> = side(base('A', schemaA)).chain(aggregated).map(readable);

/** The whole query: tables, WHERE, perhaps GROUP BY and HAVING, SELECT. */
export const queries: fc.Arbitrary<SqlNode> = inputs
  .chain((node) => maybe(node, filtered))
  .chain((node) => maybe(node, aggregated))
  .chain((node) => maybe(node, filtered))
  .chain((node) => maybe(node, (n) => projected(n, 3)))
  .map(readable);
