// A client that listens to the changes of one table whose columns may change, and folds them into rows by the key that each event tells.
// After a broken connection it goes on with Last-Event-ID, and behind a 410, which a
// table of another key answers, it begins anew. It knows nothing but what is sent: a `schema` event makes the rows that it
// holds rows of those columns, the new ones NULL, until they are told anew.
import { setTimeout as sleep } from 'node:timers/promises';
import { openStream, type TextStream } from './http-client.js';

export interface RowFolder {
  /** Each as text by column, sorted, as `servedRows` gives them. */
  rows(): readonly string[];
  /** So often it had to begin anew. */
  readonly beginnings: number;
  close(): Promise<void>;
}

type JsonRow = Readonly<Record<string, unknown>>;

interface ChangeEvent {
  readonly op: string;
  readonly key?: unknown;
  readonly after?: JsonRow | null;
  readonly columns?: readonly { readonly name: string }[];
}

/** `url`: asked at each connection. */
export function foldRows(url: () => string, table: string): RowFolder {
  const rows = new Map<string, JsonRow>();
  const stopping = new AbortController();
  let beginnings = 0;
  let lastId: string | undefined;
  let open: TextStream | undefined;

  function handle({ op, key, after, columns }: ChangeEvent): void {
    if (op === 'schema') {
      for (const [held, row] of rows)
        rows.set(held, Object.fromEntries(columns!.map(({ name }) => [name, row[name] ?? null])));
    } else if (op === 'd') rows.delete(JSON.stringify(key));
    else if (after) rows.set(JSON.stringify(key), after);
  }

  async function listen(): Promise<void> {
    const path = `${url()}/v1/tables/${table}/changes`;
    const stream = await openStream(lastId === undefined ? `${path}?snapshot=true` : path, {
      accept: 'text/event-stream',
      ...(lastId !== undefined && { 'last-event-id': lastId }),
    });
    open = stream;
    if (stopping.signal.aborted || stream.status !== 200) {
      if (stream.status === 410) lastId = undefined;
      return stream.close();
    }
    if (lastId === undefined) {
      rows.clear();
      beginnings++;
    }
    let buffer = '';
    for await (const part of stream.text) {
      const events = (buffer + part).split('\n\n');
      buffer = events.pop()!;
      for (const event of events) {
        const data = /^data: (.*)$/m.exec(event)?.[1];
        if (data === undefined) continue;
        handle(JSON.parse(data) as ChangeEvent);
        lastId = /^id: (.*)$/m.exec(event)?.[1] ?? lastId;
      }
    }
  }

  const running = (async () => {
    while (!stopping.signal.aborted) {
      // What breaks off is gone on with: the program was killed, or the table is not there yet.
      await listen().catch(() => {});
      open = undefined;
      await sleep(20);
    }
  })();
  return {
    rows: () => [...rows.values()].map((row) => JSON.stringify(texts(row))).toSorted(),
    get beginnings() {
      return beginnings;
    },
    close: async () => {
      stopping.abort();
      open?.close();
      await running;
    },
  };
}

/** Numbers as text, as the server's own rows are compared. */
export function texts(row: JsonRow): JsonRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? String(value) : value]),
  );
}
