import { describe, expect, it } from 'vitest';
import { pluginInfos } from '../../../src/connect/plugin-infos.js';
import type { ConnectorInfo, ConnectorStatus } from '../../../src/connect/connect-facade.js';
import { AppError } from '../../../src/core/errors.js';
import { ask, ask2, http2Session, startServer } from './harness.js';

const info: ConnectorInfo = {
  name: 'c 1',
  config: { 'connector.class': 'MySqlCdcSource', name: 'c 1' },
  tasks: [{ connector: 'c 1', task: 0 }],
  type: 'source',
};
const status: ConnectorStatus = {
  name: 'c 1',
  connector: { state: 'RUNNING', worker_id: 'w' },
  tasks: [{ id: 0, state: 'RUNNING', worker_id: 'w' }],
  type: 'source',
  source: { phase: 'streaming' },
  position: 'x',
  tables: ['t'],
};

describe('Kafka Connect', () => {
  it('creates, lists, describes and deletes', async () => {
    const created: unknown[] = [];
    const server = await startServer({
      connect: {
        create: (...given) => {
          created.push(given);
          return Promise.resolve(info);
        },
        list: () => Promise.resolve(['c 1']),
        info: () => Promise.resolve(info),
        status: () => Promise.resolve(status),
        delete: () => Promise.resolve(),
        topics: () => Promise.resolve(['a.b']),
        offsets: () => Promise.resolve({ offsets: [] }),
      },
    });
    const reply = await ask(server, '/connectors', {
      body: '{"name":"c 1","config":{"connector.class":"MySqlCdcSource","tasks.max":1}}',
    });
    expect([reply.status, reply.headers.location, reply.json()]).toEqual([201, '/connectors/c%201', info]);
    expect(created).toEqual([
      ['c 1', { 'connector.class': 'MySqlCdcSource', 'tasks.max': '1', name: 'c 1' }, 'api', 'running'],
    ]);
    expect((await ask(server, '/connectors')).json()).toEqual(['c 1']);
    expect((await ask(server, '/connectors?expand=status&expand=info')).json()).toEqual({ 'c 1': { status, info } });
    expect((await ask(server, '/connectors/c%201/config')).json()).toEqual(info.config);
    expect((await ask(server, '/connectors/c%201/tasks')).json()).toEqual([{ id: info.tasks[0], config: info.config }]);
    expect((await ask(server, '/connectors/c%201/tasks/0/status')).json()).toEqual(status.tasks[0]);
    expect((await ask(server, '/connectors/c%201/tasks/1/status')).status).toBe(404);
    expect((await ask(server, '/connectors/c%201/topics')).json()).toEqual({ 'c 1': { topics: ['a.b'] } });
    const gone = await ask(server, '/connectors/c%201', { method: 'DELETE' });
    expect([gone.status, gone.body]).toEqual([204, '']);
  });

  it('shows and changes the levels of loggers', async () => {
    const set: unknown[] = [];
    const server = await startServer({
      loggers: {
        all: () => ({ root: { level: 'INFO', last_modified: null } }),
        of: () => ({ level: 'WARN', last_modified: 5 }),
        set: (...given) => {
          set.push(given);
          return ['root'];
        },
      },
    });
    expect((await ask(server, '/admin/loggers')).json()).toEqual({ root: { level: 'INFO', last_modified: null } });
    expect((await ask(server, '/admin/loggers/io.debezium')).json()).toEqual({ level: 'WARN', last_modified: 5 });
    const put = (path: string, body: string) => ask(server, `/admin/loggers/${path}`, { method: 'PUT', body });
    expect((await put('root', '{"level":"DEBUG"}')).json()).toEqual(['root']);
    expect(await put('root?scope=cluster', '{"level":"DEBUG"}')).toMatchObject({ status: 204, body: '' });
    expect(set).toEqual([
      ['root', 'DEBUG'],
      ['root', 'DEBUG'],
    ]);
    expect((await put('root', '{}')).json()).toMatchObject({ error_code: 400 });
    expect((await put('root?scope=galaxy', '{"level":"DEBUG"}')).status).toBe(400);
  });

  it('changes the state with the statuses of the original', async () => {
    const calls: string[] = [];
    const call = (name: string) => (id: string) => {
      calls.push(`${name} ${id}`);
      return Promise.resolve();
    };
    const server = await startServer({
      connect: {
        pause: call('pause'),
        resume: call('resume'),
        stop: call('stop'),
        restart: call('restart'),
        status: () => Promise.resolve(status),
      },
    });
    const put = async (path: string, method = 'PUT') => (await ask(server, `/connectors/c/${path}`, { method })).status;
    expect(await put('pause')).toBe(202);
    expect(await put('resume')).toBe(202);
    expect(await put('stop')).toBe(204);
    expect(await put('restart', 'POST')).toBe(204);
    expect(await put('restart?includeTasks=true', 'POST')).toBe(202);
    expect(await put('restart?onlyFailed=true', 'POST')).toBe(202);
    expect(await put('tasks/0/restart', 'POST')).toBe(204);
    expect(calls).toEqual(['pause c', 'resume c', 'stop c', 'restart c', 'restart c', 'restart c']);
  });

  it('updates a configuration, creating it where there is none', async () => {
    const seen: unknown[] = [];
    const update = (name: string, config: unknown) => {
      seen.push(config);
      return Promise.resolve({ info: { ...info, name }, created: name === 'new' });
    };
    const server = await startServer({ connect: { update } });
    const body = '{"a":"b"}';
    expect((await ask(server, '/connectors/new/config', { method: 'PUT', body })).status).toBe(201);
    expect((await ask(server, '/connectors/old/config', { method: 'PUT', body })).status).toBe(200);
    expect(seen).toEqual([
      { a: 'b', name: 'new' },
      { a: 'b', name: 'old' },
    ]);
    const other = await ask(server, '/connectors/old/config', { method: 'PUT', body: '{"name":"new"}' });
    expect(other.status).toBe(400);
  });

  it.each([
    ['already-exists', 409],
    ['bad-connector-config', 400],
    ['unknown-connector', 404],
    ['source-unreachable', 503],
  ] as const)('answers %s with %d and every detail', async (code, expected) => {
    const create = () =>
      Promise.reject(new AppError(code, 'message', { detail: 'a: wrong\nb: wrong', hint: 'do this' }));
    const server = await startServer({ connect: { create } });
    const reply = await ask(server, '/connectors', { body: '{"name":"c","config":{"x":"y"}}' });
    expect([reply.status, reply.json()]).toEqual([
      expected,
      { error_code: expected, message: 'message\na: wrong\nb: wrong\ndo this' },
    ]);
  });

  it.each([
    '{}',
    '{"name":"c"}',
    '{"name":"","config":{}}',
    '{"name":"c","config":{"a":{}}}',
    '{"name":"c","config":{"name":"d"}}',
    '[]',
  ])('refuses to create from %s', async (body) => {
    const server = await startServer({ connect: { create: () => Promise.reject(new Error('not reached')) } });
    expect((await ask(server, '/connectors', { body })).status).toBe(400);
  });

  it('validates by class and says what it does not do', async () => {
    const result = {
      name: 'MySqlCdcSource',
      error_count: 1,
      groups: [],
      configs: [{ definition: { name: 'a' }, value: { name: 'a', errors: ['x'] } }],
    };
    const server = await startServer({
      connect: {
        validate: () => Promise.resolve(result),
        plugins: () => [{ class: 'MySqlCdcSource', type: 'source', version: '1' }],
        pluginConfig: () => [{ name: 'a' }],
      },
    });
    expect((await ask(server, '/connector-plugins')).json()).toHaveLength(1);
    expect(
      (await ask(server, '/connector-plugins/MySqlCdcSource/config/validate', { method: 'PUT', body: '{}' })).json(),
    ).toEqual(result);
    expect((await ask(server, '/connector-plugins/MySqlCdcSource/config')).json()).toEqual([{ name: 'a' }]);
    expect((await ask(server, '/connectors/c/offsets', { method: 'PATCH', body: '{}' })).status).toBe(400);
  });

  it('tells a wrong method from a wrong path, and passes over what it does not know to expand', async () => {
    const server = await startServer({
      connect: { list: () => Promise.resolve(['c']), topics: () => Promise.resolve(['t']) },
    });
    const wrong = await ask(server, '/connectors/c', { method: 'POST', body: '{}' });
    expect([wrong.status, wrong.headers['allow']]).toEqual([405, 'DELETE, GET']);
    expect(wrong.json()).toMatchObject({ error_code: 405 });
    expect((await ask(server, '/connectors/c/nothing')).status).toBe(404);
    expect((await ask(server, '/connectors?expand=other')).json()).toEqual({ c: {} });
    const reset = await ask(server, '/connectors/c/topics/reset', { method: 'PUT' });
    expect([reset.status, reset.body]).toEqual([202, '']);
    const odd = await ask(server, '/connectors', { body: '{"name":"c","config":{},"inital_state":"STOPPED"}' });
    expect([odd.status, odd.body]).toEqual([400, expect.stringContaining('inital_state')]);
  });

  it('lists converters, transforms and predicates when asked for all plug-ins', async () => {
    const server = await startServer({ connect: { plugins: (all) => pluginInfos('1', all === true) } });
    const types = async (path: string) =>
      new Set(((await ask(server, path)).json() as { type: string }[]).map(({ type }) => type));
    expect(await types('/connector-plugins')).toEqual(new Set(['source']));
    expect(await types('/connector-plugins?connectorsOnly=false')).toEqual(
      new Set(['source', 'converter', 'transformation', 'predicate']),
    );
    expect((await ask(server, '/connector-plugins')).body).toContain('io.debezium.connector.mysql.MySqlConnector');
  });

  it('makes a connector in the state that is asked for', async () => {
    const created: unknown[] = [];
    const create = (...given: unknown[]) => {
      created.push(given.at(-1));
      return Promise.resolve(info);
    };
    const server = await startServer({ connect: { create } });
    const post = (state: unknown) =>
      ask(server, '/connectors', { body: JSON.stringify({ name: 'c', config: { a: 'b' }, initial_state: state }) });
    expect([(await post('STOPPED')).status, (await post('paused')).status, (await post('x')).status]).toEqual([
      201, 201, 400,
    ]);
    expect(created).toEqual(['stopped', 'paused']);
    const offsets = { name: 'c', config: { a: 'b' }, initial_offsets: [] };
    expect((await ask(server, '/connectors', { body: JSON.stringify(offsets) })).status).toBe(400);
  });

  it('changes single properties: a null takes one away, a masked secret stays as it was sent', async () => {
    const seen: unknown[] = [];
    const config = { 'connector.class': 'X', 'database.password': '****', a: '1', b: '2', name: 'c' };
    const server = await startServer({
      connect: {
        info: () => Promise.resolve({ ...info, config }),
        update: (_name, changed) => {
          seen.push(changed);
          return Promise.resolve({ info, created: false });
        },
      },
    });
    const reply = await ask(server, '/connectors/c/config', { method: 'PATCH', body: '{"a":null,"b":3,"d":"4"}' });
    expect(reply.status).toBe(200);
    expect(seen).toEqual([{ 'connector.class': 'X', 'database.password': '****', b: '3', d: '4', name: 'c' }]);
  });

  it('gives a position up, alone or with topics, and sets it', async () => {
    const calls: unknown[] = [];
    const called = (...given: unknown[]) => {
      calls.push(given);
      return Promise.resolve();
    };
    const server = await startServer({ connect: { resetOffsets: called, alterOffsets: called } });
    for (const query of ['', '?topics=true']) {
      const reply = await ask(server, `/connectors/c/offsets${query}`, { method: 'DELETE' });
      const message = 'The offsets for this connector have been reset successfully';
      expect([reply.status, reply.json()]).toEqual([200, { message }]);
    }
    const offsets = [{ partition: { server: 'p' }, offset: { gtids: 'x:1' } }];
    const patch = (body: unknown) =>
      ask(server, '/connectors/c/offsets', { method: 'PATCH', body: JSON.stringify(body) });
    const reply = await patch({ offsets });
    const message = 'The offsets for this connector have been altered successfully';
    expect([reply.status, reply.json()]).toEqual([200, { message }]);
    expect((await patch({ offsets: [{ partition: {}, offset: null }] })).status).toBe(200);
    expect(calls).toEqual([
      ['c', { topics: false }],
      ['c', { topics: true }],
      ['c', offsets],
      ['c', [{ partition: {}, offset: null }]],
    ]);
    for (const wrong of [{}, { offsets: [] }, { offsets: [{ offset: {} }] }, { offsets: [{ partition: {} }] }])
      expect((await patch(wrong)).status).toBe(400);
  });

  it('tells its version at the front door', async () => {
    const server = await startServer({});
    expect((await ask(server, '/', { headers: { accept: 'application/json' } })).json()).toEqual({
      version: expect.any(String) as string,
      commit: expect.any(String) as string,
      kafka_cluster_id: expect.any(String) as string,
    });
  });

  it('asks HTTP/2 clients to come over HTTP/1.1', async () => {
    const server = await startServer({ connect: { list: () => Promise.resolve([]) } });
    await expect(ask2(http2Session(server), '/connectors')).rejects.toThrow('NGHTTP2_HTTP_1_1_REQUIRED');
  });
});
