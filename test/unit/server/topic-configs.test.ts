// The part of Confluent's REST API for Kafka (v3) that alters topics: paths, bodies, statuses.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import type { SettingChanges } from '../../../src/server/topics-facade.js';
import { ask, startServer } from './harness.js';

const path = '/v3/clusters/log1/topics/p.db.a/configs';
const settings = [
  { name: 'cleanup.policy', value: 'delete', isDefault: false, isReadOnly: true },
  { name: 'retention.ms', value: '5000', isDefault: false, isReadOnly: false },
  { name: 'retention.bytes', value: '-1', isDefault: true, isReadOnly: false },
] as const;

async function serve() {
  const altered: [string, SettingChanges][] = [];
  const server = await startServer({
    topics: {
      settings: async () => settings,
      alter: async (topic, changes) => {
        if ('nope' in changes) throw new AppError('bad-topic-setting', 'nope cannot be set', { hint: 'leave it' });
        altered.push([topic, changes]);
      },
    },
  });
  return { server, altered };
}

describe('/v3/clusters', () => {
  it("tells the log as a cluster, and its topics' settings", async () => {
    const { server } = await serve();
    expect((await ask(server, '/v3/clusters')).json()).toMatchObject({
      kind: 'KafkaClusterList',
      data: [{ cluster_id: 'log1', metadata: { self: '/v3/clusters/log1' } }],
    });
    expect((await ask(server, path)).json()).toMatchObject({
      kind: 'KafkaTopicConfigList',
      data: [
        { name: 'cleanup.policy', value: 'delete', is_read_only: true },
        { name: 'retention.ms', value: '5000', is_default: false, source: 'DYNAMIC_TOPIC_CONFIG' },
        { name: 'retention.bytes', value: '-1', is_default: true, topic_name: 'p.db.a' },
      ],
    });
    expect((await ask(server, `${path}/retention.ms`)).json()).toMatchObject({ name: 'retention.ms', value: '5000' });
    expect((await ask(server, `${path}/other`)).status).toBe(400);
  });

  it('PUT sets, DELETE resets, configs:alter does several at once', async () => {
    const { server, altered } = await serve();
    const put = await ask(server, `${path}/retention.ms`, { method: 'PUT', body: '{"value": "7"}' });
    const reset = await ask(server, `${path}/retention.ms`, { method: 'DELETE' });
    const data = [
      { name: 'retention.ms', value: '9' },
      { name: 'retention.bytes', operation: 'DELETE' },
    ];
    const several = await ask(server, `${path}:alter`, { method: 'POST', body: JSON.stringify({ data }) });
    expect([put.status, reset.status, several.status]).toEqual([204, 204, 204]);
    expect(altered).toEqual([
      ['p.db.a', { 'retention.ms': '7' }],
      ['p.db.a', { 'retention.ms': null }],
      ['p.db.a', { 'retention.ms': '9', 'retention.bytes': null }],
    ]);
  });

  it.each([
    ['PUT', `${path}/retention.ms`, '{"value": 7}', 400, /must be a text/],
    ['PUT', `${path}/nope`, '{"value": "7"}', 400, /nope cannot be set\nleave it/],
    ['PUT', path, '{"value": "7"}', 404, /there is no PUT/],
    ['POST', `${path}:alter`, '{"data": [{"name": "retention.ms", "operation": "ADD"}]}', 400, /SET or DELETE/],
    ['POST', `${path}:alter`, '{"data": [], "validate_only": true}', 400, /validate_only/],
    ['PUT', '/v3/clusters/other/topics/t/configs/retention.ms', '{"value": "7"}', 404, /no cluster other/],
    ['GET', '/v3/clusters/log1/brokers', undefined, 404, /there is no GET/],
  ])('%s %s with %s is answered %d in the shape of its clients', async (method, target, body, status, message) => {
    const { server, altered } = await serve();
    const reply = await ask(server, target, { method, ...(body === undefined ? {} : { body }) });
    expect(reply.status).toBe(status);
    expect(reply.json()).toMatchObject({ error_code: status, message: expect.stringMatching(message) as string });
    expect(altered).toEqual([]);
  });

  it('a process that follows takes no alteration, and shows what there is', async () => {
    const server = await startServer({
      topics: { settings: async () => settings },
      status: { leadership: () => ({ role: 'follower', leader: 'http://leader' }) },
    });
    expect((await ask(server, path)).status).toBe(200);
    const put = await ask(server, `${path}/retention.ms`, { method: 'PUT', body: '{"value": "7"}' });
    expect([put.status, put.headers['writethrough-leader']]).toEqual([409, 'http://leader']);
  });
});
