// FROM and JOIN: which sources a query reads, what their columns are called, and what the key of the rows is.
import { printType, sameType } from '../../core/data-type.js';
import type { Expression, Join, Query, SourceRef } from '../ast.js';
import { messages } from '../messages.js';
import type { PlanNode, SourceDefinition, SourceKind } from '../plan.js';
import { joinKeyName, joinNode, sourceNode } from '../planner.js';
import { printExpression } from '../print/expression.js';
import { invalidStatement, unsupported } from '../sql-error.js';
import type { Context } from './context.js';
import type { Environment } from './environment.js';
import { analyzeExpression } from './expression.js';
import { mapColumns } from './walk.js';
import { Scope, type ScopeSource } from './scope.js';
import type { Typed } from './typed.js';

/** A column of the key: where the node has it, and which columns a projection may name for it, the best first. */
export interface KeyColumn {
  readonly index: number;
  readonly candidates: readonly number[];
  /** Both sides of a full outer join: outside strict mode their COALESCE is the key too. */
  readonly sides?: readonly [number, number];
  /** As errors call it. */
  readonly names: readonly string[];
}

export interface From {
  readonly scope: Scope;
  readonly root: PlanNode;
  readonly resultKind: SourceKind;
  readonly key: readonly KeyColumn[];
  /** What errors call the key: `key column`, `join expression`; the left table of a foreign-key join. */
  readonly keyKind: 'key column' | 'join expression' | 'foreign key';
  readonly sources: readonly SourceDefinition[];
}

export function analyzeFrom(query: Query, context: Context): From {
  const left = scopeSource(query.from, context, 0);
  const [join, ...more] = query.joins;
  if (join === undefined) return single(left, context);
  const right = scopeSource(join.source, context, left.definition.schema.columns.length);
  if (left.definition.name === right.definition.name) {
    throw invalidStatement(join.place, messages.selfJoin(left.definition.name));
  }
  checkKinds(join, left, right);
  if (more.length > 0)
    throw unsupported(more[0]!.place, 'a join of more than two sources', 'join in steps, by a table each');
  return tableJoin(join, left, right, context);
}

function scopeSource(ref: SourceRef, context: Context, offset: number): ScopeSource {
  const definition = context.source(ref.name);
  return { alias: ref.alias?.text ?? definition.name, definition, offset };
}

function single(source: ScopeSource, context: Context): From {
  const { definition } = source;
  const key = definition.schema.keyColumns.map((index) => ({
    index,
    candidates: [index],
    names: [definition.schema.columns[index]!.name],
  }));
  return {
    scope: new Scope(context, [source]),
    root: sourceNode(definition),
    resultKind: definition.sourceKind,
    key,
    keyKind: 'key column',
    sources: [definition],
  };
}

const joinWords = {
  inner: '[INNER] JOIN',
  left: 'LEFT [OUTER] JOIN',
  right: 'RIGHT [OUTER] JOIN',
  outer: '[FULL] OUTER JOIN',
};

function checkKinds(join: Join, left: ScopeSource, right: ScopeSource): void {
  if (left.definition.sourceKind === 'table' && right.definition.sourceKind === 'stream') {
    const text = messages.tableStreamJoin(left.definition.name, joinWords[join.type], right.definition.name);
    throw invalidStatement(join.place, text);
  }
  if (left.definition.sourceKind === 'stream') {
    const kind = right.definition.sourceKind === 'stream' ? 'stream-stream' : 'stream-table';
    throw unsupported(join.place, `a ${kind} join`);
  }
  if (join.within !== null) {
    throw invalidStatement(
      join.place,
      'A window definition was provided for a Table-Table join. These joins are not windowed. Please remove the window definition (ie: the WITHIN clause) and try to execute your Table-Table join again.',
    );
  }
}

function tableJoin(join: Join, left: ScopeSource, right: ScopeSource, context: Context): From {
  const scope = new Scope(context, [left, right]);
  const condition = joinSides(join, scope);
  const { leftText, rightText, leftKey, rightKey } = condition;
  const rightColumns = right.definition.schema.keyColumns;
  const rightIndex = rightKey.expr.kind === 'column' ? rightKey.expr.index - right.offset : -1;
  if (rightColumns.length !== 1 || rightColumns[0] !== rightIndex) {
    throw invalidStatement(join.on.place, messages.joinPrimaryKey(condition.text[0], condition.text[1]));
  }
  if (leftKey.type === null || rightKey.type === null || !sameType(leftKey.type, rightKey.type)) {
    const [a, b] = [leftKey, rightKey].map(({ type }) => (type === null ? 'null' : printType(type))) as [
      string,
      string,
    ];
    throw invalidStatement(join.on.place, messages.joinTypes(leftText, a, rightText, b));
  }
  const leftColumns = left.definition.schema.keyColumns;
  const foreignKey = !(
    leftColumns.length === 1 &&
    leftKey.expr.kind === 'column' &&
    leftKey.expr.index === leftColumns[0]
  );
  if (foreignKey && (join.type === 'right' || join.type === 'outer')) {
    const type = join.type === 'right' ? 'RIGHT OUTER' : 'FULL OUTER';
    throw invalidStatement(
      join.place,
      `Invalid join type: ${type.toLowerCase()} join not supported for foreign-key table-table join. Got ${left.definition.name} ${joinWords[join.type]} ${right.definition.name}.`,
    );
  }
  const keyName = freeName(joinKeyName, scope);
  const root = joinNode({
    joinType: join.type,
    left: { alias: left.alias, node: sourceNode(left.definition) },
    right: { alias: right.alias, node: sourceNode(right.definition) },
    leftKey: leftKey.expr,
    foreignKey,
    keyName,
  });
  const extraIndex = root.schema.columns.length - 1;
  const outer = join.type === 'outer';
  return {
    scope: outer ? new Scope(context, scope.sources, { name: keyName, index: extraIndex, type: leftKey.type }) : scope,
    root,
    resultKind: 'table',
    key: foreignKey ? leftKeyOf(left) : [joinedKey(join, condition, root, keyName, context.strict)],
    keyKind: foreignKey ? 'foreign key' : 'join expression',
    sources: [left.definition, right.definition],
  };
}

