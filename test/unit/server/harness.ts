// A server over real sockets with facades that the test fills: every facade call that a test did not expect fails it aloud.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect as http2Connect, type ClientHttp2Session, type IncomingHttpHeaders as Http2Headers } from 'node:http2';
import { connect } from 'node:net';
import { afterEach } from 'vitest';
import type { AnswerBudget } from '../../../src/core/answer-budget.js';
import { AnswerPages } from '../../../src/core/answer-pages.js';
import { silentLogger } from '../../../src/core/logger.js';
import { createMetrics } from '../../../src/core/metrics.js';
import type { SqlRow, SqlRows } from '../../../src/query/query-facade.js';
import type { ServerFacades, ServerOptions } from '../../../src/server/server-context.js';
import { createServer, type WritethroughServer } from '../../../src/server/server.js';
import { noAge } from '../../../src/core/freshness.js';

export const freshness = { version: 'log1:42', lagMs: 7, position: 'mysql=uuid%3A1-9' };

/** What a table summary says of its age. */
export const current = { freshness, age: noAge, stopped: false };

/** What the query room answers to a read. */
export function paged(json: string) {
  return { pages: new AnswerPages([Buffer.from(json)]), etag: `"${json.length}"`, ...freshness };
}

export type FakeFacades = { [Room in keyof ServerFacades]?: Partial<ServerFacades[Room]> };

/** Facades that have what the test gives, and throw for the rest. */
export function fakeFacades(given: FakeFacades): ServerFacades {
  const room = (name: keyof ServerFacades, base: object) =>
    new Proxy(
      { ...base, ...given[name] },
      {
        get(target, member) {
          const value = (target as Record<string | symbol, unknown>)[member];
          if (value === undefined && typeof member === 'string') throw new Error(`the test gave no ${name}.${member}`);
          return value;
        },
      },
    );
  const status = {
    identity: { version: '1.2.3', serviceId: 'wt_', logId: 'log1' },
    readiness: () => ({ ready: true }),
    leadership: () => ({ role: 'leader', leader: null }),
    metrics: () => Promise.resolve([]),
  };
  return {
    query: room('query', {}),
    statements: room('statements', {}),
    connect: room('connect', {}),
    registry: room('registry', {}),
    tap: room('tap', {}),
    topics: room('topics', {}),
    status: room('status', status),
    loggers: room('loggers', {}),
  } as unknown as ServerFacades;
}

const running: WritethroughServer[] = [];
const sessions: ClientHttp2Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await Promise.all(running.splice(0).map((server) => server.close()));
});

export async function startServer(
  given: FakeFacades | undefined,
  options: Partial<ServerOptions> = {},
  answers?: AnswerBudget,
): Promise<TestServer> {
  const server = createServer({
    logger: silentLogger,
    metrics: createMetrics(),
    answers,
    facades: given === undefined ? undefined : fakeFacades(given),
    options: { port: 0, closeMs: 500, ...options },
  });
  running.push(server);
  const { port } = await server.listen();
  return { server, port };
}

export interface TestServer {
  readonly server: WritethroughServer;
  readonly port: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

/** One request over HTTP/1.1, the whole answer. */
export function ask({ port }: TestServer, path: string, { method, headers, body }: Ask = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: headers ?? {},
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve(reply(response.statusCode!, response.headers, Buffer.concat(parts).toString())),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function reply(status: number, headers: IncomingHttpHeaders, body: string): Reply {
  return { status, headers, body, json: () => JSON.parse(body) as unknown };
}

export function http2Session({ port }: TestServer): ClientHttp2Session {
  const session = http2Connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  sessions.push(session);
  return session;
}

export interface Http2Reply extends Reply {
  /** The DATA events as they arrived. */
  readonly frames: readonly string[];
}

/** One request over HTTP/2, the whole answer. */
export function ask2(
  session: ClientHttp2Session,
  path: string,
  { method, headers, body }: Ask = {},
): Promise<Http2Reply> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':path': path,
      ':method': method ?? (body === undefined ? 'GET' : 'POST'),
      ...headers,
    });
    const frames: string[] = [];
    let head: Http2Headers = {};
    stream.on('response', (received) => (head = received));
    stream.on('data', (part: Buffer) => frames.push(part.toString()));
    stream.on('error', reject);
    stream.on('end', () =>
      resolve({ ...reply(Number(head[':status']), head as IncomingHttpHeaders, frames.join('')), frames }),
    );
    stream.end(body);
  });
}

/** Bytes on a bare connection; resolves with what came back when the server closed it, or `until` matched. */
export function raw({ port }: TestServer, send: readonly (string | Buffer)[], until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    let text = '';
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (until?.test(text)) {
        socket.destroy();
        resolve(text);
      }
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    void (async () => {
      for (const part of send) {
        socket.write(part);
        // A turn of the event loop between writes, so that they arrive as separate packets.
        await new Promise((next) => setImmediate(next));
      }
    })();
  });
}

/** Rows of a SELECT, each given as the inner text of its JSON array. */
export function sqlRows(batches: AsyncIterable<readonly SqlRow[]>, over: Partial<SqlRows> = {}): SqlRows {
  return {
    ...freshness,
    queryId: 'query_1',
    columns: [
      { name: 'ID', type: 'INTEGER', isKey: true },
      { name: 'NAME', type: 'STRING', isKey: false },
    ],
    rows: batches,
    cancel: () => {},
    ...over,
  };
}

export async function* batchesOf(
  ...batches: readonly (readonly (string | { readonly deleted: string })[])[]
): AsyncGenerator<SqlRow[]> {
  for (const batch of batches) {
    await Promise.resolve();
    yield batch.map((row) =>
      typeof row === 'string' ? { values: row, tombstone: false } : { values: row.deleted, tombstone: true },
    );
  }
}

/** Waits for a condition, with a deadline. */
export async function waitFor(condition: () => boolean, what: string, ms = 5_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((next) => setTimeout(next, 5));
  }
}
