// The key of a projection. A sink must have every key column once, under whatever name; a second mention is a value column where
// the join makes both sides equal, else an error. A push query may leave the key out.
import type { Expr } from '../plan.js';
import { messages } from '../messages.js';
import { invalidStatement } from '../sql-error.js';
import type { From, KeyColumn } from './from.js';
import type { SelectColumn } from './select.js';

export interface ProjectionKey {
  /** The projected expressions, with the key column put where a stand-in was named. */
  readonly columns: readonly Expr[];
  readonly keyColumns: readonly number[];
}

export function keyOfProjection(options: {
  readonly names: readonly SelectColumn[];
  readonly exprs: readonly Expr[];
  readonly from: From;
  readonly keyRule: readonly KeyColumn[];
  readonly sink: string | null;
  readonly grouped: boolean;
}): ProjectionKey {
  const { names, from, keyRule, sink } = options;
  const columns = [...options.exprs];
  const keyColumns: number[] = [];
  const missing: KeyColumn[] = [];
  for (const key of keyRule) {
    const at = keyPlaces(key, columns);
    if (at.length === 0) {
      missing.push(key);
      continue;
    }
    if (at.length > 1 && sink !== null) throw keyTwice(key, at, options);
    const place = at[0]!;
    keyColumns.push(place);
    columns[place] = { kind: 'column', index: key.index, type: columns[place]!.type };
  }
  if (missing.length === 0) {
    checkValues(sink, keyColumns.length === names.length, names, from);
    return { columns, keyColumns };
  }
  if (sink === null) return { columns, keyColumns: [] };
  throw keyMissing(sink, missing, options);
}

/** Where the key column is projected: the first candidate that is there at all. */
function keyPlaces(key: KeyColumn, columns: readonly Expr[]): number[] {
  for (const candidate of key.candidates) {
    const at = columns.flatMap((expr, i) => (expr.kind === 'column' && expr.index === candidate ? [i] : []));
    if (at.length > 0) return at;
  }
  return columns.flatMap((expr, i) => (isEitherSide(expr, key) ? [i] : []));
}

/** COALESCE(l.id, r.id), in either order. */
function isEitherSide(expr: Expr, { sides }: KeyColumn): boolean {
  if (sides === undefined || expr.kind !== 'call' || (expr.name !== 'COALESCE' && expr.name !== 'IFNULL')) return false;
  const indexes = expr.args.map((arg) => (arg.kind === 'column' ? arg.index : -1));
  return indexes.length === 2 && sides.every((side) => indexes.includes(side));
}

function keyTwice(
  key: KeyColumn,
  at: readonly number[],
  options: { readonly names: readonly SelectColumn[]; readonly from: From; readonly grouped: boolean },
): Error {
  const { names, from, grouped } = options;
  const aliases = at.map((i) => names[i]!.name);
  const column = from.root.schema.columns[key.index]?.name ?? key.names[0]!;
  const message = grouped ? messages.groupKeyTwice(aliases) : messages.keyTwice(column, aliases);
  return invalidStatement(names[at[1]!]!.place, message, `copy it as a value: AS_VALUE(${key.names[0]!})`);
}

function keyMissing(
  sink: string,
  missing: readonly KeyColumn[],
  options: {
    readonly names: readonly SelectColumn[];
    readonly from: From;
    readonly grouped: boolean;
    readonly keyRule: readonly KeyColumn[];
  },
): Error {
  const { names, from, grouped, keyRule } = options;
  const { place } = names[0]!;
  const all = keyRule.map((key) => key.names[0]!);
  if (grouped) {
    const absent = missing.map((key) => key.names[0]!);
    return invalidStatement(place, messages.keyMissing(sink, 'grouping expression', absent));
  }
  if (from.keyKind === 'foreign key') {
    const columns = missing.map((key) => key.names[0]!);
    return invalidStatement(place, messages.foreignKeyMissing(from.sources[0]!.name, columns));
  }
  if (from.keyKind === 'join expression') {
    const either = missing[0]!.names;
    return invalidStatement(
      place,
      messages.keyMissing(sink, `join expression${either.length > 1 ? 's' : ''}`, either, 'or'),
    );
  }
  return invalidStatement(place, messages.keyMissing(sink, 'key column', all));
}

/** ksqlDB cannot write a row without values; here it is an empty one. */
function checkValues(sink: string | null, keysOnly: boolean, names: readonly SelectColumn[], from: From): void {
  if (sink !== null && keysOnly && from.scope.context.strict) {
    throw invalidStatement(names[0]!.place, messages.noValueColumns);
  }
}
