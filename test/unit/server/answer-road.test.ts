// The law of answers: whatever is asked, over whichever protocol, a client that takes nothing is cut off, all that waits is in one sum that
// never passes its bound, and the sum is nothing again when the clients are gone.
import { connect as http2Connect, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AnswerBudget } from '../../../src/core/answer-budget.js';
import { AnswerPages } from '../../../src/core/answer-pages.js';
import type { ChangeItem, SubscribeOptions } from '../../../src/query/query-facade.js';
import {
  ask,
  ask2,
  batchesOf,
  type FakeFacades,
  freshness,
  http2Session,
  raw,
  sqlRows,
  startServer,
  type TestServer,
  waitFor,
} from './harness.js';

const mb = 1024 * 1024;
/** More than the buffers of both ends of a connection hold. */
const longBytes = 12 * mb;
const long = `{"text":"é${'x'.repeat(longBytes - 20)}"}`;

const clients: { destroy: () => unknown }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** Asks, and never reads. */
function silent({ port }: TestServer, path: string, body?: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  clients.push(socket);
  const head = `${body === undefined ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  socket.write(`${head}${body === undefined ? '' : `Content-Length: ${body.length}\r\n`}\r\n${body ?? ''}`);
  socket.pause();
  return socket;
}

/** A session whose client takes no byte of any answer. */
function closedWindow({ port }: TestServer): ClientHttp2Session {
  const session = http2Connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  clients.push(session);
  return session;
}

function silent2(session: ClientHttp2Session, path: string, body?: string) {
  const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' });
  stream.on('error', () => {});
  stream.end(body);
  return stream;
}

async function* endless(row: ChangeItem, { signal }: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
  yield [];
  for (;;) {
    if (signal.aborted) return;
    yield [row];
    await new Promise((next) => setImmediate(next));
  }
}

const change: ChangeItem = { id: 'log1:1.0', op: 'c', json: `{"x":"${'x'.repeat(mb)}"}` };
const record = { offset: '0', timestamp: 0, key: null, value: { encoding: 'utf8' as const, text: long }, headers: {} };
let budget: AnswerBudget;
const pages = () => {
  const parts = Array.from({ length: 12 }, () => Buffer.alloc(mb, 'x'));
  return new AnswerPages(parts, budget.take(12 * mb));
};

/** Every kind of answer, each longer than the buffers of a connection. */
const facades: FakeFacades = {
  query: {
    point: () => ({ json: long, ...freshness }),
    rows: async () => ({ pages: pages(), etag: '"e"', ...freshness }),
    read: async () => ({ pages: pages(), etag: '"e"', ...freshness }),
    select: async (sql) =>
      sqlRows(batchesOf(...Array.from({ length: 12 }, () => [`"${'x'.repeat(mb)}"`])), sql.includes('EMIT') ? {} : {}),
    subscribe: (options) => endless(change, options),
  },
  tap: { records: async () => ({ records: [record], nextOffset: '1', endOffset: '1' }) },
  connect: { plugins: () => [{ class: long, type: 'source', version: '1' }] as never },
  registry: { subjects: async () => [long] as never },
};

const kinds: readonly (readonly [path: string, body?: string])[] = [
  ['/v1/tables/t/rows/1'],
  ['/v1/tables/t/rows'],
  ['/v1/read', '{"reads":[{"table":"t"}]}'],
  ['/v1/topics/t/records'],
  ['/v1/topics/t/records?format=ndjson'],
  ['/v1/tables/t/changes'],
  ['/v1/tables/t/changes?format=ndjson&snapshot=true'],
  ['/query', '{"ksql":"SELECT * FROM t;"}'],
  ['/query-stream', '{"sql":"SELECT * FROM t EMIT CHANGES;"}'],
];
/** Answered over HTTP/1.1 alone. */
const adminKinds = [['/connector-plugins'], ['/subjects']] as const;

async function dropped(server: TestServer): Promise<number> {
  const text = (await ask(server, '/metrics')).body;
  return Number(/^writethrough_subscriber_dropped_total (\d+)$/m.exec(text)![1]);
}

describe('a client that takes nothing', () => {
  it('is cut off, whatever it has asked for, over both protocols, and leaves nothing behind', async () => {
    budget = new AnswerBudget(1024 * mb);
    const server = await startServer(facades, { stallMs: 200 }, budget);
    for (const [path, body] of [...kinds, ...adminKinds]) silent(server, path, body);
    const session = closedWindow(server);
    const streams = kinds.map(([path, body]) => silent2(session, path, body));
    const expected = 2 * kinds.length + adminKinds.length;
    const seen = async () => (await dropped(server)) >= expected;
    const end = performance.now() + 10_000;
    while (!(await seen()) && performance.now() < end) await new Promise((next) => setTimeout(next, 20));
    expect(await dropped(server)).toBe(expected);
    await waitFor(() => streams.every((stream) => stream.closed), 'streams to end');
    await waitFor(() => budget.bytes === 0, 'all to be given back');
  });

  it('is cut off when it is a small answer that it does not take', async () => {
    budget = new AnswerBudget(mb);
    const server = await startServer(
      { query: { point: () => ({ json: '{"id":1}', ...freshness }) } },
      { stallMs: 50 },
      budget,
    );
    const stream = silent2(closedWindow(server), '/v1/tables/t/rows/1');
    await waitFor(() => stream.closed, 'the stream to end');
    expect(await dropped(server)).toBe(1);
    await waitFor(() => budget.bytes === 0, 'all to be given back');
  });
});

describe('the sum of answers', () => {
  it('stays under its bound with any number of clients that read nothing; the others hear overloaded, or are let go', async () => {
    budget = new AnswerBudget(50 * mb, { patienceMs: 60_000 });
    const server = await startServer(facades, { stallMs: 60_000 }, budget);
    let most = 0;
    const watch = setInterval(() => (most = Math.max(most, budget.bytes)), 1);
    for (let i = 0; i < 3; i++) silent(server, '/v1/tables/t/rows/1');
    for (const [path, body] of kinds) silent(server, path, body);
    const session = closedWindow(server);
    for (const [path, body] of kinds) silent2(session, path, body);
    await waitFor(() => budget.bytes > 40 * mb, 'answers to wait');
    for (const reply of [
      await ask(server, '/v1/tables/t/rows/1'),
      await ask2(http2Session(server), '/v1/tables/t/rows/1'),
    ]) {
      expect(reply.status).toBe(503);
      expect(reply.headers).toMatchObject({ 'retry-after': '1', 'writethrough-error-code': 'overloaded' });
      expect(reply.json()).toMatchObject({ code: 'overloaded', status: 503 });
    }
    expect((await ask(server, '/connector-plugins')).json()).toMatchObject({ error_code: 503 });
    expect((await ask(server, '/subjects')).status).toBe(503);
    // What is small is answered all the same.
    expect((await ask(server, '/livez')).status).toBe(200);
    clearInterval(watch);
    expect(most).toBeLessThanOrEqual(budget.bytesMax);
    for (const client of clients.splice(0)) client.destroy();
    await waitFor(() => budget.bytes === 0, 'all to be given back');
    expect((await ask(server, '/v1/tables/t/rows/1')).body).toBe(long);
  });

  it('makes room for who comes by cutting off who has taken nothing for a while', async () => {
    budget = new AnswerBudget(15 * mb, { patienceMs: 50 });
    const server = await startServer(facades, { stallMs: 60_000 }, budget);
    silent(server, '/v1/tables/t/rows/1');
    await waitFor(() => budget.bytes > 10 * mb, 'the answer to wait');
    await new Promise((next) => setTimeout(next, 100));
    expect((await ask(server, '/v1/tables/t/rows/1')).body).toBe(long);
    expect(await dropped(server)).toBe(1);
  });
});

describe('a long answer', () => {
  it('arrives whole over both protocols, as one body with its length', async () => {
    budget = new AnswerBudget(50 * mb);
    const server = await startServer(facades, {}, budget);
    for (const reply of [
      await ask(server, '/v1/tables/t/rows/1'),
      await ask2(http2Session(server), '/v1/tables/t/rows/1'),
    ]) {
      expect(reply.body === long).toBe(true);
      expect(reply.headers['content-length']).toBe(String(Buffer.byteLength(long)));
    }
    for (const reply of [await ask(server, '/v1/tables/t/rows'), await ask2(http2Session(server), '/v1/tables/t/rows')])
      expect(reply.body).toHaveLength(12 * mb);
    const head = await ask(server, '/v1/tables/t/rows', { method: 'HEAD' });
    expect(head.headers['content-length']).toBe(String(12 * mb));
    expect((await ask(server, '/v1/tables/t/rows', { headers: { 'if-none-match': '"e"' } })).status).toBe(304);
    expect(budget.bytes).toBe(0);
  });

  it('keeps its place among answers that are asked for at once', async () => {
    budget = new AnswerBudget(50 * mb);
    const server = await startServer(facades, {}, budget);
    const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`;
    const text = await raw(server, [
      `${get('/livez')}\r\n${get('/v1/tables/t/rows')}\r\n${get('/livez')}Connection: close\r\n\r\n`,
    ]);
    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(3);
    expect(text.endsWith('{"status":"live"}')).toBe(true);
    expect(budget.bytes).toBe(0);
  });
});

