import { describe, expect, it } from 'vitest';
import { AppError, errorCodes } from '../../../src/core/errors.js';
import { ask, ask2, http2Session, startServer } from './harness.js';

describe('each family has its own shape of error', () => {
  const rich = new AppError('unknown-table', 'there is no table "x"', {
    detail: 'SELECT * FROM x\n              ^',
    hint: 'did you mean "y"?',
    place: { line: 1, column: 15 },
  });

  it('/v1: a problem of RFC 9457 with code, hint and place', async () => {
    const server = await startServer({
      query: {
        point: () => {
          throw rich;
        },
      },
    });
    const reply = await ask(server, '/v1/tables/x/rows/1');
    expect(reply.status).toBe(404);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.json()).toEqual({
      type: '/errors/unknown-table',
      title: errorCodes['unknown-table'][1],
      status: 404,
      code: 'unknown-table',
      detail: 'there is no table "x"\nSELECT * FROM x\n              ^',
      hint: 'did you mean "y"?',
      place: { line: 1, column: 15 },
    });
    expect((await ask(server, '/errors/unknown-table')).json()).toMatchObject({ code: 'unknown-table', status: 404 });
  });

  it('ksqlDB: a statement error with the text, or a generic one', async () => {
    const server = await startServer({
      statements: { run: () => Promise.reject(rich) },
      query: { select: () => Promise.reject(rich), closeQuery: () => false },
    });
    for (const [path, body, text] of [
      ['/ksql', { ksql: 'DROP TABLE x;' }, 'DROP TABLE x;'],
      ['/query', { ksql: 'SELECT * FROM x;' }, 'SELECT * FROM x;'],
      ['/query-stream', { sql: 'SELECT * FROM x;' }, 'SELECT * FROM x;'],
    ] as const) {
      const reply = await ask(server, path, { body: JSON.stringify(body) });
      expect(reply.status).toBe(400);
      expect(reply.json()).toEqual({
        '@type': 'statement_error',
        error_code: 40001,
        message: 'there is no table "x"\nSELECT * FROM x\n              ^\ndid you mean "y"?',
        statementText: text,
        entities: [],
      });
    }
    const unknown = await ask(server, '/close-query', { body: '{"queryId":"nope"}' });
    expect(unknown.status).toBe(400);
    expect(unknown.json()).toMatchObject({ '@type': 'generic_error', error_code: 40000 });
  });

  it('Kafka Connect and the registry: error_code and message', async () => {
    const server = await startServer({
      connect: { info: () => Promise.reject(new AppError('unknown-connector', 'there is no connector "x"')) },
      registry: { versions: () => Promise.reject(new AppError('unknown-subject', 'there is no subject "x"')) },
    });
    const connector = await ask(server, '/connectors/x');
    expect([connector.status, connector.json()]).toEqual([
      404,
      { error_code: 404, message: 'there is no connector "x"' },
    ]);
    expect(connector.headers['writethrough-error-code']).toBe('unknown-connector');
    const subject = await ask(server, '/subjects/x/versions');
    expect([subject.status, subject.json()]).toEqual([404, { error_code: 40401, message: 'there is no subject "x"' }]);
    expect(subject.headers['content-type']).toBe('application/vnd.schemaregistry.v1+json');
  });

  it('a bug is a 500 in every family, and the server goes on', async () => {
    const bug = () => Promise.reject(new TypeError('x is not a function'));
    const server = await startServer({
      query: { tables: bug, select: bug },
      connect: { list: bug },
      registry: { subjects: bug },
    });
    for (const path of ['/v1/tables', '/connectors', '/subjects']) expect((await ask(server, path)).status).toBe(500);
    const query = await ask(server, '/query', { body: '{"ksql":"SELECT 1;"}' });
    expect([query.status, (query.json() as { error_code: number }).error_code]).toEqual([500, 50000]);
    expect((await ask(server, '/livez')).status).toBe(200);
  });
});

