// The built program with little of what clients take: few file descriptors, a small heap. Whatever clients ask for and do not read, it lives,
// answers rows by key, and its memory stays under a stated bound. Rows are long, so that anything that counts rows alone is seen.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as http2Connect } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openApp, type App } from '../support/harness/app-process.js';
import { openStream, request, requestJson } from '../support/harness/http-client.js';
import { openSqliteSource, type SqliteSource } from '../support/harness/sqlite-database.js';
import { waitFor } from '../support/harness/wait-for.js';

const mb = 1024 * 1024;
const heapMb = 256;
/** Resident memory of the whole process, whatever is asked, one after the other: the heap, what may wait for clients, and all the rest. */
const rssMax = (heapMb + 128 + 216) * mb;
const longRows = 400;
const longBytes = 200_000;
const shortRows = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'writethrough-limits-'));
let source: SqliteSource;
beforeAll(async () => {
  source = openSqliteSource(join(folder, 'limits.db'));
  await source.execute(`
    CREATE TABLE long (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    CREATE TABLE short (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${longRows - 1})
      INSERT INTO long SELECT i, printf('%.*c', ${longBytes}, 'x') FROM n;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${shortRows - 1})
      INSERT INTO short SELECT i, printf('%.*c', 300, 'y') FROM n;`);
});
afterAll(async () => {
  await source.drop();
  rmSync(folder, { recursive: true, force: true });
});

const clients: { destroy: () => unknown }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Clients that ask, and never read. */
function silent(app: App, text: string, count: number): Socket[] {
  const { port } = new URL(app.url);
  return Array.from({ length: count }, () => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => {});
    clients.push(socket);
    socket.write(text);
    socket.pause();
    return socket;
  });
}

async function started(app: App): Promise<App> {
  await app.start();
  await waitFor(
    'the rows',
    async () => (await request(`${app.url}/v1/tables/short/rows/${shortRows - 1}`)).status === 200,
  );
  await waitFor(
    'the rows',
    async () => (await request(`${app.url}/v1/tables/long/rows/${longRows - 1}`)).status === 200,
  );
  return app;
}

/** The most that is seen while something goes on; rows by key are answered meanwhile. */
async function watched(app: App, doing: () => Promise<void>): Promise<number> {
  let most = 0;
  let over = false;
  const look = async () => {
    while (!over) {
      most = Math.max(most, residentOf(app));
      await new Promise((next) => setTimeout(next, 50));
    }
  };
  const ask = async () => {
    while (!over) {
      const { status } = await request(`${app.url}/v1/tables/short/rows/7`);
      expect(status).toBe(200);
      await new Promise((next) => setTimeout(next, 200));
    }
  };
  const watching = Promise.all([look(), ask()]);
  try {
    await doing();
  } finally {
    over = true;
  }
  await watching;
  return most;
}

/** Nothing is read, until all that wait have been let go of by the clients themselves. */
async function unread(app: App, ask: () => void): Promise<number> {
  const most = await watched(app, async () => {
    ask();
    // What is asked has been begun, and has come to stand.
    await waitFor('the answers to wait', async () => {
      const before = await asked(app);
      await new Promise((next) => setTimeout(next, 1_000));
      return (await asked(app)) === before;
    });
  });
  for (const client of clients.splice(0)) client.destroy();
  return most;
}

