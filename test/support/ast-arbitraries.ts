// Syntax trees as the parser could have made them, for the law that printing and parsing give the same tree back.
import fc from 'fast-check';
import type {
  ColumnDef,
  Duration,
  Expression,
  Grouping,
  Join,
  Literal,
  Name,
  Property,
  Query,
  SelectItem,
  StatementNode,
  TypeNode,
} from '../../src/sql/ast.js';

const place = { line: 1, column: 1 };

const plainName = fc.constantFrom(
  'a',
  'B',
  'orders',
  'customer_id',
  'size',
  'topic',
  'emit',
  'key',
  'date',
  'x9',
  '1R',
);
export const name: fc.Arbitrary<Name> = fc.oneof(
  plainName.map((text): Name => ({ kind: 'name', text, quoted: false, place })),
  fc
    .string({ minLength: 1, maxLength: 4, unit: 'binary' })
    .map((text): Name => ({ kind: 'name', text, quoted: true, place })),
  fc.constantFrom('select', 'FROM', 'a`b', "it's").map((text): Name => ({ kind: 'name', text, quoted: true, place })),
);

const text = fc.oneof(fc.string({ maxLength: 5, unit: 'binary' }), fc.constantFrom("it's", '', '--', ';'));
const digits = fc.nat().map(String);
const sign = fc.constantFrom('', '-');

const number: fc.Arbitrary<Literal> = fc.oneof(
  fc.tuple(sign, digits).map(([s, d]): Literal => ({ kind: 'integer', text: s + d, place })),
  fc.tuple(sign, digits, digits).map(([s, a, b]): Literal => ({ kind: 'decimal', text: `${s}${a}.${b}`, place })),
  fc.tuple(sign, digits).map(([s, d]): Literal => ({ kind: 'double', text: `${s}${d}e3`, place })),
);
export const literal: fc.Arbitrary<Literal> = fc.oneof(
  fc.constant<Literal>({ kind: 'null', place }),
  fc.boolean().map((value): Literal => ({ kind: 'boolean', value, place })),
  text.map((value): Literal => ({ kind: 'string', value, place })),
  number,
);

const typeNode = fc.letrec<{ type: TypeNode }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record<TypeNode & { kind: 'named-type' }>({
      kind: fc.constant('named-type'),
      name: name.filter((n) => !n.quoted && n.text !== '1R'),
      params: fc.array(fc.nat(30), { maxLength: 2 }),
      place: fc.constant(place),
    }),
    tie('type').map((element): TypeNode => ({ kind: 'array-type', element, place })),
    fc.tuple(tie('type'), tie('type')).map(([key, value]): TypeNode => ({ kind: 'map-type', key, value, place })),
    fc
      .array(fc.record({ name, type: tie('type') }), { maxLength: 3 })
      .map((fields): TypeNode => ({ kind: 'struct-type', fields, place })),
  ),
})).type;

const column = fc
  .tuple(fc.option(name), name)
  .map(([source, part]): Expression => ({ kind: 'column', source, name: part, place }));