describe('a client that has gone before its answer is there', () => {
  it('leaves nothing behind', async () => {
    budget = new AnswerBudget(50 * mb);
    const waiting: (() => void)[] = [];
    const late = <T>(make: () => T) => new Promise<T>((resolve) => waiting.push(() => resolve(make())));
    const given = { pages, etag: '"e"', ...freshness };
    const server = await startServer(
      {
        query: {
          rows: () => late(() => ({ ...given, pages: pages() })),
          tables: () => late(() => ({ tables: [], ...freshness })),
        },
      },
      { stallMs: 60_000 },
      budget,
    );
    const gone = ['/v1/tables/t/rows', '/v1/tables'].map((path) => silent(server, path));
    await waitFor(() => waiting.length === 2, 'both to be asked');
    for (const socket of gone) socket.destroy();
    await waitFor(() => gone.every(({ closed }) => closed), 'both to be gone');
    await ask(server, '/livez');
    for (const give of waiting) give();
    await waitFor(() => budget.bytes === 0, 'all to be given back');
  });
});

describe('a change stream whose client takes nothing for a while', () => {
  it('gives its page up, and goes on behind the last event that was written', async () => {
    budget = new AnswerBudget(50 * mb);
    const places: (string | undefined)[] = [];
    const total = 60;
    const subscribe = async function* ({ after, signal }: SubscribeOptions): AsyncGenerator<readonly ChangeItem[]> {
      places.push(after);
      yield [];
      const from = after === undefined ? 0 : Number(after.split(':')[1]);
      const item = (i: number): ChangeItem => ({
        id: `log1:${i}`,
        op: 'c',
        json: `{"i":${i},"x":"${'x'.repeat(mb / 4)}"}`,
      });
      for (let i = from + 1; i <= total; i += 4)
        yield [item(i), item(i + 1), item(i + 2), item(i + 3)].filter(({ id }) => Number(id.slice(5)) <= total);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    const server = await startServer({ query: { subscribe } }, {}, budget);
    const socket = silent(server, '/v1/tables/t/changes?format=ndjson');
    await waitFor(() => places.length === 1 && budget.bytes > 0, 'the stream to stand');
    await new Promise((next) => setTimeout(next, 700));
    const seen: number[] = [];
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
      for (const match of text.matchAll(/"i":(\d+),/g)) seen.push(Number(match[1]));
      text = text.slice(-12).replaceAll(/"i":\d+,/g, '');
    });
    socket.resume();
    await waitFor(() => seen.length >= total, 'all events');
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(places.length).toBeGreaterThan(1);
  });
});
