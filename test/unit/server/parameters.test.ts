// What a path is asked by: its description declares it, the server takes that and nothing else.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkParameters, type DeclaredParameter } from '../../../src/server/declared-parameters.js';
import { describedPaths } from '../../../src/server/openapi.js';
import { snapshotRequests } from '../../../src/server/snapshot-body.js';
import { ask, ask2, freshness, http2Session, startServer } from './harness.js';

interface Described {
  readonly path: string;
  readonly method: string;
  readonly declared: readonly (DeclaredParameter & { readonly description: string })[];
}

const operations: readonly Described[] = Object.entries(
  describedPaths as Record<string, Record<string, { parameters?: Described['declared'] }>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { parameters = [] }]) => ({
    path: path.replaceAll(/\{\w+\}/g, '1'),
    method: method.toUpperCase(),
    declared: parameters.filter((parameter) => parameter.in === 'query'),
  })),
);

const codeOf = (path: string, method: string, query: string): string => {
  try {
    checkParameters({ path, method, query });
    return 'taken';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('every path that is described', () => {
  it.each(operations.map(({ path, method, declared }) => [method, path, declared] as const))(
    '%s %s takes its own parameters alone',
    (method, path, declared) => {
      expect(codeOf(path, method, 'nope=1')).toBe('unknown-parameter');
      if (method === 'GET') expect(codeOf(path, 'HEAD', 'nope=1')).toBe('unknown-parameter');
      for (const { name, schema } of declared) {
        const value = String(schema.const ?? (schema.type === 'boolean' ? 'true' : '1'));
        expect([name, codeOf(path, method, `${name}=${value}`)]).toEqual([name, 'taken']);
        const twice = codeOf(path, method, `${name}=${value}&${name}=${value}`);
        expect([name, twice]).toEqual([name, schema.type === 'array' ? 'taken' : 'bad-request']);
        if (schema.type === 'boolean')
          expect([name, codeOf(path, method, `${name}=maybe`)]).toEqual([name, 'bad-request']);
        if (schema.const !== undefined)
          expect([name, codeOf(path, method, `${name}=else`)]).toEqual([name, 'bad-request']);
      }
    },
  );

  it('is asked by what it declares: a handler reads each of its parameters, and no other', () => {
    const folder = join(import.meta.dirname, '../../../src/server');
    const handlers = readdirSync(folder).filter((name) => !name.startsWith('openapi'));
    const text = handlers.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    const all = operations.flatMap(({ declared }) => declared);
    for (const { name, description } of all) {
      if (description.startsWith('known, and without effect')) continue;
      expect([name, new RegExp(`'${name}'`).test(text) || /fetchMaxId|format/.test(name)]).toEqual([name, true]);
    }
    const read = text.matchAll(
      /(?:params\.get\(|(?:queryParam|flagParam)\(request, |(?:wholeNumber|flag)\(params, )'(\w+)'/g,
    );
    const declared = new Set(all.map(({ name }) => name));
    for (const [, name] of read) expect([name, declared.has(name!)]).toEqual([name, true]);
  });

  it.each([
    ['GET', '/v1/tables/t/rows', 'limt=1', 'did you mean "limit"?'],
    ['GET', '/v1/tables/t/rows/a/b', 'atleast=1', 'did you mean "atLeast"?'],
    ['GET', '/v1/tables/t/rows/', 'where=1', 'it takes position, atLeast, waitMs, stale, numbers'],
    ['DELETE', '/CONNECTORS/c/', 'topic=true', 'did you mean "topics"?'],
    ['GET', '/status/stream/a/create', 'x=1', 'it takes none'],
  ])('%s %s?%s is told: %s', (method, path, query, hint) => {
    try {
      checkParameters({ method, path, query });
      expect.fail('it is taken');
    } catch (error) {
      expect(error).toMatchObject({ code: 'unknown-parameter', hint });
    }
  });

  it.each([
    ['GET', '/nothing/here', 'x=1'],
    ['PUT', '/v1/tables', 'x=1'],
  ])('%s %s?%s is left to the router', (method, path, query) => {
    expect(codeOf(path, method, query)).toBe('taken');
  });
});

describe('in the shape of its family', () => {
  it.each([
    ['/v1/tables/t/rows/7?where=x', 'GET', { code: 'unknown-parameter', status: 400 }],
    ['/v1/tables/t/changes?columns=a', 'GET', { code: 'unknown-parameter' }],
    ['/query?where=x', 'POST', { error_code: 40000 }],
    ['/connectors?expnd=status', 'GET', { error_code: 400 }],
    ['/connectors/c/pause?force=true', 'PUT', { error_code: 400 }],
    ['/subjects?prefix=a', 'GET', { error_code: 400 }],
    ['/admin/loggers?x=1', 'GET', { error_code: 400 }],
    ['/v3/clusters?x=1', 'GET', { error_code: 400 }],
    ['/metrics?x=1', 'GET', { code: 'unknown-parameter' }],
  ])('%s is refused before anything is done', async (path, method, body) => {
    const server = await startServer({});
    const reply = await ask(server, path, { method, ...(method === 'GET' ? {} : { body: '{}' }) });
    expect([reply.status, reply.headers['writethrough-error-code']]).toEqual([400, 'unknown-parameter']);
    expect(reply.json()).toMatchObject(body);
  });

  it('over HTTP/2, too', async () => {
    const server = await startServer({});
    const reply = await ask2(http2Session(server), '/v1/tables?where=x');
    expect([reply.status, reply.json()]).toMatchObject([400, { code: 'unknown-parameter' }]);
  });

  it('what the clients of others always send is taken', async () => {
    const found = { schema: '"string"', schemaType: 'AVRO' as const, maxId: 1 };
    const server = await startServer({
      registry: {
        byId: () => Promise.resolve(found),
        subjects: (_prefix, shown) => Promise.resolve(shown === 'deleted' ? [] : ['a', 'b', 'c']),
        versions: () => Promise.resolve([1, 2]),
        register: () => Promise.resolve({ id: 1 }),
      },
      connect: { restart: () => Promise.resolve(), status: () => Promise.reject(new Error('not asked')) },
    });
    const schema = { method: 'POST', body: '{"schema":"\\"string\\""}' };
    expect((await ask(server, '/schemas/ids/1?fetchMaxId=false&subject=s')).status).toBe(200);
    expect((await ask(server, '/subjects/s/versions?normalize=false', schema)).status).toBe(200);
    expect((await ask(server, '/subjects?deleted=true&subjectPrefix=&offset=1&limit=1')).json()).toEqual(['b']);
    expect((await ask(server, '/subjects?deletedOnly=true')).json()).toEqual([]);
    expect((await ask(server, '/subjects/s/versions?limit=-1')).json()).toEqual([1, 2]);
    const restart = await ask(server, '/connectors/c/restart?includeTasks=False&forward=false', { method: 'POST' });
    expect(restart.status).toBe(204);
  });
});

describe('members of a JSON body', () => {
  const read = (body: object) => ({ method: 'POST', body: JSON.stringify(body) });
  it.each([
    ['/v1/read', { reads: [{ table: 't' }], wait: 1 }, 'unknown-parameter', /"wait"/],
    ['/v1/read', { reads: [{ table: 't', column: 'a' }] }, 'unknown-parameter', /"reads" item 0 has an unknown member/],
    ['/v1/read', { reads: [{ table: 't', key: '1', after: '5' }] }, 'bad-request', /rows behind "after"/],
    ['/connectors', { name: 'c', config: {}, confg: {} }, 'unknown-parameter', /"confg/],
    ['/connectors/c/verify', { table: ['a'] }, 'unknown-parameter', /tables/],
    ['/connectors/c/snapshot', { tabels: ['a'] }, 'unknown-parameter', /tables/],
  ])('%s refuses %j', async (path, body, code, told) => {
    const unused = () => Promise.reject(new Error('it is asked'));
    const server = await startServer({ connect: { verify: unused, snapshot: unused, create: unused } });
    const reply = await ask(server, path, read(body));
    expect([reply.status, reply.headers['writethrough-error-code']]).toEqual([400, code]);
    expect(reply.body.replaceAll('\\"', '"')).toMatch(told);
  });

  it('of a signal of Debezium are known', () => {
    const data = { 'data-collections': ['a.b'], 'surrogate-key': 'id' };
    expect(snapshotRequests({ id: '1', type: 'execute-snapshot', data })).toEqual([{ tables: ['a.b'] }]);
    expect(() => snapshotRequests({ type: 'execute-snapshot', data, wher: 'x' })).toThrow('unknown member "wher"');
  });

  it('under names that every object has are seen', async () => {
    const configs: unknown[] = [];
    const server = await startServer({
      connect: {
        create: (_name, config) => {
          configs.push(Object.entries(config));
          return Promise.resolve({ name: 'c', config, tasks: [], type: 'source' as const });
        },
      },
    });
    const config = '{"name":"c","config":{"__proto__":"x","constructor":"y"}}';
    expect((await ask(server, '/connectors', { method: 'POST', body: config })).status).toBe(201);
    expect(configs).toEqual([
      [
        ['__proto__', 'x'],
        ['constructor', 'y'],
        ['name', 'c'],
      ],
    ]);
  });
});

describe('properties of a request', () => {
  it.each([
    ['/ksql', { ksql: 'SHOW TABLES;', streamsProperties: { 'auto.ofset.reset': 'latest' } }],
    ['/query', { ksql: 'SELECT * FROM t EMIT CHANGES;', streamsProperties: { nope: 1 } }],
    ['/query-stream', { sql: 'SELECT * FROM t EMIT CHANGES;', properties: { constructor: '1' } }],
    ['/query-stream', { sql: 'SELECT * FROM t EMIT CHANGES;', properties: { 'auto.offset.reset': 'middle' } }],
  ])('%s refuses %j', async (path, body) => {
    const server = await startServer({ statements: { run: () => Promise.reject(new Error('it is run')) } });
    const reply = await ask(server, path, { method: 'POST', body: JSON.stringify(body) });
    expect([reply.status, reply.json()]).toMatchObject([400, { error_code: 40000 }]);
  });

  it('are handed on under the name that has their effect', async () => {
    const seen: unknown[] = [];
    const server = await startServer({
      query: {
        select: (_sql, properties) => {
          seen.push(properties);
          return Promise.reject(new Error('enough'));
        },
        point: () => ({ json: '{}', ...freshness }),
      },
    });
    const properties = {
      'ksql.streams.auto.offset.reset': 'Latest',
      'ksql.streams.producer.linger.ms': 5,
      'cache.max.bytes.buffering': null,
    };
    await ask(server, '/query-stream', {
      method: 'POST',
      body: JSON.stringify({ sql: 'SELECT * FROM t EMIT CHANGES;', properties }),
    });
    expect(seen).toEqual([{ 'auto.offset.reset': 'latest', 'ksql.streams.producer.linger.ms': 5 }]);
  });
});
