import { describe, expect, it } from 'vitest';
import { AppError, toErrorMessage } from '../../../src/core/errors.js';
import { applied } from '../../../src/projector/statement-results.js';
import { ask, ask2, http2Session, startServer } from './harness.js';

describe('/ksql', () => {
  const created = {
    '@type': 'currentStatus',
    statementText: 'CREATE TABLE A ...;',
    commandId: 'table/`A`/create',
    commandStatus: { status: 'SUCCESS', message: 'Table created', queryId: null },
    commandSequenceNumber: 7,
    warnings: [],
  };

  const result = applied(
    created.statementText,
    { type: 'table', name: 'A', action: 'create' } as const,
    'Table created',
    7,
  );

  it.each([
    { code: 'invalid-statement', status: 400, number: 40001 },
    { code: 'log-unreachable', status: 503, number: 50300 },
  ] as const)('tells what took effect before a statement that failed with $code', async ({ code, status, number }) => {
    const error = toErrorMessage(new AppError(code, 'no B'));
    const run = () => Promise.resolve({ results: [result], failed: { text: 'DROP TABLE B;', error } });
    const server = await startServer({ statements: { run } });
    const reply = await ask(server, '/ksql', { body: JSON.stringify({ ksql: 'CREATE TABLE A ...; DROP TABLE B;' }) });
    expect(reply.status).toBe(status);
    expect(reply.headers['writethrough-error-code']).toBe(code);
    expect(reply.json()).toEqual({
      '@type': 'statement_error',
      error_code: number,
      message: 'no B',
      statementText: 'DROP TABLE B;',
      entities: [created],
    });
    expect((await ask(server, '/status/table/%60A%60/create')).json()).toEqual(created.commandStatus);
  });

  it('runs statements as the API and remembers what became of the commands', async () => {
    const seen: unknown[] = [];
    const run = (request: unknown) => {
      seen.push(request);
      return Promise.resolve({ results: [result] });
    };
    const server = await startServer({ statements: { run } });
    const body = JSON.stringify({
      ksql: "CREATE TABLE A ...; INSERT INTO B VALUES ('SELECT 1;');",
      streamsProperties: { 'auto.offset.reset': 'earliest' },
      sessionVariables: { n: 1 },
      commandSequenceNumber: 3,
    });
    const reply = await ask(server, '/ksql', { body, headers: { accept: 'application/vnd.ksql.v1+json' } });
    expect(reply.headers['content-type']).toBe('application/vnd.ksql.v1+json');
    expect(reply.json()).toEqual([created]);
    expect(seen).toEqual([
      {
        sql: "CREATE TABLE A ...; INSERT INTO B VALUES ('SELECT 1;');",
        properties: { 'auto.offset.reset': 'earliest' },
        sessionVariables: { n: '1' },
        owner: 'api',
      },
    ]);
    expect((await ask(server, '/status/table/%60A%60/create')).json()).toEqual(created.commandStatus);
    expect((await ask(server, '/status')).json()).toEqual({ commandStatuses: { 'table/`A`/create': 'SUCCESS' } });
    expect((await ask(server, '/status/table/B/create')).json()).toMatchObject({ error_code: 40400 });
  });

  it.each(['SELECT * FROM t;', '-- note\n/* SELECT */ select 1;', 'DROP TABLE a; PRINT b;'])(
    'sends %j away with 40002',
    async (ksql) => {
      const server = await startServer({});
      const reply = await ask(server, '/ksql', { body: JSON.stringify({ ksql }) });
      expect(reply.status).toBe(400);
      expect(reply.json()).toMatchObject({ '@type': 'statement_error', error_code: 40002 });
    },
  );
});

describe('the other endpoints of ksqlDB', () => {
  it('tell who the server is', async () => {
    const server = await startServer({});
    expect((await ask(server, '/info')).json()).toEqual({
      KsqlServerInfo: { version: '1.2.3', kafkaClusterId: 'log1', ksqlServiceId: 'wt_', serverStatus: 'RUNNING' },
    });
    expect((await ask(server, '/healthcheck')).json()).toMatchObject({
      isHealthy: true,
      details: { kafka: { isHealthy: true } },
    });
    expect((await ask(server, '/chc/ready')).json()).toEqual({});
    expect((await ask(server, '/is_valid_property/auto.offset.reset')).json()).toBe(true);
    expect((await ask(server, '/is_valid_property/nope')).json()).toMatchObject({ error_code: 40000 });
    expect((await ask(server, '/clusterStatus')).status).toBe(404);
    expect((await ask(server, '/v1/metadata/id')).json()).toMatchObject({ scope: { clusters: {} } });
    const root = await ask(server, '/');
    expect([root.status, root.headers.location]).toEqual([307, '/info']);
  });
});

describe('/inserts-stream', () => {
  const lines =
    '{"target":"orders","properties":{}}\n{"id":9007199254740993,"Name":"O\'Brien","tags":[1,true,null]}\n{"id":2,"at":{"x":1.50}}';

  it('inserts row by row with every digit, and acknowledges each in a frame of its own', async () => {
    const seen: string[] = [];
    const execute = ({ sql }: { sql: string }) => {
      seen.push(sql);
      return Promise.resolve([]);
    };
    const server = await startServer({ statements: { execute } });
    const reply = await ask2(http2Session(server), '/inserts-stream', { body: lines });
    expect(reply.frames).toEqual(['{"status":"ok","seq":0}\n', '{"status":"ok","seq":1}\n']);
    expect(seen).toEqual([
      "INSERT INTO orders (id, Name, tags) VALUES (9007199254740993, 'O''Brien', ARRAY[1, TRUE, NULL]);",
      'INSERT INTO orders (id, at) VALUES (2, STRUCT(x := 1.50));',
    ]);
    const array = await ask2(http2Session(server), '/inserts-stream', {
      body: lines,
      headers: { accept: 'application/json' },
    });
    expect(array.json()).toEqual([
      { status: 'ok', seq: 0 },
      { status: 'ok', seq: 1 },
    ]);
  });

  it('ends behind the first row that is refused', async () => {
    let calls = 0;
    const execute = () =>
      ++calls === 2 ? Promise.reject(new AppError('invalid-statement', 'no such column')) : Promise.resolve([]);
    const server = await startServer({ statements: { execute } });
    const reply = await ask2(http2Session(server), '/inserts-stream', { body: `${lines}\n{"id":3}\n` });
    expect(reply.frames.map((frame) => JSON.parse(frame) as unknown)).toMatchObject([
      { status: 'ok', seq: 0 },
      { status: 'error', seq: 1, message: 'no such column' },
    ]);
    expect(calls).toBe(2);
  });

  it('needs HTTP/2', async () => {
    const server = await startServer({});
    expect((await ask(server, '/inserts-stream', { body: lines })).json()).toMatchObject({ error_code: 40004 });
  });
});
