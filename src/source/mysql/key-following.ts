// Which foreign keys are followed at the place where the stream is: those of the server at a start, with those that an earlier run followed
// at its end (the server may have lost them since, and the stream has not come to that yet); then as statements bring and take them. What a
// statement makes of a table is looked up on the server as it is now, which may be behind other statements: a key that does not fit what
// the stream shows is not followed, and the tables below it are read again (cascade-rows.ts).
import type { AppError } from '../../core/errors.js';
import type { SourceContext } from '../source-connector.js';
import type { CapturedTables } from './captured-tables.js';
import { linkAll, type LinkingEnv } from './cascade-checks.js';
import { otherRecords } from './cascade-rows.js';
import type { Cascades, KeysBehind } from './cascades.js';
import type { Inspection } from './checks.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import { readForeignKeys, sameKey, type ForeignKey } from './foreign-keys.js';
import type { LinkedKey } from './linked-keys.js';
import type { Snapshots } from './snapshots.js';
import { readSchema, sourceTable, tableName, type TableSchema } from './table-schema.js';

export interface KeyFollowingOptions {
  readonly session: Session;
  readonly config: MysqlConfig;
  readonly context: SourceContext;
  readonly captured: CapturedTables;
  readonly cascades: Cascades;
}

/** At each connection; `fresh`: nothing was read before. */
export async function beginFollowing(
  options: KeyFollowingOptions,
  { cascades: check, tables }: Inspection,
  fresh: boolean,
): Promise<void> {
  const { captured, cascades, config, session } = options;
  cascades.active = check !== undefined && config.cascades !== 'ignore';
  // Those of the place where the connection broke stay in force there.
  if (cascades.begun && !fresh) return;
  const { linked, resting } = check ?? { linked: [], resting: [] };
  const schemas = new Map(tables.map((schema) => [captured.known.fold(tableName(schema)), schema]));
  for (const { child } of linked) {
    const schema = schemas.get(captured.known.fold(tableName(child)));
    if (schema && !hasOwnRecords(options, schema)) throw otherRecords(tableName(child));
  }
  const earlier = fresh || !cascades.active ? [] : await cascades.remembered();
  const others = earlier.filter(
    (key) => key.inert !== true && ![...linked, ...resting].some((other) => sameKey(key, other)),
  );
  const before = await linkAll(session, others, envOf(options), {
    captured: new Set(schemas.keys()),
    isNow: () => false,
  });
  // Inert there and in force by now, or the other way round: where it has changed is not known before the stream tells.
  const isUnsure = (key: ForeignKey): boolean =>
    earlier.some((other) => sameKey(key, other) && (other.inert === true) !== (key.inert === true));
  const lost = [...before.lost, ...[...linked, ...resting].filter(isUnsure)].map((key): LinkedKey => ({
    ...key,
    inert: false,
    rules: [],
    broken: true,
  }));
  const isSure = (key: ForeignKey): boolean => !isUnsure(key);
  await cascades.follow({
    linked: [...linked.filter(isSure), ...before.linked, ...lost],
    resting: resting.filter(isSure),
    refused: new Map(),
  });
}

/** At a statement that changes tables or keys; what it brings is in force for everything behind it. */
export async function followBehind(
  options: KeyFollowingOptions & { readonly snapshots: Snapshots },
  what: KeysBehind,
): Promise<void> {
  const { cascades, captured, session } = options;
  const { known } = captured;
  const now = await readForeignKeys(session, what.named);
  const keys = cascades.behind(what, now);
  const nameOf = ({ child }: ForeignKey): string => known.fold(tableName(child));
  const named = new Set(what.named.map((table) => known.fold(tableName(table))));
  // A table that has been made without a row so far is not open; the filters say whether it will be.
  const names = keys
    .flatMap(({ child, parent }) => [child, parent])
    .filter(({ database, table }) => captured.filter.matches(database, table))
    .map((table) => known.fold(tableName(table)));
  const isNow = (key: ForeignKey): boolean => !named.has(nameOf(key)) || now.some((other) => sameKey(key, other));
  const behind = await linkAll(session, keys, envOf(options), { captured: new Set(names), isNow });
  const refused = new Map([...behind.refused, ...(await refusedRecords(options, behind.linked, named))]);
  const { refused: before, inert: inertBefore, keys: keysBefore } = cascades;
  await cascades.follow({
    linked: behind.linked.filter((key) => !refused.has(nameOf(key))),
    resting: [...behind.resting, ...behind.linked.filter((key) => refused.has(nameOf(key)))],
    refused,
  });
  await leaveOut(options, refused, before);
  // It may have become so at a later statement, which the server has executed already.
  const turned = [
    ...cascades.inert.filter((key) => keysBefore.some((other) => sameKey(key, other))),
    ...cascades.keys.filter((key) => inertBefore.some((other) => sameKey(key, other))),
  ];
  options.snapshots.callFollowing(turned.flatMap((key) => [nameOf(key), ...cascades.below(nameOf(key))]));
}

/** One that is refused is left out alone, and read again when it is not any more. */
async function leaveOut(
  { captured, context, snapshots }: KeyFollowingOptions & { readonly snapshots: Snapshots },
  refused: ReadonlyMap<string, AppError>,
  before: ReadonlyMap<string, AppError>,
): Promise<void> {
  const { known } = captured;
  const fresh = [...refused].filter(([name]) => !before.has(name));
  const held = fresh.length === 0 ? [] : await context.heldTables();
  for (const [name, error] of fresh) {
    known.leaveOut(name, error.message, error.hint);
    const own = held.find((each) => known.fold(each.name) === name);
    if (own) snapshots.fail(own.name, error);
  }
  const back = [...before.keys()].filter((name) => !refused.has(name) && known.isLeftOut(name));
  for (const name of back) known.letIn(name);
  if (back.length > 0) snapshots.call(back.map((name) => ({ name, cause: 'its foreign keys can be followed now' })));
}

async function refusedRecords(
  options: KeyFollowingOptions,
  linked: readonly LinkedKey[],
  named: ReadonlySet<string>,
): Promise<Map<string, AppError>> {
  const { captured, config, session } = options;
  const refused = new Map<string, AppError>();
  const children = new Map(linked.map(({ child }) => [captured.known.fold(tableName(child)), child]));
  for (const [name, child] of children) {
    if (!named.has(name)) continue;
    const schema = await readSchema(session, child.database, child.table, config.modes);
    if (schema && !hasOwnRecords(options, schema)) refused.set(name, otherRecords(tableName(child)));
  }
  return refused;
}

function hasOwnRecords({ captured, context }: KeyFollowingOptions, schema: TableSchema): boolean {
  return context.recordsOf(sourceTable(schema, captured.filter)).own;
}

function envOf({ config, captured }: KeyFollowingOptions): LinkingEnv {
  return { filter: captured.filter, config, fold: (name) => captured.known.fold(name) };
}