/** The key of a 1:1 join. Where both sides are there they are equal, so an inner join may name either. */
function joinedKey(join: Join, sides: Sides, root: PlanNode, keyName: string, strict: boolean): KeyColumn {
  const left = (sides.leftKey.expr as { readonly index: number }).index;
  const right = (sides.rightKey.expr as { readonly index: number }).index;
  const index = root.schema.keyColumns[0]!;
  switch (join.type) {
    case 'inner':
      return { index, candidates: [left, right], names: [sides.leftText, sides.rightText] };
    case 'left':
      return { index, candidates: [left], names: [sides.leftText] };
    case 'right':
      // As ksqlDB has it, the left's key column stands for the key even where the left row is missing.
      return { index, candidates: [left, right], names: [sides.leftText, sides.rightText] };
    case 'outer':
      return { index, candidates: [index], names: [keyName], ...(strict ? {} : { sides: [left, right] as const }) };
  }
}

function leftKeyOf(left: ScopeSource): KeyColumn[] {
  return left.definition.schema.keyColumns.map((index) => ({
    index,
    candidates: [index],
    names: [left.definition.schema.columns[index]!.name],
  }));
}

interface Sides {
  readonly leftKey: Typed;
  readonly rightKey: Typed;
  readonly leftText: string;
  readonly rightText: string;
  /** Both sides as written. */
  readonly text: readonly [string, string];
}

/** ON a = b, each side over one source; the sides in the order of the sources. */
function joinSides(join: Join, scope: Scope): Sides {
  const { on } = join;
  if (on.kind === 'logical') throw invalidStatement(on.place, messages.joinConditions(printExpression(on)));
  if (on.kind !== 'compare' || on.op !== '=') {
    throw invalidStatement(on.place, `Unsupported join expression: ${printExpression(on)}`, 'join by one equality');
  }
  const first = joinSide(on.left, on, scope);
  const second = joinSide(on.right, on, scope);
  if (first.source === second.source) {
    const message = `Each side of the join must reference exactly one source and not the same source. Left side references \`${first.source.alias}\` and right references \`${second.source.alias}\``;
    throw invalidStatement(on.place, `Invalid comparison expression '${printExpression(on)}' in join. ${message}.`);
  }
  const [left, right] = first.source === scope.sources[0] ? [first, second] : [second, first];
  return {
    leftKey: left.typed,
    rightKey: right.typed,
    leftText: left.text,
    rightText: right.text,
    text: [first.text, second.text],
  };
}

function joinSide(e: Expression, on: Expression, scope: Scope): { source: ScopeSource; typed: Typed; text: string } {
  const used = new Set<ScopeSource>();
  const env: Environment = {
    clause: 'JOIN ON',
    strict: scope.context.strict,
    column: (ref) => {
      const found = scope.resolve(ref, 'JOIN ON');
      if (found.expr.kind === 'column') {
        const { index } = found.expr;
        used.add(scope.sources.findLast((source) => source.offset <= index)!);
      }
      return found;
    },
  };
  const typed = analyzeExpression(e, env);
  const [source] = used;
  if (used.size !== 1)
    throw invalidStatement(e.place, messages.joinComparison(printExpression(e), printExpression(on)));
  return { source: source!, typed, text: qualified(e, source!) };
}

/** Columns with their source before them, as ksqlDB's errors show them. */
function qualified(e: Expression, source: ScopeSource): string {
  return printExpression(
    mapColumns(e, (ref) =>
      ref.source === null
        ? { ...ref, source: { kind: 'name', text: source.alias, quoted: false, place: ref.place } }
        : ref,
    ),
  );
}

/** ROWKEY, or ROWKEY_1 and so on where a column has that name. */
function freeName(name: string, scope: Scope): string {
  const taken = new Set(
    scope.sources.flatMap((source) => source.definition.schema.columns.map((column) => column.name.toUpperCase())),
  );
  let free = name;
  for (let n = 1; taken.has(free); n++) free = `${name}_${n}`;
  return free;
}
