import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import type { SqlRow, SqlRows } from '../../../src/query/query-facade.js';
import { ask, ask2, batchesOf, http2Session, sqlRows, startServer, waitFor } from './harness.js';

const meta = '{"queryId":"query_1","columnNames":["ID","NAME"],"columnTypes":["INTEGER","STRING"]}';
const delimited = `${meta}\n[1,"a"]\n[2,"b"]\n`;
const array = `[${meta},[1,"a"],[2,"b"]]`;
const streamed =
  '[{"header":{"queryId":"query_1","schema":"`ID` INTEGER KEY, `NAME` STRING"}},\n' +
  '{"row":{"columns":[1,"a"]}},\n{"row":{"columns":[2,"b"]}}]';
const select = () => Promise.resolve(sqlRows(batchesOf(['1,"a"'], ['2,"b"'])));
const types = {
  delimited: 'application/vnd.ksqlapi.delimited.v1',
  streamed: 'application/vnd.ksql.v1+json',
  json: 'application/json',
};

describe('the form of the answer', () => {
  const bodies = {
    '/query-stream': '{"sql":"SELECT * FROM t;"}',
    '/query': '{"ksql":"SELECT * FROM t;"}',
  };
  it.each([
    ['/query-stream', undefined, delimited, types.delimited],
    ['/query-stream', '*/*', delimited, types.delimited],
    ['/query-stream', types.delimited, delimited, types.delimited],
    ['/query-stream', types.json, array, types.json],
    ['/query-stream', 'application/json, text/plain, */*', array, types.json],
    ['/query-stream', types.streamed, streamed, types.streamed],
    ['/query-stream', 'text/html, application/vnd.ksql.v1+json;q=0.5, application/json;q=0.9', array, types.json],
    ['/query', undefined, streamed, types.streamed],
    ['/query', '*/*', delimited, types.delimited],
    ['/query', types.delimited, delimited, types.delimited],
    ['/query', types.json, streamed, types.streamed],
    ['/query', types.streamed, streamed, types.streamed],
  ] as const)('%s with Accept %s', async (path, accept, body, type) => {
    const server = await startServer({ query: { select } });
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    for (const reply of [
      await ask(server, path, { body: bodies[path], headers }),
      await ask2(http2Session(server), path, { body: bodies[path], headers }),
    ]) {
      expect(reply.status).toBe(200);
      expect(reply.body).toBe(body);
      expect(reply.headers['content-type']).toBe(type);
      expect(reply.headers['writethrough-version']).toBe('log1:42');
    }
  });

  it('is 406 when none is acceptable', async () => {
    const server = await startServer({ query: { select } });
    const reply = await ask(server, '/query', {
      body: bodies['/query'],
      headers: { accept: 'application/vnd.ksql.v1+protobuf' },
    });
    expect([reply.status, reply.json()]).toMatchObject([406, { error_code: 40600 }]);
  });

  it('keeps digits, and passes properties, variables and literal numbers on', async () => {
    const seen: unknown[] = [];
    const answer = (sql: string, properties: unknown, options: { numbers?: string | undefined }) => {
      seen.push(sql, properties, options.numbers);
      return Promise.resolve(sqlRows(batchesOf(['9007199254740993,11.0,1.20'])));
    };
    const server = await startServer({ query: { select: answer } });
    const body = JSON.stringify({
      sql: "SELECT * FROM ${Name} WHERE a = '${other}';",
      properties: { 'auto.offset.reset': 'earliest' },
      sessionVariables: { name: 'T' },
      Accept: 'ignored',
    });
    expect((await ask(server, '/query-stream', { body })).body.split('\n')[1]).toBe('[9007199254740993,11.0,1.20]');
    expect(seen).toEqual(["SELECT * FROM T WHERE a = '${other}';", { 'auto.offset.reset': 'earliest' }, 'literals']);
  });

  it('of many rows is whole', async () => {
    const rows = Array.from({ length: 5_000 }, (_, i) => `${i},"${'n'.repeat(30)}"`);
    const server = await startServer({ query: { select: () => Promise.resolve(sqlRows(batchesOf(rows))) } });
    expect((await ask(server, '/query', { body: bodies['/query'] })).json()).toHaveLength(5_001);
    expect(
      (await ask2(http2Session(server), '/query-stream', { body: bodies['/query-stream'] })).body.trim().split('\n'),
    ).toHaveLength(5_001);
  });

  it('tells an error behind the header in its own form', async () => {
    const broken = async function* (): AsyncGenerator<SqlRow[]> {
      yield [{ values: '1,"a"', tombstone: false }];
      await Promise.resolve();
      throw new AppError('read-timeout', 'the read took too long');
    };
    const server = await startServer({ query: { select: () => Promise.resolve(sqlRows(broken())) } });
    const error = { '@type': 'generic_error', error_code: 50300, message: 'the read took too long' };
    const asArray = (
      await ask(server, '/query-stream', { body: bodies['/query-stream'], headers: { accept: types.json } })
    ).json();
    expect((asArray as unknown[]).at(-1)).toEqual(error);
    const asStreamed = (await ask(server, '/query', { body: bodies['/query'] })).json();
    expect((asStreamed as unknown[]).at(-1)).toEqual({ errorMessage: error });
    const lines = (await ask(server, '/query-stream', { body: bodies['/query-stream'] })).body.trim().split('\n');
    expect(JSON.parse(lines.at(-1)!)).toEqual(error);
  });

  it('has the final messages of ksqlDB, and none for a pull over a table', async () => {
    for (const [reason, message] of [
      ['limit', 'Limit Reached'],
      ['completed', 'Query Completed'],
    ] as const) {
      const rows = () => Promise.resolve(sqlRows(batchesOf(['1,"a"']), { endReason: () => reason }));
      const server = await startServer({ query: { select: rows } });
      const elements = (await ask(server, '/query', { body: bodies['/query'] })).json() as unknown[];
      expect(elements.at(-1)).toEqual({ finalMessage: message });
    }
  });
});

