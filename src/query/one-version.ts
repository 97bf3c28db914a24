// Tables that stand still, because their query failed or was paused, are behind the others. One alone may be read (it is a cut of its own
// past); together with live ones the answer would be no cut at all, so it is refused unless the caller says that stale rows are fine.
import { AppError } from '../core/errors.js';
import type { ReadSession } from '../store/state-store.js';

interface StoredQuery {
  readonly id: string;
  readonly sink: string;
  readonly state: { readonly kind: string; readonly atSeq?: number; readonly error?: { readonly message: string } };
}
interface StoredSource {
  readonly name: string;
  readonly failed: { readonly message: string } | null;
}

export function assertOneVersion(session: ReadSession, tables: readonly string[]): void {
  if (tables.length < 2) return;
  const still = standingStill(session);
  if (still.size === 0) return;
  const names = [...new Set(tables.map((table) => table.toUpperCase()))];
  const stopped = names.filter((name) => still.has(name));
  if (stopped.length === 0 || names.length === 1) return;
  throw new AppError(
    'not-at-one-version',
    `${stopped.map((name) => still.get(name)!.name).join(', ')} stand still, so these tables are of different versions`,
    {
      detail: stopped.map((name) => still.get(name)!.reason).join('; '),
      hint: 'add "stale":"ok" to read them as they are; GET /v1/status tells why they stand still',
    },
  );
}

function standingStill(session: ReadSession): ReadonlyMap<string, { readonly name: string; readonly reason: string }> {
  const still = new Map<string, { readonly name: string; readonly reason: string }>();
  for (const { json } of session.documents('query')) {
    const { id, sink, state } = JSON.parse(json) as StoredQuery;
    if (state.kind !== 'running')
      still.set(sink.toUpperCase(), {
        name: sink,
        reason: `${id} is ${state.kind}${state.error ? `: ${state.error.message}` : ''}`,
      });
  }
  for (const { json } of session.documents('source')) {
    const { name, failed } = JSON.parse(json) as StoredSource;
    if (failed) still.set(name.toUpperCase(), { name, reason: failed.message });
  }
  return still;
}