/** Any expression; lambdas stand only where the grammar has them, as arguments. */
export const expression: fc.Arbitrary<Expression> = fc.letrec<{ e: Expression }>((tie) => {
  const e = tie('e');
  const few = fc.array(e, { minLength: 1, maxLength: 3 });
  const lambda = fc
    .tuple(fc.array(name, { minLength: 1, maxLength: 2 }), e)
    .map(([params, body]): Expression => ({ kind: 'lambda', params, body, place }));
  return {
    e: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(literal, column),
      fc
        .tuple(fc.constantFrom('-' as const, '+' as const), e)
        .filter(([op, arg]) => op === '-' || !/^[+]/.test(arg.kind))
        .map(([op, arg]): Expression => ({ kind: 'unary', op, arg, place })),
      fc
        .tuple(fc.constantFrom(...(['+', '-', '*', '/', '%', '||'] as const)), e, e)
        .map(([op, left, right]): Expression => ({ kind: 'binary', op, left, right, place })),
      fc
        .tuple(fc.constantFrom(...(['=', '<>', '<', '>=', 'IS DISTINCT FROM', 'IS NOT DISTINCT FROM'] as const)), e, e)
        .map(([op, left, right]): Expression => ({ kind: 'compare', op, left, right, place })),
      fc
        .tuple(fc.constantFrom(...(['AND', 'OR'] as const)), e, e)
        .map(([op, left, right]): Expression => ({ kind: 'logical', op, left, right, place })),
      e.map((arg): Expression => ({ kind: 'not', arg, place })),
      fc
        .tuple(e, e, e, fc.boolean())
        .map(([arg, lower, upper, negated]): Expression => ({ kind: 'between', arg, lower, upper, negated, place })),
      fc
        .tuple(e, few, fc.boolean())
        .map(([arg, list, negated]): Expression => ({ kind: 'in', arg, list, negated, place })),
      fc
        .tuple(e, e, fc.option(text), fc.boolean())
        .map(([arg, pattern, escape, negated]): Expression => ({ kind: 'like', arg, pattern, escape, negated, place })),
      fc.tuple(e, fc.boolean()).map(([arg, negated]): Expression => ({ kind: 'is-null', arg, negated, place })),
      fc
        .tuple(
          fc.option(e),
          fc.array(fc.record({ condition: e, result: e }), { minLength: 1, maxLength: 2 }),
          fc.option(e),
        )
        .map(([operand, whens, otherwise]): Expression => ({ kind: 'case', operand, whens, otherwise, place })),
      fc.tuple(e, typeNode).map(([arg, type]): Expression => ({ kind: 'cast', arg, type, place })),
      fc
        .tuple(name, fc.array(fc.oneof(e, lambda), { maxLength: 3 }))
        .map(([fn, args]): Expression => ({ kind: 'call', name: fn, args, star: false, place })),
      name.map((fn): Expression => ({ kind: 'call', name: fn, args: [], star: true, place })),
      fc.tuple(name, text).map(([type, value]): Expression => ({ kind: 'typed-literal', type, text: value, place })),
      few.map((items): Expression => ({ kind: 'array', items, place })),
      fc
        .array(fc.record({ key: e, value: e }), { maxLength: 2 })
        .map((entries): Expression => ({ kind: 'map', entries, place })),
      fc
        .array(fc.record({ name, value: e }), { maxLength: 2 })
        .map((fields): Expression => ({ kind: 'struct', fields, place })),
      fc.tuple(e, e).map(([base, index]): Expression => ({ kind: 'subscript', base, index, place })),
      fc.tuple(e, name).map(([base, field]): Expression => ({ kind: 'field', base, name: field, place })),
    ),
  };
}).e;

const duration: fc.Arbitrary<Duration> = fc.record({
  amount: fc.nat(),
  unit: fc.constantFrom('MILLISECONDS' as const, 'SECONDS' as const, 'DAYS' as const),
});

const sourceRef = fc
  .tuple(name, fc.option(name))
  .map(([source, alias]) => ({ kind: 'source' as const, name: source, alias, place }));

const selectItem: fc.Arbitrary<SelectItem> = fc.oneof(
  fc
    .tuple(expression, fc.option(name))
    .map(([e, alias]): SelectItem => ({ kind: 'item', expression: e, alias, place })),
  fc.option(name).map((source): SelectItem => ({ kind: 'star', source, place })),
  column.map((base): SelectItem => ({ kind: 'struct-star', base, place })),
);

const join: fc.Arbitrary<Join> = fc.record({
  kind: fc.constant('join' as const),
  type: fc.constantFrom('inner' as const, 'left' as const, 'right' as const, 'outer' as const),
  source: sourceRef,
  within: fc.option(fc.record({ before: duration, after: duration, grace: fc.option(duration) })),
  on: expression,
  place: fc.constant(place),
});

const grouping: fc.Arbitrary<Grouping> = fc.record({
  expressions: fc.array(expression, { maxLength: 3 }),
  place: fc.constant(place),
});

const window: fc.Arbitrary<NonNullable<Query['window']>> = fc.oneof(
  fc.record({
    kind: fc.constant('window' as const),
    type: fc.constantFrom('TUMBLING' as const, 'SESSION' as const),
    size: duration,
    advance: fc.constant(null),
    retention: fc.option(duration),
    grace: fc.option(duration),
    place: fc.constant(place),
  }),
  fc.record({
    kind: fc.constant('window' as const),
    type: fc.constant('HOPPING' as const),
    size: duration,
    advance: duration,
    retention: fc.option(duration),
    grace: fc.option(duration),
    place: fc.constant(place),
  }),
);

