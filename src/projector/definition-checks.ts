// What a definition is measured by before it changes anything.
import type { Catalog, SourceEntry } from '../catalog/catalog.js';
import { nameKey } from '../core/names.js';
import { printType, sameType, type RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import { querySources } from './query-sources.js';

export function exists(entry: SourceEntry): AppError {
  return new AppError(
    'already-exists',
    `Cannot add ${entry.sourceKind} '${entry.name}': A ${entry.sourceKind} with the same name already exists`,
    {
      hint: `DROP ${entry.sourceKind.toUpperCase()} ${entry.name} first, or use CREATE ... IF NOT EXISTS`,
    },
  );
}

export function assertSameColumns(entry: SourceEntry, schema: RowSchema, what: string): void {
  const describe = (s: RowSchema) => s.columns.map((c) => `${c.name} ${printType(c.type)}`).join(', ');
  const same =
    entry.schema.columns.length === schema.columns.length &&
    entry.schema.columns.every(
      (column, i) =>
        nameKey(column.name) === nameKey(schema.columns[i]!.name) && sameType(column.type, schema.columns[i]!.type),
    ) &&
    entry.schema.keyColumns.length === schema.keyColumns.length &&
    entry.schema.keyColumns.every(
      (at, i) => nameKey(entry.schema.columns[at]!.name) === nameKey(schema.columns[schema.keyColumns[i]!]!.name),
    );
  if (same) return;
  throw new AppError('invalid-statement', `the columns of ${entry.name} do not agree with ${what}`, {
    detail: `there: ${describe(entry.schema)}; here: ${describe(schema)}`,
  });
}

/** Times of three digits are milliseconds in the records, those of six are microseconds: one read as the other is another year. */
export function assertSameTimes(entry: SourceEntry, captured: RowSchema, table: string): void {
  captured.columns.forEach(({ name, type }, i) => {
    const there = entry.schema.columns[i]!.type;
    if (!('digits' in type) || !('digits' in there)) return;
    // Text tells its unit itself.
    if (type.kind === 'TIMESTAMP' && type.zoned !== undefined) return;
    if (type.digits === there.digits) return;
    throw new AppError(
      'invalid-statement',
      `column ${name} of ${entry.name} has ${there.digits} digits behind the second, and captured table ${table} writes ${type.digits}`,
      {
        hint: entry.captured
          ? `the topic holds records of the other unit: capture ${there.digits} digits as before (SQLite: sqlite.timestamp.digits=${there.digits}), or \`writethrough connect delete NAME --topics\` and create it again`
          : `declare it ${type.kind}(${type.digits})`,
      },
    );
  });
}

/** A query over something that stands still would mix versions. */
export function assertRuns(catalog: Catalog, sources: readonly SourceEntry[]): void {
  for (const source of sources) {
    const error = standsStill(catalog, source);
    if (error !== undefined) throw error;
  }
}

/** Undefined: it does not. */
function standsStill(catalog: Catalog, { name, failed, writtenBy }: SourceEntry): AppError | undefined {
  const state = writtenBy === null ? undefined : catalog.query(writtenBy)?.state;
  if (failed === null && (state === undefined || state.kind === 'running')) return undefined;
  const reason = failed?.message ?? (state?.kind === 'failed' ? state.error.message : `its query is ${state?.kind}`);
  return new AppError('detached', `${name} stands still: ${reason}`, {
    hint: `rebuild it first (\`writethrough rebuild ${name}\`), or drop it and create it again`,
  });
}

/**
 * Of a rebuild whose swap comes behind the failure of what its query reads: it would come to life over rows that stand still, and say that
 * they are current. Undefined: it takes effect.
 */
export function whySwapIsVoid(catalog: Catalog, { writtenBy }: SourceEntry): AppError | undefined {
  const query = writtenBy === null ? undefined : catalog.query(writtenBy);
  if (query === undefined) return undefined;
  for (const name of querySources(catalog, query)) {
    const error = standsStill(catalog, catalog.find(name)!);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** Definitions and schemas lie in topics too, and are not written by SQL. */
export function assertNotInternal(topic: string, serviceId: string): void {
  if (topic !== '_schemas' && !topic.startsWith(`${serviceId}_`)) return;
  throw new AppError('invalid-statement', `topic ${topic} is internal`, { hint: 'name another one' });
}

/** Two writers of one topic would mix their records. */
export function assertTopicIsFree(catalog: Catalog, topic: string): void {
  const user = catalog.all().find((entry) => entry.properties.topic === topic);
  if (user)
    throw new AppError('invalid-statement', `topic ${topic} belongs to ${user.name}`, {
      hint: 'name another one: WITH (KAFKA_TOPIC=...)',
    });
}