/** Requests that were answered, or begun to be, but for those of this file's own looks. */
async function asked(app: App): Promise<number> {
  const { text } = await request(`${app.url}/metrics`);
  const counts = text.matchAll(
    /^writethrough_http_requests_total\{route="(read|rows|changes|tap|query|query-stream)",.*\} (\d+)$/gm,
  );
  return Array.from(counts, ([, , count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}

function residentOf({ pid }: App): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

describe('with a small heap', () => {
  let app: App;
  beforeAll(async () => {
    const env = { NODE_OPTIONS: `--max-old-space-size=${heapMb}` };
    app = await started(await openApp({ args: ['--source', source.url], env }));
  });
  afterAll(() => app.close());

  it('gives a table of long rows to an honest subscriber, and its topic page by page', async () => {
    const most = await watched(app, async () => {
      const stream = await openStream(`${app.url}/v1/tables/long/changes?snapshot=true&format=ndjson`, {});
      let text = '';
      let rows = 0;
      for await (const part of stream.text) {
        text += part;
        rows += text.split('"op":"r"').length - 1;
        text = text.slice(-20).replaceAll('"op":"r"', '');
        if (text.includes('"caught-up"') || part.includes('"op":"caught-up"')) break;
      }
      stream.close();
      expect(rows).toBe(longRows);
      const { topics } = await requestJson<{ topics: { name: string }[] }>(`${app.url}/v1/topics`);
      const { name } = topics.find((topic) => topic.name.endsWith('.long'))!;
      let offset = '0';
      let records = 0;
      for (let pages = 0; records < longRows; pages++) {
        expect(pages).toBeLessThan(longRows);
        const page = await request(`${app.url}/v1/topics/${name}/records?limit=10000&offset=${offset}`);
        expect(page.text.length).toBeLessThan(6 * mb);
        const { records: some, nextOffset } = JSON.parse(page.text) as { records: unknown[]; nextOffset: string };
        records += some.length;
        offset = nextOffset;
      }
      expect(records).toBe(longRows);
    });
    expect(most).toBeLessThan(rssMax);
  });

  it.each([
    ['reads of a whole table', post('/v1/read', '{"reads":[{"table":"short"}]}'), 120],
    ['long rows by key, many in one connection', get('/v1/tables/long/rows/1').repeat(100), 100],
    ['push queries', post('/query-stream', '{"sql":"SELECT * FROM long EMIT CHANGES;"}'), 100],
    ['change streams of long rows', get('/v1/tables/long/changes?snapshot=true'), 300],
  ])('bears %s that nobody reads', async (_what, text, count) => {
    expect(await unread(app, () => silent(app, text, count))).toBeLessThan(rssMax);
  });

  it('bears streams of HTTP/2 connections whose clients give no window', async () => {
    const most = await unread(app, () => {
      for (let i = 0; i < 20; i++) {
        const session = http2Connect(app.url, { settings: { initialWindowSize: 0 } });
        session.on('error', () => {});
        clients.push(session);
        for (let n = 0; n < 500; n++) {
          const stream = session.request({ ':path': '/v1/tables/long/rows/1' });
          stream.on('error', () => {});
          stream.end();
        }
      }
    });
    expect(most).toBeLessThan(rssMax);
  });

  it('is the same process all the time, and gives all that was asked for once there is room', async () => {
    const body = { reads: [{ table: 'short' }] };
    const answer = await waitFor('room', async () => {
      const given = await request(`${app.url}/v1/read`, { body });
      return given.status === 200 && given;
    });
    expect((JSON.parse(answer.text) as { results: { rows: unknown[] }[] }).results[0]!.rows).toHaveLength(shortRows);
    expect(app.log().match(/"writethrough runs"/g)).toHaveLength(1);
  });
});

describe('with few file descriptors', () => {
  let app: App;
  beforeAll(async () => {
    app = await started(await openApp({ args: ['--source', source.url], filesMax: 128 }));
  });
  afterAll(() => app.close());

  it('turns away what is too many, reads and captures on, and takes who comes later', async () => {
    silent(app, get('/v1/tables/short/changes'), 200);
    const { port } = new URL(app.url);
    // Whoever is turned away is told why.
    const refused = await waitFor('a refusal', () =>
      firstBytes(Number(port)).then((text) => text.startsWith('HTTP/1.1 503') && text),
    );
    expect(refused).toMatch(/Retry-After: 1.*"code":"overloaded"/s);
    // Longer than the timers that look at memory.
    await new Promise((next) => setTimeout(next, 6_000));
    await source.execute(`INSERT INTO short VALUES (${shortRows}, 'new')`);
    for (const client of clients.splice(0)) client.destroy();
    await waitFor(
      'the new row',
      async () => (await request(`${app.url}/v1/tables/short/rows/${shortRows}`)).status === 200,
    );
    expect((await request(`${app.url}/v1/tables/short/rows?limit=10`)).status).toBe(200);
    expect((await request(`${app.url}/v1/status`)).status).toBe(200);
    expect(app.log().match(/"writethrough runs"/g)).toHaveLength(1);
  });
});

/** What a connection says to a request; empty where it is cut. */
function firstBytes(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    clients.push(socket);
    let text = '';
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
    socket.on('data', (part) => (text += part.toString()));
    socket.write(get('/v1/tables/short/rows/1'));
    setTimeout(() => resolve(text), 1_000);
  });
}
