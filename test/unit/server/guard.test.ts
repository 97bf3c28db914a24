import { describe, expect, it } from 'vitest';
import { ask, ask2, freshness, http2Session, startServer } from './harness.js';

const facades = {
  query: { point: () => ({ json: '{}', ...freshness }) },
  statements: { run: () => Promise.resolve({ results: [] }) },
  connect: { pause: () => Promise.resolve() },
};
const row = '/v1/tables/t/rows/1';
const statement = { method: 'POST', body: '{"ksql":"DROP TABLE t;"}' };

describe('the Host header', () => {
  it.each([
    'localhost',
    'localhost:8088',
    '127.0.0.1:1',
    '127.9.9.9',
    '[::1]:8088',
    'LOCALHOST.',
    'app.localhost',
    'Db.Internal:80',
  ])('%s is one of ours', async (host) => {
    const server = await startServer(facades, { allowedHosts: ['db.internal'] });
    expect((await ask(server, row, { headers: { host } })).status).toBe(200);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1', 'evil.example:8088'])(
    '%j is not: DNS rebinding, also for reads',
    async (host) => {
      const server = await startServer(facades);
      const reply = await ask(server, row, { headers: { host } });
      expect(reply.status).toBe(403);
      expect(reply.json()).toMatchObject({ code: 'foreign-origin' });
    },
  );

  it('is checked as :authority on HTTP/2', async () => {
    const server = await startServer(facades);
    const session = http2Session(server);
    expect((await ask2(session, row, { headers: { ':authority': 'evil.example' } })).status).toBe(403);
    expect((await ask2(session, row)).status).toBe(200);
  });
});

describe('requests, reads too,', () => {
  it.each([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ origin: 'http://localhost:3000', host: 'localhost:8088' }],
  ])('from a page of another origin are refused: %j', async (headers) => {
    const server = await startServer(facades);
    const ksql = await ask(server, '/ksql', { ...statement, headers });
    expect([ksql.status, ksql.json()]).toMatchObject([403, { error_code: 40300 }]);
    const pause = await ask(server, '/connectors/c/pause', { method: 'PUT', headers });
    expect([pause.status, pause.json()]).toMatchObject([403, { error_code: 403 }]);
    for (const path of [row, '/v1/tables/t/changes', '/', '/metrics', '/connectors', '/subjects'])
      expect([path, (await ask(server, path, { headers })).status]).toEqual([path, 403]);
    expect((await ask(server, row, { method: 'HEAD', headers })).status).toBe(403);
    expect((await ask(server, row, { method: 'OPTIONS', headers })).status).toBe(403);
  });

  it('from elsewhere are allowed for a link to the front page, and for nothing but it', async () => {
    const server = await startServer(facades);
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await ask(server, '/', { headers: link })).status).toBe(307);
    expect((await ask(server, '/', { headers: { ...link, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
    expect((await ask(server, '/', { method: 'POST', body: '', headers: link })).status).toBe(403);
    expect((await ask(server, row, { headers: link })).status).toBe(403);
  });

  it('are refused over HTTP/2, too', async () => {
    const server = await startServer(facades);
    const reply = await ask2(http2Session(server), row, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect([reply.status, reply.json()]).toMatchObject([403, { code: 'foreign-origin' }]);
  });

  it.each([
    [{}],
    [{ host: 'localhost:8088', origin: 'http://localhost:8088', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
    [{ origin: 'https://console.example' }],
  ])('from programs, our own pages and configured origins pass: %j', async (headers) => {
    const server = await startServer(facades, { allowedOrigins: ['https://console.example'] });
    expect((await ask(server, '/ksql', { ...statement, headers })).status).toBe(200);
    expect((await ask(server, '/connectors/c/pause', { method: 'PUT', headers })).status).toBe(202);
    expect((await ask(server, row, { headers })).status).toBe(200);
  });
});