const counted = literal.map((count) => ({ count, place }));

export const query: fc.Arbitrary<Query> = fc.record({
  kind: fc.constant('query' as const),
  distinct: fc.boolean(),
  select: fc.array(selectItem, { minLength: 1, maxLength: 3 }),
  from: sourceRef,
  joins: fc.array(join, { maxLength: 2 }),
  window: fc.option(window),
  where: fc.option(expression),
  groupBy: fc.option(grouping),
  partitionBy: fc.option(grouping),
  having: fc.option(expression),
  orderBy: fc.option(
    fc.record({
      items: fc.array(fc.record({ expression, descending: fc.boolean() }), { minLength: 1, maxLength: 2 }),
      place: fc.constant(place),
    }),
  ),
  emit: fc.option(fc.constantFrom('CHANGES' as const, 'FINAL' as const).map((mode) => ({ mode, place }))),
  limit: fc.option(counted),
  offset: fc.option(counted),
  place: fc.constant(place),
});

const properties: fc.Arbitrary<Property[]> = fc.array(fc.record({ name, value: literal }), { maxLength: 3 });
const columnDef: fc.Arbitrary<ColumnDef> = fc.oneof(
  fc.record({
    name,
    type: typeNode,
    role: fc.constantFrom('value' as const, 'key' as const, 'primary-key' as const, 'headers' as const),
    header: fc.constant(null),
    place: fc.constant(place),
  }),
  fc.record({ name, type: typeNode, role: fc.constant('header' as const), header: text, place: fc.constant(place) }),
);
const sourceWord = fc.constantFrom('STREAM' as const, 'TABLE' as const);
const at = fc.constant(place);
const kind = <K extends StatementNode['kind']>(value: K): fc.Arbitrary<K> => fc.constant(value);

export const statement: fc.Arbitrary<StatementNode> = fc.oneof(
  query,
  fc.record({
    kind: kind('create-source'),
    type: sourceWord,
    orReplace: fc.boolean(),
    readOnly: fc.boolean(),
    ifNotExists: fc.boolean(),
    name,
    columns: fc.array(columnDef, { maxLength: 3 }),
    properties,
    place: at,
  }),
  fc.record({
    kind: kind('create-as'),
    type: sourceWord,
    orReplace: fc.boolean(),
    ifNotExists: fc.boolean(),
    name,
    properties,
    query,
    place: at,
  }),
  fc.record({
    kind: kind('insert-values'),
    target: name,
    columns: fc.option(fc.array(name, { minLength: 1, maxLength: 3 })),
    values: fc.array(expression, { maxLength: 3 }),
    place: at,
  }),
  fc.record({ kind: kind('insert-select'), target: name, properties, query, place: at }),
  fc.record({
    kind: kind('alter'),
    type: sourceWord,
    name,
    columns: fc.array(fc.record({ name, type: typeNode }), { minLength: 1, maxLength: 2 }),
    place: at,
  }),
  fc.record({
    kind: kind('drop'),
    type: sourceWord,
    ifExists: fc.boolean(),
    name,
    deleteTopic: fc.boolean(),
    place: at,
  }),
  fc.record({ kind: kind('create-type'), ifNotExists: fc.boolean(), name, type: typeNode, place: at }),
  fc.record({
    kind: kind('query-control'),
    action: fc.constantFrom('TERMINATE' as const, 'PAUSE' as const, 'RESUME' as const),
    name: fc.option(name),
    place: at,
  }),
  fc.record({ kind: kind('set-property'), system: fc.boolean(), name: text, value: text, place: at }),
  fc.record({ kind: kind('unset-property'), name: text, place: at }),
  fc.record({
    kind: kind('print'),
    topic: name,
    fromBeginning: fc.boolean(),
    interval: fc.option(literal),
    limit: fc.option(literal),
    place: at,
  }),
  fc.record({
    kind: kind('assert-topic'),
    exists: fc.boolean(),
    topic: name,
    properties,
    timeout: fc.option(duration),
    place: at,
  }),
);
