// What a running program says of the age of a table's rows, on every way of asking, so that a test can hold all of them to one law.
import { openStream, request } from './http-client.js';

/** One answer that carries rows: how old it says that they are at most. */
export interface SaidByRows {
  readonly way: string;
  readonly lagMs: number;
  readonly stale: string | undefined;
}

export interface Said {
  /** A row by its key, a read of several tables, a pull query. */
  readonly rows: readonly SaidByRows[];
  /** `caught-up`, `behind` or `stopped`: what a subscriber is told behind its snapshot. */
  readonly mark: string;
  readonly markCause: string | undefined;
  readonly status: SaidByRows & { readonly state: string };
  readonly ready: number;
  readonly reason: string;
  /** `writethrough_table_lag_seconds`, as ms. */
  readonly metricMs: number;
}

/** Of `items`, row 1. Rejects while the table cannot be read. */
export async function said(url: string): Promise<Said> {
  const [row, read, pull, mark, status, ready, metrics] = await Promise.all([
    request(`${url}/v1/tables/items/rows/1`),
    request(`${url}/v1/read`, { body: { reads: [{ table: 'items' }] } }),
    request(`${url}/query`, { body: { ksql: 'SELECT * FROM items WHERE id = 1;' } }),
    firstMark(url),
    request(`${url}/v1/status`),
    request(`${url}/readyz`),
    request(`${url}/metrics`),
  ]);
  const rows = Object.entries({ row, read, pull }).map(([way, answer]) => {
    if (answer.status !== 200) throw new Error(`${way}: ${answer.status} ${answer.text.slice(0, 300)}`);
    return { way, ...agesOf(answer.headers) };
  });
  const body = JSON.parse(status.text) as {
    state: string;
    tables: readonly { name: string; lagMs: number; standing: string }[];
  };
  const table = body.tables.find(({ name }) => name === 'items');
  const gauge = /writethrough_table_lag_seconds\{table="items"\} ([\d.e+]+)/.exec(metrics.text)?.[1];
  return {
    rows,
    ...mark,
    status: { way: 'status', lagMs: table?.lagMs ?? Number.NaN, stale: table?.standing, state: body.state },
    ready: ready.status,
    reason: ready.text,
    metricMs: Number(gauge) * 1000,
  };
}

function agesOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Omit<SaidByRows, 'way'> {
  return {
    lagMs: Number(headers['writethrough-lag-ms'] ?? Number.NaN),
    stale: headers['writethrough-stale'] as string | undefined,
  };
}

async function firstMark(url: string): Promise<{ readonly mark: string; readonly markCause: string | undefined }> {
  const path = `${url}/v1/tables/items/changes?snapshot=true`;
  const stream = await openStream(path, { accept: 'text/event-stream' });
  let text = '';
  try {
    for await (const part of stream.text) {
      text += part;
      const event = /event: (caught-up|behind|stopped)\ndata: (.*)\n\n/.exec(text);
      if (event !== null) return { mark: event[1]!, markCause: (JSON.parse(event[2]!) as { cause?: string }).cause };
    }
    throw new Error(`the changes ended without a mark: ${text.slice(0, 300)}`);
  } finally {
    stream.close();
  }
}
