// Foreign keys that change rows of captured tables inside the server's engine, unlogged: found, judged by what the configuration wants
// (`cascades`), and said.
import type { ErrorCode } from '../../core/errors.js';
import { AppError } from '../../core/errors.js';
import type { SourceFinding } from '../source-connector.js';
import type { FollowedKeys } from './cascades.js';
import type { MysqlConfig } from './config.js';
import type { Session } from './connection.js';
import type { TableFilter } from './filters.js';
import { readForeignKeys, type ForeignKey, type TableRef } from './foreign-keys.js';
import { linkKeys, printKey, type KeyLinking, type LinkedKey } from './linked-keys.js';
import { quoteName } from './text-reader.js';
import { tableName } from './table-schema.js';

export interface CascadeCheck {
  readonly findings: readonly (SourceFinding & {
    readonly code: ErrorCode | 'cascades-ignored' | 'cascades-emulated';
  })[];
  readonly linked: readonly LinkedKey[];
  readonly resting: readonly ForeignKey[];
}

export interface LinkingEnv {
  readonly filter: TableFilter;
  readonly config: MysqlConfig;
  readonly fold: (name: string) => string;
}

export async function checkCascades(
  session: Session,
  captured: readonly TableRef[],
  env: LinkingEnv,
): Promise<CascadeCheck> {
  const keys = await readForeignKeys(session, captured);
  if (env.config.cascades === 'ignore') {
    const findings = keys.map((key) => ({
      severity: 'warning' as const,
      code: 'cascades-ignored' as const,
      object: tableName(key.child),
      message: `${printKey(key)} changes rows that this server does not log: they stay as they are here (cascades=ignore)`,
    }));
    return { findings, linked: [], resting: [] };
  }
  const { linked, others, resting } = await link(
    session,
    keys,
    env,
    new Set(captured.map((table) => env.fold(tableName(table)))),
  );
  const notes = linked.map((key) => ({
    severity: 'note' as const,
    code: 'cascades-emulated' as const,
    object: tableName(key.child),
    message: `${printKey(key)} changes rows that this server does not log: they are changed here with the rows that they follow`,
  }));
  return { findings: [...others.map(refusal), ...notes], linked, resting };
}

/**
 * The keys from some place of the stream on. Of those that the server has (`now`), a child whose rows cannot be followed is refused alone;
 * of others, which it had at that place, nothing is known but that rows follow.
 */
export async function linkAll(
  session: Session,
  keys: readonly ForeignKey[],
  env: LinkingEnv,
  { captured, isNow }: { readonly captured: ReadonlySet<string>; readonly isNow: (key: ForeignKey) => boolean },
): Promise<FollowedKeys & { readonly lost: readonly ForeignKey[] }> {
  const refused = new Map<string, AppError>();
  for (;;) {
    const left = new Set([...captured].filter((name) => !refused.has(name)));
    const { linked, others, resting } = await link(session, keys, env, left);
    const isRefused = ({ child }: ForeignKey): boolean => refused.has(env.fold(tableName(child)));
    const more = others.filter(({ key }) => isNow(key) && !isRefused(key));
    for (const other of more) {
      const { code, message, hint } = refusal(other);
      refused.set(env.fold(tableName(other.key.child)), new AppError(code, message, { hint }));
    }
    if (more.length > 0) continue;
    const broken = others.filter(({ key }) => !isNow(key)).map(({ key }) => ({ ...key, rules: [], broken: true }));
    const resigned = others.filter(({ key }) => isNow(key)).map(({ key }) => key);
    return {
      linked: [...linked, ...broken].filter((key) => !isRefused(key)),
      resting: [...resting.filter(isNow), ...resigned, ...linked.filter(isRefused)],
      lost: resting.filter((key) => !isNow(key)),
      refused,
    };
  }
}

function link(
  session: Session,
  keys: readonly ForeignKey[],
  { filter, config, fold }: LinkingEnv,
  captured: ReadonlySet<string>,
): Promise<KeyLinking> {
  return linkKeys(session, keys, {
    filter,
    isCaptured: (table) => captured.has(fold(tableName(table))),
    never: reasonForNone(config),
  });
}

function reasonForNone({ cascades, tablesCreated, snapshotMode }: MysqlConfig): string | undefined {
  if (cascades === 'refuse') return 'cascades=refuse';
  if (!tablesCreated) return 'table.create=false, so which rows refer to others is not known here';
  if (snapshotMode === 'none') return 'without a snapshot, which rows refer to others is not known here';
  return undefined;
}

function refusal({ key, reason }: KeyLinking['others'][number]) {
  const child = tableName(key.child);
  const drop =
    key.name === undefined
      ? 'make it again with RESTRICT'
      : `ALTER TABLE ${quoteName(key.child.database)}.${quoteName(key.child.table)} DROP FOREIGN KEY ${quoteName(key.name)}, and add it again with RESTRICT`;
  return {
    severity: 'error' as const,
    code: 'cascades-not-captured' as const,
    object: child,
    message: `${printKey(key)} changes rows that this server does not log: ${reason}`,
    hint: `${drop}; or leave ${child} out by table.exclude.list; or cascades=ignore, if such rows may grow stale here`,
  };
}
