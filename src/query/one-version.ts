// Tables that stand still, because their query failed or was paused, are behind the others. One alone may be read (it is a cut of its own
// past); together with live ones the answer would be no cut at all, so it is refused unless the caller says that stale rows are fine.
import { AppError } from '../core/errors.js';
import { nameKey } from '../core/names.js';
import type { ReadSession } from '../store/state-store.js';

interface StoredQuery {
  readonly id: string;
  readonly sink: string;
  readonly state: { readonly kind: string; readonly error?: { readonly message: string } };
}
interface StoredSource {
  readonly name: string;
  readonly failed: { readonly message: string } | null;
}

export function assertOneVersion(session: ReadSession, tables: readonly string[]): void {
  if (tables.length < 2) return;
  const read = new Map(tables.map((table) => [nameKey(table), session.table(table)]));
  if (read.size === 1) return;
  const stopped = [...read].filter(([, { frontier }]) => frontier.stopped);
  if (stopped.length === 0) return;
  const reasons = reasonsOf(session);
  throw new AppError(
    'not-at-one-version',
    `${stopped.map(([, { spec }]) => spec.name).join(', ')} stand still, so these tables are of different versions`,
    {
      detail: stopped.map(([key]) => reasons.get(key)).join('; '),
      hint: 'add "stale":"ok" to read them as they are; GET /v1/status tells why they stand still',
    },
  );
}

/** Why tables stand still, by key of the name. */
function reasonsOf(session: ReadSession): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  for (const { json } of session.documents('query')) {
    const { id, sink, state } = JSON.parse(json) as StoredQuery;
    if (state.kind !== 'running')
      reasons.set(nameKey(sink), `${id} is ${state.kind}${state.error ? `: ${state.error.message}` : ''}`);
  }
  for (const { json } of session.documents('source')) {
    const { name, failed } = JSON.parse(json) as StoredSource;
    if (failed) reasons.set(nameKey(name), failed.message);
  }
  return reasons;
}
