// What one client, or many, may open: connections, requests that wait in one of them, streams and idle sessions of HTTP/2, subscriptions.
import { connect as http2Connect, constants, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import type { ServerOptions } from '../../../src/server/server-context.js';
import { connectionsFor, fileLimit } from '../../../src/process/file-limit.js';
import { ask, ask2, freshness, http2Session, raw, startServer, type TestServer, waitFor } from './harness.js';

const facades = {
  query: {
    point: () => ({ json: '{"id":1}', ...freshness }),
    subscribe: async function* ({ signal }: { readonly signal: AbortSignal }) {
      yield [];
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    },
  },
};
const http2 = { streamsPerConnection: 3, streams: 5, idleMs: 60_000 };
const start = (options: Partial<ServerOptions>) => startServer(facades, options);
const path = '/v1/tables/t/rows/1';

const clients: { destroy: () => unknown }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

function open({ port }: TestServer): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  clients.push(socket);
  return socket;
}

function closedWindow({ port }: TestServer): ClientHttp2Session {
  const session = http2Connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 0 } });
  session.on('error', () => {});
  clients.push(session);
  return session;
}

it('turns away a connection that is one too many, with the reason, and takes the next when one is gone', async () => {
  const server = await start({ connectionsMax: 2 });
  const held = [open(server), open(server)];
  await Promise.all(held.map((socket) => new Promise((resolve) => socket.on('connect', resolve))));
  // Both stand at the server, too: the one of them that asks is answered.
  const text = await raw(server, [`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`]);
  expect(text).toMatch(/^HTTP\/1.1 503 .*Retry-After: 1.*"code":"overloaded"/s);
  held[0]!.destroy();
  await waitFor(() => held[0]!.closed, 'the connection to close');
  await expect.poll(async () => (await ask(server, path).catch(() => undefined))?.status).toBe(200);
});

it('closes connections on which nothing is asked for who comes', async () => {
  const server = await start({ connectionsMax: 1 });
  const idle = open(server);
  let text = '';
  idle.on('data', (part) => (text += part.toString()));
  idle.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await waitFor(() => text.includes('{"id":1}'), 'the answer');
  await expect.poll(async () => (await ask(server, path).catch(() => undefined))?.status).toBe(200);
});

it('cuts a connection with more requests waiting than may, and answers those of one with fewer', async () => {
  const server = await start({});
  const get = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n`;
  const most = bounds.http1Pipelined.value;
  const text = await raw(server, [`${`${get}\r\n`.repeat(most)}${get}Connection: close\r\n\r\n`]);
  expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(most + 1);
  const cut = await raw(server, [`${get}\r\n`.repeat(most + 2)]).catch(() => '');
  expect(cut).not.toMatch(/(HTTP\/1.1 200.*){129}/s);
});

it('takes so many streams of one HTTP/2 connection, so many of all, and more when some have ended', async () => {
  const server = await start({ http2 });
  const outcome = async (session: ClientHttp2Session) => {
    const stream = session.request({ ':path': path });
    stream.on('error', () => {});
    stream.end();
    return new Promise<unknown>((resolve) => {
      stream.on('response', (head) => resolve(head[':status']));
      stream.on('close', () => resolve(stream.rstCode));
    });
  };
  const [first, second] = [closedWindow(server), closedWindow(server)];
  const settled = (session: ClientHttp2Session) => new Promise((resolve) => session.on('remoteSettings', resolve));
  await Promise.all([settled(first), settled(second)]);
  expect(first.remoteSettings.maxConcurrentStreams).toBe(3);
  expect([await outcome(first), await outcome(first), await outcome(first)]).toEqual([200, 200, 200]);
  expect([await outcome(second), await outcome(second)]).toEqual([200, 200]);
  expect(await outcome(second)).toBe(constants.NGHTTP2_REFUSED_STREAM);
  // HTTP/1.1 is not meant.
  expect((await ask(server, path)).status).toBe(200);
  first.destroy();
  await expect.poll(() => outcome(second)).toBe(200);
});

it('ends HTTP/2 connections without a request, however much they ping', async () => {
  const server = await start({ http2: { ...http2, idleMs: 100 } });
  const session = http2Session(server);
  expect((await ask2(session, path)).status).toBe(200);
  const ping = setInterval(() => session.closed || session.destroyed || session.ping(() => {}), 10);
  await waitFor(() => session.closed || session.destroyed, 'the session to end');
  clearInterval(ping);
});

it('refuses a subscription that is one too many, and takes it when one is gone', async () => {
  const server = await start({ subscribersMax: 1 });
  const changes = '/v1/tables/t/changes';
  const first = open(server);
  first.resume();
  first.write(`GET ${changes} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await new Promise((resolve) => first.once('data', resolve));
  const refused = await ask(server, changes);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('1');
  expect(refused.json()).toMatchObject({ code: 'overloaded' });
  first.destroy();
  const status = () => raw(server, [`GET ${changes} HTTP/1.1\r\nHost: localhost\r\n\r\n`], /retry: |overloaded/);
  await expect.poll(status).toMatch(/^HTTP\/1.1 200/);
});

it('leaves files for the process itself, whatever the limit', () => {
  const limits = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}        4096       files\n`;
  expect(fileLimit(() => limits('128'))).toBe(128);
  expect(fileLimit(() => limits('unlimited'))).toBe(Number.POSITIVE_INFINITY);
  expect(fileLimit(() => 'nothing of the kind')).toBeUndefined();
  for (const files of [0, 64, 100, 128, 256, 1024, 65_536, 1e9, Number.POSITIVE_INFINITY]) {
    const connections = connectionsFor(files);
    expect(connections).toBeGreaterThanOrEqual(8);
    expect(connections).toBeLessThanOrEqual(10_000);
    if (files >= 128) expect(files - connections).toBeGreaterThanOrEqual(64);
  }
  expect(connectionsFor(undefined)).toBeGreaterThan(100);
});
