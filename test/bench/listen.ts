// Delays of single-row commits at a steady rate to one or many listeners of server-sent events: from the return of the writer's COMMIT
// to the event in the listener's hands, on one clock. An event that is here before the writer knows of its commit counts as 0.
import { setTimeout as sleep } from 'node:timers/promises';
import { openStream } from '../support/harness/http-client.js';
import { insertSql, liveRow, type LiveDatabase } from './live-table.js';

const writers = 8;
const warmUpSeconds = 2;
/** How long late events are waited for. */
const patienceMs = 10_000;

export interface Listening {
  readonly delaysMs: readonly number[];
  readonly lost: number;
  /** Commits per second that the writers reached. */
  readonly rate: number;
}

export interface ListenOptions {
  readonly url: string;
  readonly listeners: number;
  readonly firstId: number;
  readonly rate: number;
  readonly seconds: number;
}

export async function listen(database: LiveDatabase, options: ListenOptions): Promise<Listening> {
  const { url, listeners, firstId, rate, seconds } = options;
  const total = rate * seconds;
  const committed = new Float64Array(total);
  const arrived = Array.from({ length: listeners }, () => new Float64Array(total));
  let missing = total * listeners;
  const streams = await inGroups(arrived, async (own) => {
    const stream = await openStream(url, { accept: 'text/event-stream' });
    if (stream.status !== 200) throw new Error(`${url} answers ${stream.status}`);
    const take = (id: number, at: number) => {
      const i = id - firstId;
      if (i < 0 || i >= total || own[i] !== 0) return;
      own[i] = at;
      missing--;
    };
    // It ends when the stream is closed below.
    readEvents(stream.text, take).catch(() => undefined);
    return stream;
  });
  const reached = await writeSteadily(database, { firstId, rate, seconds }, committed);
  for (let waited = 0; missing > 0 && waited < patienceMs; waited += 50) await sleep(50);
  for (const stream of streams) stream.close();
  const delaysMs: number[] = [];
  for (const own of arrived) {
    for (let i = rate * warmUpSeconds; i < total; i++)
      if (own[i] !== 0) delaysMs.push(Math.max(0, own[i]! - committed[i]!));
  }
  return { delaysMs, lost: missing, rate: reached };
}

async function readEvents(text: AsyncIterable<string>, take: (id: number, at: number) => void): Promise<void> {
  const idOf = /"after":\{"id":"(\d+)"/g;
  let rest = '';
  for await (const part of text) {
    const now = performance.now();
    rest += part;
    const end = rest.lastIndexOf('\n\n');
    if (end < 0) continue;
    for (const match of rest.slice(0, end).matchAll(idOf)) take(Number(match[1]), now);
    rest = rest.slice(end + 2);
  }
}

async function inGroups<T, R>(items: readonly T[], open: (item: T) => Promise<R>): Promise<R[]> {
  const opened: R[] = [];
  for (let i = 0; i < items.length; i += 50) opened.push(...(await Promise.all(items.slice(i, i + 50).map(open))));
  return opened;
}

/** Single-row commits, evenly over the time; notes when the writer knew of each, and gives the rate that it reached. */
async function writeSteadily(
  database: LiveDatabase,
  { firstId, rate, seconds }: Pick<ListenOptions, 'firstId' | 'rate' | 'seconds'>,
  committed: Float64Array,
): Promise<number> {
  const connections = await Promise.all(Array.from({ length: writers }, () => database.connect()));
  const startMs = performance.now();
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < committed.length) {
        const i = next++;
        const waitMs = startMs + (i * 1000) / rate - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        await connection.query(insertSql, [[liveRow(firstId + i)]]);
        committed[i] = performance.now();
      }
      await connection.end();
    }),
  );
  return (rate * seconds * 1000) / (performance.now() - startMs);
}