describe('push queries', () => {
  const sql = '{"sql":"SELECT * FROM t EMIT CHANGES;"}';

  it('send each row as a DATA frame of its own on HTTP/2, the header too', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},"n"`);
    const server = await startServer({
      query: { select: () => Promise.resolve(sqlRows(batchesOf(rows, ['20,"n"']))) },
    });
    const reply = await ask2(http2Session(server), '/query-stream', {
      body: sql,
      headers: { accept: types.delimited },
    });
    expect(reply.frames.length).toBe(22);
    for (const frame of reply.frames) JSON.parse(frame);
  });

  it('end a line at once in the streamed form, leave the key mark out, and are valid JSON in the end', async () => {
    let more = (): void => {};
    const rows = async function* (): AsyncGenerator<SqlRow[]> {
      yield [{ values: '1,"a"', tombstone: false }];
      await new Promise<void>((resolve) => (more = resolve));
      yield [{ values: '1,null', tombstone: true }];
    };
    const server = await startServer({
      query: { select: () => Promise.resolve(sqlRows(rows(), { endReason: () => 'limit' })) },
    });
    const stream = http2Session(server).request({ ':path': '/query', ':method': 'POST' });
    let text = '';
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.end('{"ksql":"select * from t emit changes limit 2;"}');
    await waitFor(() => text.includes('"a"'), 'the first row');
    expect(text).toMatch(/\]\}\},\n$/);
    more();
    await waitFor(() => text.endsWith(']') && text.includes('finalMessage'), 'the end');
    expect(JSON.parse(text)).toEqual([
      { header: { queryId: 'query_1', schema: '`ID` INTEGER, `NAME` STRING' } },
      { row: { columns: [1, 'a'] } },
      { row: { columns: [1, null], tombstone: true } },
      { finalMessage: 'Limit Reached' },
    ]);
  });

  it('drop deletes on /query-stream unless the request asks for them', async () => {
    const rows = () => Promise.resolve(sqlRows(batchesOf(['1,"a"', { deleted: '1,null' }])));
    const server = await startServer({ query: { select: rows } });
    const plain = await ask(server, '/query-stream', { body: sql });
    expect(plain.body).toBe(`${meta}\n[1,"a"]\n`);
    const body = JSON.stringify({
      ...(JSON.parse(sql) as object),
      properties: { 'writethrough.query.tombstones': true },
    });
    const all = await ask(server, '/query-stream', { body });
    expect(all.body).toBe(`${meta}\n[1,"a"]\n{"tombstone":true,"columns":[1,null]}\n`);
  });

  function endless(
    cancelled: string[],
  ): (sql: string, properties: unknown, options: { signal: AbortSignal }) => Promise<SqlRows> {
    return (_sql, _properties, { signal }) => {
      const rows = async function* (): AsyncGenerator<SqlRow[]> {
        yield [{ values: '1,"a"', tombstone: false }];
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      };
      return Promise.resolve(sqlRows(rows(), { cancel: () => cancelled.push('cancelled') }));
    };
  }

  it('end with the connection', async () => {
    const cancelled: string[] = [];
    const server = await startServer({ query: { select: endless(cancelled) } });
    const session = http2Session(server);
    const stream = session.request({ ':path': '/query-stream', ':method': 'POST' });
    let text = '';
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.end(sql);
    await waitFor(() => text.includes('[1,"a"]'), 'the row');
    session.destroy();
    await waitFor(() => cancelled.length === 1, 'the query to be cancelled');
  });

  it('end in their form when the server closes, and /close-query hands the id on', async () => {
    const closed: string[] = [];
    const closeQuery = (id: string) => {
      closed.push(id);
      return true;
    };
    const server = await startServer({ query: { select: endless([]), closeQuery } }, { closeMs: 5_000 });
    const reply = await ask(server, '/close-query', { body: '{"queryId":"query_1"}' });
    expect([reply.status, reply.body, closed]).toEqual([200, '', ['query_1']]);
    const stream = http2Session(server).request({ ':path': '/query', ':method': 'POST' });
    let text = '';
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.end('{"ksql":"SELECT * FROM t EMIT CHANGES;"}');
    await waitFor(() => text.includes('"a"'), 'the row');
    await server.server.close();
    expect((JSON.parse(text) as unknown[]).at(-1)).toEqual({ finalMessage: 'Query Completed' });
  });

  it('are limited in number', async () => {
    const server = await startServer({ query: { select: endless([]) } }, { pushQueriesMax: 1 });
    const stream = http2Session(server).request({ ':path': '/query-stream', ':method': 'POST' });
    let text = '';
    stream.on('data', (part: Buffer) => (text += part.toString()));
    stream.end(sql);
    await waitFor(() => text.includes('[1,"a"]'), 'the first');
    const second = await ask(server, '/query-stream', { body: sql });
    expect([second.status, second.json()]).toMatchObject([400, { error_code: 40003 }]);
    stream.close();
  });
});

describe('requests that are no single SELECT', () => {
  it.each([
    ['/query', '{"ksql":"SELECT 1; SELECT 2;"}'],
    ['/query', '{"ksql":"  -- nothing\\n;"}'],
    ['/query-stream', '{"ksql2":"SELECT 1;"}'],
    ['/query-stream', '{"sql":7}'],
  ])('%s %s', async (path, body) => {
    const server = await startServer({ query: { select } });
    const reply = await ask(server, path, { body });
    expect([reply.status, reply.json()]).toMatchObject([400, { error_code: 40000 }]);
  });
});
