import type { Express } from 'express';
import { describe, expect, it } from 'vitest';
import { openApi } from '../../../src/server/openapi.js';
import type { ServiceStatus } from '../../../src/server/status-facade.js';
import type { AnswerRoad } from '../../../src/server/answer-road.js';
import { createConnectApp } from '../../../src/server/connect-app.js';
import { createRegistryApp } from '../../../src/server/registry-app.js';
import { routedPaths } from '../../../src/server/router.js';
import { silentLogger } from '../../../src/core/logger.js';
import { ask, ask2, current, freshness, http2Session, startServer } from './harness.js';

const status: ServiceStatus = {
  positions: {},
  ...freshness,
  role: 'leader',
  leader: null,
  serviceVersion: '1.2.3',
  uptimeSeconds: 5,
  state: 'running',
  reasons: [],
  connectors: [],
  tables: [{ name: '<b>', rows: 2, visible: true, lagMs: 7, standing: 'catching-up', containsUpTo: '' }],
  queries: [],
  rebuilds: [],
  memory: { rssBytes: 1, heapBytes: 1, dataBytes: 1 },
};
const tables = () =>
  Promise.resolve({
    tables: [{ name: '<b>', rowCount: 2, visible: true, schema: { columns: [], keyColumns: [] }, ...current }],
    ...freshness,
  });

describe('the service about itself', () => {
  it('gives its status with freshness', async () => {
    const server = await startServer({ status: { status: () => Promise.resolve(status) } });
    const reply = await ask(server, '/v1/status');
    expect(reply.json()).toEqual(status);
    expect(reply.headers['writethrough-version']).toBe('log1:42');
  });

  it('greets browsers with a page in which nothing is left unescaped', async () => {
    const server = await startServer({ query: { tables }, status: { status: () => Promise.resolve(status) } });
    const reply = await ask(server, '/', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
    expect(reply.status).toBe(200);
    expect(reply.headers['content-security-policy']).toContain("default-src 'none'");
    expect(reply.body).toContain('&lt;b&gt;');
    expect(reply.body).not.toContain('<b>');
  });

  it('exposes metrics in the text form of Prometheus', async () => {
    const server = await startServer({ query: { point: () => ({ json: '{}', ...freshness }) } });
    await ask(server, '/v1/tables/t/rows/1');
    await ask2(http2Session(server), '/v1/tables/t/rows/1');
    await ask(server, '/nope');
    const reply = await ask(server, '/metrics');
    expect(reply.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(reply.body).toContain('writethrough_http_requests_total{route="row",status="200"} 2\n');
    expect(reply.body).toContain('writethrough_http_requests_total{route="other",status="404"} 1\n');
    expect(reply.body).toContain('writethrough_pull_seconds_bucket{route="row",le="+Inf"} 2\n');
    expect(reply.body).toContain('writethrough_pull_seconds_count{route="row"} 2\n');
    expect(reply.body).toMatch(/process_resident_memory_bytes \d+\n/);
    for (const line of reply.body.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [-+.\deInfNa]+)$/);
    }
  });
});

/** Calls of the originals that are answered with 405 and a hint: no part of the description. */
const refused = new Set(['delete /subjects/{}/versions/{}']);

function expressRoutes(app: Express): string[] {
  return (app.router.stack as unknown as { route?: { path: string | string[]; methods: Record<string, boolean> } }[])
    .flatMap(({ route }) => (route === undefined ? [] : [route]))
    .flatMap(({ path, methods }) =>
      [path]
        .flat()
        .flatMap((one) => Object.keys(methods).map((method) => `${method} ${one.replaceAll(/:\w+/g, '{}')}`)),
    );
}

describe('/openapi.json', () => {
  const description = openApi('1.2.3') as {
    paths: Record<
      string,
      Record<string, { summary: string; responses: object; parameters?: { name: string; in: string }[] }>
    >;
    components: { schemas: Record<string, unknown> };
  };

  it('is what the server serves', async () => {
    const server = await startServer({});
    expect((await ask(server, '/openapi.json')).json()).toEqual(description);
  });

  it('names no path or method that the server does not have', async () => {
    const server = await startServer({});
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const method of Object.keys(methods)) {
        const concrete = path
          .replace('{version}', '1')
          .replace('{id}', '1')
          .replace('{code}', 'internal')
          .replace('{name}', 'auto.offset.reset')
          .replace(/\{\w+\}/g, 'x');
        const reply = await ask(server, concrete, {
          method: method.toUpperCase(),
          ...(method === 'get' ? {} : { body: '{}' }),
        });
        const code = reply.headers['writethrough-error-code'];
        expect([path, method, code]).not.toEqual([path, method, 'unknown-route']);
        expect([path, method, reply.status === 405]).toEqual([path, method, false]);
      }
    }
  });

  it('has every path and method that the server answers', () => {
    const known = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`),
    );
    const paths = new Set(known.map((text) => text.slice(text.indexOf(' ') + 1)));
    for (const path of routedPaths) {
      expect([path, [...paths].some((it) => it === path || (path.endsWith('/') && it.startsWith(path)))]).toEqual([
        path,
        true,
      ]);
    }
    const options = { bodyBytesMax: 1, logger: silentLogger, road: {} as AnswerRoad };
    const unused = (): never => expect.fail('nothing is asked of it');
    const missing = [createConnectApp(unused, options), createRegistryApp(unused, options)].flatMap((app) =>
      expressRoutes(app).filter((route) => !known.includes(route) && !refused.has(route)),
    );
    expect(missing).toEqual([]);
  });

  it('declares every parameter of its paths and refers only to schemas that it has', () => {
    for (const [path, methods] of Object.entries(description.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const { parameters = [] } of Object.values(methods)) {
        expect(parameters.filter((p) => p.in === 'path').map((p) => p.name)).toEqual(names);
      }
    }
    for (const [, name] of JSON.stringify(description).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      expect(Object.keys(description.components.schemas)).toContain(name);
    }
  });
});