describe('paths and methods', () => {
  it.each([
    '/nope',
    '/v1/nope',
    '/v1/tables/t/nope',
    '/v1/tables/',
    '/status/a/b/c',
    '/connectors/x/y/z',
    '/subjects/a/b/c/d',
    '/errors/nope',
  ])('%s is not found', async (path) => {
    const server = await startServer({});
    expect((await ask(server, path)).status).toBe(404);
  });

  it('a wrong method gets 405 with Allow', async () => {
    const server = await startServer({});
    const get = await ask(server, '/ksql');
    expect([get.status, get.headers.allow, get.json()]).toMatchObject([405, 'POST', { error_code: 40500 }]);
    const put = await ask(server, '/v1/tables', { method: 'PUT', body: '{}' });
    expect([put.status, put.headers.allow, put.json()]).toMatchObject([
      405,
      'GET, HEAD',
      { code: 'method-not-allowed' },
    ]);
  });

  it('a path that does not decode is a bad request, also in express', async () => {
    const server = await startServer({});
    expect((await ask(server, '/v1/tables/%zz/rows')).status).toBe(400);
    expect((await ask(server, '/connectors/%zz')).status).toBe(400);
  });
});

describe('bodies', () => {
  const families = ['/v1/read', '/ksql', '/query', '/connectors', '/subjects/s/versions'];

  it('of 10 MB get 413 in the shape of the family, and the connection lives on', async () => {
    const server = await startServer({});
    const body = Buffer.alloc(10 * 1024 * 1024, 'x');
    for (const path of families) {
      const reply = await ask(server, path, { body });
      expect(reply.status).toBe(413);
      expect(reply.headers['writethrough-error-code']).toBe('body-too-large');
    }
    const problem = (await ask(server, '/v1/read', { body })).json();
    expect(problem).toMatchObject({ code: 'body-too-large', status: 413 });
    const session = http2Session(server);
    expect((await ask2(session, '/v1/read', { body })).status).toBe(413);
    expect((await ask2(session, '/livez')).status).toBe(200);
  });

  it('of 10 MB without a length are refused too', async () => {
    const server = await startServer({}, { bodyBytesMax: 1000 });
    const headers = { 'transfer-encoding': 'chunked' };
    expect((await ask(server, '/ksql', { body: Buffer.alloc(20_000, 'x'), headers })).json()).toMatchObject({
      error_code: 41300,
    });
  });

  it('that are not JSON get a bad request in every family', async () => {
    const server = await startServer({});
    for (const path of families) expect((await ask(server, path, { body: '{"a":' })).status).toBe(400);
    expect((await ask(server, '/ksql', { body: '{"a":' })).json()).toMatchObject({
      '@type': 'generic_error',
      error_code: 40000,
    });
    expect((await ask(server, '/v1/read', { body: '{"a":' })).json()).toMatchObject({ code: 'bad-request' });
  });

  it('need no content type', async () => {
    const server = await startServer({ statements: { run: () => Promise.resolve({ results: [] }) } });
    expect((await ask(server, '/ksql', { body: '{"ksql":"SET \'a\'=\'b\';"}' })).json()).toEqual([]);
  });
});

describe('before the rooms are there', () => {
  it('everything but liveness is a 503, ksqlDB with its own code', async () => {
    const server = await startServer(undefined);
    expect((await ask(server, '/livez')).status).toBe(200);
    for (const path of ['/readyz', '/v1/tables', '/v1/tables/t/rows/1', '/connectors', '/subjects']) {
      const reply = await ask(server, path);
      expect(reply.status).toBe(503);
      expect(reply.headers['writethrough-error-code']).toBe('not-ready');
    }
    for (const path of ['/info', '/healthcheck'])
      expect((await ask(server, path)).json()).toMatchObject({ error_code: 50302 });
    expect((await ask(server, '/ksql', { body: '{}' })).json()).toMatchObject({
      '@type': 'generic_error',
      error_code: 50302,
    });
  });

  it('readiness follows the status room afterwards', async () => {
    const server = await startServer({ status: { readiness: () => ({ ready: false, reason: '9 s behind' }) } });
    const reply = await ask(server, '/readyz');
    expect([reply.status, reply.json()]).toEqual([503, { status: 'not-ready', reason: '9 s behind' }]);
  });
});
