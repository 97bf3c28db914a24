import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { ask, ask2, current, freshness, http2Session, paged, startServer } from './harness.js';

const row = { json: '{"id":"7","total":"12.50"}', ...freshness };
const fresh = {
  'writethrough-version': 'log1:42',
  'writethrough-lag-ms': '7',
  'writethrough-position': 'mysql=uuid%3A1-9',
};
const table = {
  name: 'Orders',
  rowCount: 3,
  visible: true,
  schema: {
    columns: [
      { name: 'id', type: { kind: 'BIGINT' as const } },
      { name: 'total', type: { kind: 'DECIMAL' as const, precision: 10, scale: 2 } },
    ],
    keyColumns: [0],
  },
  ...current,
};
const tables = () => Promise.resolve({ tables: [table], ...freshness });

describe('a row by its key', () => {
  it('comes with freshness and an ETag of its representation', async () => {
    const server = await startServer({ query: { point: () => row } });
    const reply = await ask(server, '/v1/tables/orders/rows/7');
    expect(reply.status).toBe(200);
    expect(reply.body).toBe(row.json);
    expect(reply.headers).toMatchObject({ ...fresh, 'content-type': 'application/json; charset=utf-8' });
    expect(reply.headers.etag).toMatch(/^"[\w-]{20,}"$/);
  });

  it('is not sent again to a client that has it, by any spelling of the ETag', async () => {
    const server = await startServer({ query: { point: () => row } });
    const etag = (await ask(server, '/v1/tables/orders/rows/7')).headers.etag!;
    for (const held of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const reply = await ask(server, '/v1/tables/orders/rows/7', { headers: { 'if-none-match': held } });
      expect(reply.status).toBe(304);
      expect(reply.body).toBe('');
      expect(reply.headers).toMatchObject({ ...fresh, etag });
    }
    const session = http2Session(server);
    expect((await ask2(session, '/v1/tables/orders/rows/7', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await ask(server, '/v1/tables/orders/rows/7', { headers: { 'if-none-match': '"other"' } })).status).toBe(
      200,
    );
  });

  it('that is missing is a 404 problem which still says how fresh that is', async () => {
    const server = await startServer({ query: { point: () => ({ ...row, json: null }) } });
    const reply = await ask(server, '/v1/tables/orders/rows/a%20b');
    expect(reply.status).toBe(404);
    expect(reply.headers).toMatchObject({ ...fresh, 'content-type': 'application/problem+json' });
    expect(reply.json()).toMatchObject({
      type: '/errors/unknown-row',
      status: 404,
      code: 'unknown-row',
      detail: 'table "orders" has no row with key "a b"',
    });
  });

  it('hands the key on as it came, and the table decoded', async () => {
    const seen: string[][] = [];
    const point = (name: string, key: string, numbers: string) => {
      seen.push([name, key, numbers]);
      return row;
    };
    const server = await startServer({ query: { point } });
    await ask(server, '/v1/tables/my%20table/rows/a%2Cb,c%2Fd');
    await ask(server, '/v1/tables/t/rows/1?numbers=literals');
    await ask(server, '/v1/tables/t/rows/a/b');
    await ask(server, '/v1/tables/t/rows/');
    expect(seen).toEqual([
      ['my table', 'a%2Cb,c%2Fd', 'strings'],
      ['t', '1', 'literals'],
      ['t', 'a/b', 'strings'],
      ['t', '', 'strings'],
    ]);
  });

  it('waits for the version that the request names, in the URL or in a header', async () => {
    const waited: unknown[] = [];
    const waitFor = (version: string, ms: number) => {
      waited.push([version, ms]);
      return version === 'log1:99'
        ? Promise.reject(new AppError('read-timeout', 'version log1:99 is not applied yet'))
        : Promise.resolve();
    };
    const server = await startServer({ query: { point: () => row, waitFor } });
    expect((await ask(server, '/v1/tables/t/rows/1?atLeast=log1:41&waitMs=5')).status).toBe(200);
    expect((await ask(server, '/v1/tables/t/rows/1', { headers: { 'writethrough-at-least': 'log1:42' } })).status).toBe(
      200,
    );
    const late = await ask(server, '/v1/tables/t/rows/1?atLeast=log1:99');
    expect(late.status).toBe(503);
    expect(late.json()).toMatchObject({ code: 'read-timeout' });
    expect(waited).toEqual([
      ['log1:41', 5],
      ['log1:42', 10_000],
      ['log1:99', 10_000],
    ]);
  });

  it('answers HEAD with the headers alone on both protocols', async () => {
    const server = await startServer({ query: { point: () => row } });
    for (const reply of [
      await ask(server, '/v1/tables/t/rows/1', { method: 'HEAD' }),
      await ask2(http2Session(server), '/v1/tables/t/rows/1', { method: 'HEAD' }),
    ]) {
      expect(reply.status).toBe(200);
      expect(reply.body).toBe('');
      expect(reply.headers['content-length']).toBe(String(row.json.length));
    }
  });

  it('counts characters beyond ASCII by their bytes', async () => {
    const server = await startServer({ query: { point: () => ({ ...row, json: '{"name":"Zoë 🚀"}' }) } });
    expect((await ask(server, '/v1/tables/t/rows/1')).json()).toEqual({ name: 'Zoë 🚀' });
  });
});

describe('tables and pages', () => {
  it('are listed with columns, types and key', async () => {
    const server = await startServer({ query: { tables } });
    const list = await ask(server, '/v1/tables');
    expect(list.headers).toMatchObject(fresh);
    const described = {
      name: 'Orders',
      rowCount: 3,
      visible: true,
      columns: [
        { name: 'id', type: 'BIGINT', key: true },
        { name: 'total', type: 'DECIMAL(10, 2)', key: false },
      ],
      keyColumns: ['id'],
    };
    expect(list.json()).toEqual({ tables: [described] });
    expect((await ask(server, '/v1/tables/orders')).json()).toEqual(described);
    expect((await ask(server, '/v1/tables/nope')).json()).toMatchObject({ code: 'unknown-table', status: 404 });
  });

  it('that stand still are described as of where they stopped', async () => {
    const stopped = { version: 'log1:12', lagMs: 9000, position: 'mysql=uuid%3A1-3' };
    const still = { ...table, name: 'Still', freshness: stopped, stopped: true };
    const server = await startServer({
      query: { tables: () => Promise.resolve({ tables: [table, still], ...freshness }) },
    });
    const reply = await ask(server, '/v1/tables/still');
    expect(reply.json()).toMatchObject({ name: 'Still', stoppedAt: 'log1:12' });
    expect(reply.headers).toMatchObject({
      'writethrough-version': 'log1:12',
      'writethrough-lag-ms': '9000',
      'writethrough-position': 'mysql=uuid%3A1-3',
    });
    expect((await ask(server, '/v1/tables/orders')).headers).toMatchObject(fresh);
  });

  it('give a page as the text of the query room, digits untouched', async () => {
    const seen: unknown[] = [];
    const page = '{"rows":[{"id":9007199254740993,"x":1.10}],"next":"9007199254740993"}';
    const rows = (read: unknown, options: unknown) => {
      seen.push(read, options);
      return Promise.resolve(paged(page));
    };
    const server = await startServer({ query: { rows } });
    const reply = await ask(server, '/v1/tables/t/rows?limit=1&after=a%252Cb&numbers=literals&stale=ok');
    expect(reply.body).toBe(page);
    expect(reply.headers).toMatchObject(fresh);
    expect(seen).toEqual([
      { table: 't', limit: 1, after: 'a%2Cb' },
      { atLeast: undefined, waitMs: undefined, staleOk: true, numbers: 'literals', position: 'token' },
    ]);
  });

  it.each(['limit=-1', 'limit=x', 'limit=1e9', 'numbers=roman', 'stale=yes'])('refuse ?%s by name', async (query) => {
    const server = await startServer({ query: { rows: () => Promise.reject(new Error('not reached')) } });
    const reply = await ask(server, `/v1/tables/t/rows?${query}`);
    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({
      code: 'bad-request',
      detail: expect.stringContaining(query.split('=')[0]!) as string,
    });
  });
});

describe('several reads of one cut', () => {
  it('go to the query room together', async () => {
    const seen: unknown[] = [];
    const read = (reads: unknown, options: unknown) => {
      seen.push(reads, options);
      return Promise.resolve(paged('{"results":[{"rows":[]},{"rows":[]}]}'));
    };
    const server = await startServer({ query: { read } });
    const body = JSON.stringify({
      reads: [{ table: 'a' }, { table: 'b', key: 7, limit: 2 }],
      atLeast: 'log1:40',
      waitMs: 50,
      stale: 'ok',
    });
    const reply = await ask(server, '/v1/read', { body });
    expect(reply.body).toBe('{"results":[{"rows":[]},{"rows":[]}]}');
    expect(reply.headers).toMatchObject(fresh);
    expect(seen).toEqual([
      [{ table: 'a' }, { table: 'b', key: '7', limit: 2 }],
      { atLeast: 'log1:40', waitMs: 50, staleOk: true, numbers: 'strings', position: 'token' },
    ]);
  });

  it.each([
    '{}',
    '{"reads":[]}',
    '{"reads":[1]}',
    '{"reads":[{}]}',
    '{"reads":[{"table":"t","key":{}}]}',
    '{"reads":[{"table":"t"}],"waitMs":"x"}',
    '[1]',
    '',
  ])('refuse the body %j', async (body) => {
    const server = await startServer({ query: { read: () => Promise.reject(new Error('not reached')) } });
    const reply = await ask(server, '/v1/read', { method: 'POST', body });
    expect(reply.status).toBe(400);
    expect(reply.json()).toMatchObject({ code: 'bad-request' });
  });
});

describe('rebuilds', () => {
  it('start with a POST and are listed', async () => {
    const progress = {
      table: 't',
      state: 'building' as const,
      rows: 0,
      seq: 0,
      headSeq: 9,
      rowsPerSecond: 0,
      etaSeconds: null,
    };
    const server = await startServer({
      statements: { rebuild: () => Promise.resolve(progress), rebuilds: () => Promise.resolve([progress]) },
    });
    const started = await ask(server, '/v1/tables/t/rebuild', { method: 'POST' });
    expect(started.status).toBe(202);
    expect(started.json()).toEqual(progress);
    expect((await ask(server, '/v1/rebuilds')).json()).toEqual({ rebuilds: [progress] });
    const wrong = await ask(server, '/v1/tables/t/rebuild');
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
  });
});

describe('taps', () => {
  it('list topics and show records, with what is not text as base64', async () => {
    const seen: unknown[] = [];
    const record = {
      offset: '12',
      timestamp: 5,
      key: { encoding: 'utf8' as const, text: '{"id":1}' },
      value: { encoding: 'base64' as const, text: '/w==' },
      headers: { source: 'x' },
    };
    const records = (request: unknown) => {
      seen.push(request);
      return Promise.resolve({ records: [record, { ...record, value: null }], nextOffset: '14', endOffset: '20' });
    };
    const topics = () =>
      Promise.resolve([
        {
          name: 'a.b',
          cleanupPolicy: 'compact',
          retentionMs: -1,
          retentionBytes: -1,
          partitions: [{ partition: 0, start: '0', end: '20' }],
        },
      ]);
    const server = await startServer({ tap: { records, topics } });
    expect((await ask(server, '/v1/topics')).json()).toMatchObject({ topics: [{ name: 'a.b' }] });
    expect((await ask(server, '/v1/topics/a.b/records?partition=2&offset=-10&limit=5')).json()).toEqual({
      records: [
        {
          offset: '12',
          timestamp: 5,
          key: '{"id":1}',
          value: '/w==',
          valueEncoding: 'base64',
          headers: { source: 'x' },
        },
        { offset: '12', timestamp: 5, key: '{"id":1}', value: null, headers: { source: 'x' } },
      ],
      nextOffset: '14',
      endOffset: '20',
    });
    expect(seen).toEqual([{ topic: 'a.b', partition: 2, offset: -10n, limit: 5 }]);
    expect((await ask(server, '/v1/topics/a.b/records?offset=x')).status).toBe(400);
  });
});

describe('source positions in the header', () => {
  it('are tokens, and whole on request, on every read', async () => {
    const asked: unknown[] = [];
    const server = await startServer({
      query: {
        point: (_table, _key, _numbers, position) => (asked.push(position), row),
        tables: (position) => (asked.push(position), tables()),
        rows: (_read, { position }) => (asked.push(position), Promise.resolve(paged('{"rows":[]}'))),
      },
    });
    for (const path of ['/v1/tables/orders/rows/7', '/v1/tables', '/v1/tables/orders', '/v1/tables/orders/rows']) {
      asked.length = 0;
      await ask(server, path);
      expect(asked[0] ?? 'token').toBe('token');
      await ask(server, `${path}?position=full`);
      expect(asked[1]).toBe('full');
      expect((await ask(server, `${path}?position=half`)).status).toBe(400);
    }
  });
});
