// What a running program says over HTTP: how each connector stands, which tables are its, and their rows. How far it has read is its
// own word (`lagMs`: the rows contain all that was committed so long ago), so a comparison also puts that promise to the test.
import type { App } from '../support/harness/app-process.js';
import { request, requestJson } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import type { Place } from './place.js';

export interface ServiceError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** How a connector has come to rest. */
export type Rest =
  | { readonly kind: 'current' }
  | { readonly kind: 'failed'; readonly error: ServiceError }
  | { readonly kind: 'stuck'; readonly reason: string };

export interface ServedTable {
  readonly name: string;
  readonly topic: string;
  readonly visible: boolean;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

interface ConnectorStatus {
  readonly name: string;
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
  readonly source: { readonly phase: string; readonly reason?: string };
  readonly lagMs?: number;
  readonly standing?: string;
  readonly tables: readonly string[];
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** The program has ended by itself. */
export class ServiceEnded extends Error {}

/** "Lag 0" is said for so long after the source was asked. */
const currentMs = 1_000;
const restDeadlineMs = 120_000;
/** What is tried again for so long without another reason is tried for ever. */
const stuckMs = 12_000;

/** As `--source` makes it. Undefined: it was made; else why it was refused. */
export async function createConnector(
  app: App,
  place: Place,
  more: Readonly<Record<string, string>> = {},
): Promise<ServiceError | undefined> {
  const body = {
    ...(await place.connector()),
    'topic.prefix': place.label,
    'output.data.format': 'JSON',
    'output.key.format': 'JSON',
    'output.shape': 'flat',
    'output.key.shape': 'bare',
    // A script says where capture may stop: all of it, so that it is seen.
    'event.processing.failure.handling.mode': 'fail',
    ...more,
  };
  const { status, text } = await request(`${app.url}/connectors/${place.label}/config`, { method: 'PUT', body });
  if (status === 200 || status === 201) return undefined;
  const { message = text } = JSON.parse(text) as { message?: string };
  const [first = '', ...rest] = message.split('\n');
  // The answer has Kafka Connect's form, which knows a number only and one text; its further lines are the hints.
  return { code: status < 500 ? 'refused' : `status-${status}`, message: first, hint: rest.join('; ') };
}

/** Until each has been read up to `sinceMs` (of our monotonic clock) or does not go on. */
export async function waitForRest(
  app: App,
  labels: readonly string[],
  sinceMs: number,
): Promise<ReadonlyMap<string, Rest>> {
  const rests = new Map<string, Rest>();
  const waiting = new Map<string, { readonly reason: string; readonly fromMs: number }>();
  const begunMs = performance.now();
  await waitFor(
    'the connectors',
    async () => {
      if (!app.running) throw new ServiceEnded(lastLines(app.log()));
      const askedMs = performance.now();
      const { connectors } = await requestJson<{ connectors: ConnectorStatus[] }>(`${app.url}/v1/status`);
      const visible = await hidden(app);
      for (const label of labels.filter((each) => !rests.has(each))) {
        const status = connectors.find(({ name }) => name === label);
        const rest = restOf(status, askedMs, sinceMs, visible);
        if (rest !== undefined) rests.set(label, rest);
        else if (askedMs - begunMs > restDeadlineMs) rests.set(label, { kind: 'stuck', reason: describe(status) });
        else if (status?.source.phase === 'waiting') {
          const reason = status.source.reason?.replace(/\(attempt \d+\)/, '') ?? '';
          const known = waiting.get(label);
          if (known?.reason !== reason) waiting.set(label, { reason, fromMs: askedMs });
          else if (askedMs - known.fromMs > stuckMs)
            rests.set(label, { kind: 'stuck', reason: `retried for ever: ${reason}` });
        }
      }
      return rests.size === labels.length;
    },
    { timeoutMs: restDeadlineMs + 30_000, intervalMs: 60 },
  ).catch((error: unknown) => {
    if (!app.running) throw new ServiceEnded(lastLines(app.log()));
    throw error;
  });
  return rests;
}

function restOf(
  status: ConnectorStatus | undefined,
  askedMs: number,
  sinceMs: number,
  hiddenTables: ReadonlySet<string>,
): Rest | undefined {
  if (status === undefined) return { kind: 'stuck', reason: 'the connector is gone' };
  const failed = [status.connector, ...status.tasks].find(({ state }) => state === 'FAILED');
  if (failed !== undefined) {
    const { code = '', message = failed.trace ?? '', hint = '' } = status.error ?? {};
    return { kind: 'failed', error: { code, message, hint } };
  }
  const { lagMs } = status;
  if (lagMs === undefined || status.source.phase !== 'streaming') return undefined;
  if (status.tables.some((name) => hiddenTables.has(name))) return undefined;
  const containedMs = askedMs - (lagMs === 0 ? currentMs : lagMs + 1);
  return containedMs >= sinceMs ? { kind: 'current' } : undefined;
}

function describe(status: ConnectorStatus | undefined): string {
  const { phase, reason = '' } = status?.source ?? { phase: 'unknown' };
  return `not current after ${restDeadlineMs / 1000} s: ${phase} ${status?.standing ?? ''} lag ${status?.lagMs ?? '?'} ms ${reason}`;
}

async function hidden(app: App): Promise<ReadonlySet<string>> {
  const { tables } = await requestJson<{ tables: { name: string; visible: boolean }[] }>(`${app.url}/v1/tables`);
  return new Set(tables.filter(({ visible }) => !visible).map(({ name }) => name));
}

function lastLines(log: string): string {
  return `the program has ended: ${log.trimEnd().split('\n').slice(-3).join(' ').slice(0, 1500)}`;
}

/** The log warns of this table. */
export function isWarned(app: App, database: string, table: string): boolean {
  const name = JSON.stringify(`${database}.${table}`).slice(1, -1);
  return app
    .log()
    .split('\n')
    .some((entry) => entry.includes(name) && /^\{"level":[4-6]0,/.test(entry));
}

/** Tables of one connector. */
export async function servedTables(app: App, label: string): Promise<readonly ServedTable[]> {
  const [{ tables }, status, lists] = await Promise.all([
    requestJson<{ tables: Omit<ServedTable, 'topic'>[] }>(`${app.url}/v1/tables`),
    requestJson<ConnectorStatus>(`${app.url}/connectors/${label}/status`),
    requestJson<{ tables: { name: string; topic: string }[] }[]>(`${app.url}/ksql`, { body: { ksql: 'LIST TABLES;' } }),
  ]);
  const topics = new Map(lists[0]?.tables.map(({ name, topic }) => [name, topic]));
  return tables
    .filter(({ name }) => status.tables.includes(name))
    .map((table) => ({ ...table, topic: topics.get(table.name) ?? '' }));
}

/** As JSON, all pages; a row is a list of [column, value], since a column may have any name. */
export async function servedRows(app: App, name: string): Promise<readonly ReadonlyMap<string, unknown>[]> {
  const rows: ReadonlyMap<string, unknown>[] = [];
  let after: string | undefined;
  do {
    const place = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
    const page = `${app.url}/v1/tables/${encodeURIComponent(name)}/rows?limit=10000${place}`;
    const { status, text } = await request(page);
    if (status !== 200) throw new Error(`${page}: ${status} ${text.slice(0, 300)}`);
    const body = JSON.parse(text) as { rows: Record<string, unknown>[]; next?: string | null };
    for (const row of body.rows) rows.push(new Map(Object.entries(row)));
    after = body.next ?? undefined;
  } while (after !== undefined);
  return rows;
}
