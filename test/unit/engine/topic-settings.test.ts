// Retention on its way from whoever sets it (WITH, the process's defaults, a connector's properties) to the topic.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INTEGER, STRING } from '../../../src/core/data-type.js';
import { toAppError } from '../../../src/core/errors.js';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { loadConfig, topicRetention } from '../../../src/config.js';
import { newTopicOf } from '../../../src/connect/topic-creation.js';
import type { RetentionChanges } from '../../../src/engine/engine-api.js';
import { TestEngine, until } from '../../support/engine.js';
import { settingsOf } from '../../support/topic-config.js';

const day = 86_400_000;
let engine: TestEngine;
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

const settings = (topic: string) => settingsOf(engine.api, topic);

async function refusal(sql: string) {
  const error = await engine.run(sql).then(
    () => undefined,
    (cause: unknown) => toAppError(cause),
  );
  expect(error, sql).toBeDefined();
  return error!;
}

const stream = (name: string, more = '') =>
  `CREATE STREAM ${name} (id INT KEY, v STRING) WITH (KAFKA_TOPIC='${name}', FORMAT='JSON', PARTITIONS=1${more});`;

describe('WITH', () => {
  beforeEach(async () => {
    engine = await new TestEngine().open();
  });

  it('RETENTION_MS and RETENTION_BYTES limit the topic of a stream, declared or derived; without them it is kept for ever', async () => {
    await engine.run(stream('kept'));
    await engine.run(stream('cut', `, RETENTION_MS=${day}, RETENTION_BYTES='1000000'`));
    await engine.run(stream('endless', ', RETENTION_MS=-1'));
    await engine.run('CREATE STREAM derived WITH (RETENTION_MS=5000) AS SELECT * FROM cut;');
    await engine.run('CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM cut GROUP BY v;');
    const none = { retentionMs: -1, retentionBytes: -1 };
    expect(await settings('kept')).toEqual({ cleanup: 'delete', ...none });
    expect(await settings('cut')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: 1_000_000 });
    expect(await settings('endless')).toEqual({ cleanup: 'delete', ...none });
    expect(await settings('derived')).toEqual({ cleanup: 'delete', retentionMs: 5000, retentionBytes: -1 });
    expect(await settings('counts')).toEqual({ cleanup: 'compact', ...none });
    await engine.restart();
    expect(await settings('derived')).toEqual({ cleanup: 'delete', retentionMs: 5000, retentionBytes: -1 });
  });

  it.each([
    ["RETENTION_MS='1 day'", 'RETENTION_MS is a whole number of milliseconds, or -1 for no limit'],
    ['RETENTION_MS=1.5', 'RETENTION_MS is a whole number of milliseconds, or -1 for no limit'],
    ['RETENTION_MS=-2', 'RETENTION_MS is a whole number of milliseconds, or -1 for no limit'],
    ['RETENTION_BYTES=99999999999999999999', 'RETENTION_BYTES is a whole number of bytes, or -1 for no limit'],
    ["CLEANUP_POLICY='compact'", 'Invalid config variable in the WITH clause: CLEANUP_POLICY.'],
    ['RETENTION_SECONDS=5', 'Invalid config variable(s) in the WITH clause: RETENTION_SECONDS'],
  ])('%s of a stream is refused, with its place', async (property, message) => {
    const error = await refusal(stream('s', `, ${property}`));
    expect(error).toMatchObject({ code: 'invalid-statement', message: expect.stringContaining(message) as string });
    expect(error.place?.column).toBeGreaterThan(60);
    expect((await engine.api.topics()).some(({ name }) => name === 's')).toBe(false);
  });

  it.each(['RETENTION_MS', 'RETENTION_BYTES'])('%s of a table is refused as ksqlDB does', async (property) => {
    await engine.run(stream('s'));
    const message = `Invalid config variable in the WITH clause: ${property}. Non-windowed tables do not support retention.`;
    const declared = `CREATE TABLE t (id INT PRIMARY KEY, v STRING) WITH (KAFKA_TOPIC='t', FORMAT='JSON', PARTITIONS=1, ${property}=5);`;
    const derived = `CREATE TABLE t WITH (${property}=5) AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;`;
    for (const sql of [declared, derived])
      expect(await refusal(sql)).toMatchObject({
        code: 'invalid-statement',
        message,
        hint: expect.any(String) as string,
      });
  });

  it('what it says of a topic that is there must be so', async () => {
    await engine.run(stream('s', `, RETENTION_MS=${day}`));
    await engine.run(
      `CREATE STREAM again (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON', RETENTION_MS=${day});`,
    );
    await engine.run(`CREATE STREAM silent (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON');`);
    const other = await refusal(
      `CREATE STREAM other (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON', RETENTION_MS=1000);`,
    );
    expect(other.message).toContain(`KSQL expects 1000 retention (topic has ${day})`);
    const replaced = await refusal(
      `CREATE OR REPLACE STREAM s (id INT KEY, v STRING) WITH (KAFKA_TOPIC='s', FORMAT='JSON', RETENTION_MS=1000);`,
    );
    expect(replaced.message).toContain(`KSQL expects 1000 retention (topic has ${day})`);
  });
});

describe("the process's defaults", () => {
  it('hold for streams whose statement says nothing, and for captured topics that are not compacted', async () => {
    engine = await new TestEngine({ topicRetention: { ms: day, bytes: 5000 } }).open();
    await engine.run(stream('plain'));
    await engine.run(stream('own', ', RETENTION_MS=-1'));
    await engine.run('CREATE STREAM derived AS SELECT * FROM plain;');
    const columns = [
      { name: 'id', type: INTEGER },
      { name: 'v', type: STRING },
    ];
    await engine.capture('a', columns);
    await engine.capture('b', columns, false, { cleanup: 'delete' });
    expect(await settings('plain')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: 5000 });
    expect(await settings('derived')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: 5000 });
    expect(await settings('own')).toEqual({ cleanup: 'delete', retentionMs: -1, retentionBytes: 5000 });
    expect(await settings('p.db.a')).toEqual({ cleanup: 'compact', retentionMs: -1, retentionBytes: -1 });
    expect(await settings('p.db.b')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: 5000 });
  });
});

describe("a connector's topic.creation.*", () => {
  const base = {
    'connector.class': 'SqliteCdcSource',
    'database.file': 'x.db',
    'topic.prefix': 'p',
  };
  const created = (config: Readonly<Record<string, string>>, topic: string) => {
    const { output, notes } = checkConfig('c', { ...base, ...config });
    return { ...newTopicOf(output, topic), notes: notes.map(({ code }) => code) };
  };
  const problems = (config: Readonly<Record<string, string>>) => {
    try {
      checkConfig('c', { ...base, ...config });
      return undefined;
    } catch (error) {
      return toAppError(error);
    }
  };

  beforeEach(async () => {
    engine = await new TestEngine({ topicRetention: { ms: day, bytes: -1 } }).open();
  });

  it('decides of new topics; what it leaves open the process decides; what is there stays as it is', async () => {
    const { output } = checkConfig('c', {
      ...base,
      'topic.creation.default.cleanup.policy': 'delete',
      'topic.creation.default.retention.ms': '5000',
      'topic.creation.groups': 'state, short',
      'topic.creation.state.include': '.*\\.accounts',
      'topic.creation.short.include': '.*\\.(events|logs)',
      'topic.creation.short.exclude': '.*\\.logs',
      'topic.creation.short.cleanup.policy': 'delete',
      'topic.creation.short.retention.bytes': '1000000',
      'topic.creation.short.partitions': '3',
    });
    for (const table of ['accounts', 'events', 'logs']) await engine.capture(table, undefined, false, output);
    expect(await settings('p.db.accounts')).toEqual({ cleanup: 'compact', retentionMs: -1, retentionBytes: -1 });
    expect(await settings('p.db.events')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: 1_000_000 });
    expect(await settings('p.db.logs')).toEqual({ cleanup: 'delete', retentionMs: 5000, retentionBytes: -1 });
    const other = checkConfig('c', { ...base, 'cleanup.policy': 'delete', 'topic.creation.default.retention.ms': '9' });
    await engine.capture('logs', undefined, false, other.output);
    expect(await settings('p.db.logs')).toMatchObject({ retentionMs: 5000 });
  });

  it('the first group that a name meets decides, whatever the others say', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ include: fc.boolean(), exclude: fc.boolean(), ms: fc.integer({ min: -1, max: 1e12 }) })),
        fc.integer({ min: -1, max: 1e12 }),
        (groups, ms) => {
          const config: Record<string, string> = {
            'cleanup.policy': 'delete',
            'topic.creation.default.retention.ms': String(ms),
            'topic.creation.groups': groups.map((_, i) => `g${i}`).join(','),
          };
          for (const [i, group] of groups.entries()) {
            config[`topic.creation.g${i}.include`] = group.include ? 'p.*' : 'q';
            config[`topic.creation.g${i}.exclude`] = group.exclude ? 'p.d.t' : 'p.d';
            config[`topic.creation.g${i}.cleanup.policy`] = 'delete';
            config[`topic.creation.g${i}.retention.ms`] = String(group.ms);
          }
          const expected = groups.find(({ include, exclude }) => include && !exclude)?.ms ?? ms;
          expect(created(config, 'p.d.t').retention?.ms).toBe(expected);
        },
      ),
    );
  });

  it('a topic that loses rows is said to, and one that loses none is not', () => {
    const cut = { 'cleanup.policy': 'delete', 'topic.creation.default.retention.ms': '5000' };
    expect(created(cut, 'p.d.t').notes).toEqual(['rows-leave-the-log']);
    expect(created({ ...cut, 'topic.creation.default.retention.ms': '-1' }, 'p.d.t').notes).toEqual([]);
    expect(created({}, 'p.d.t').notes).toEqual([]);
  });

  it.each([
    [{ 'topic.creation.default.retention.ms': '5000' }, /loses nothing by age or size/, /"cleanup.policy" to "delete"/],
    [{ 'topic.creation.default.retention.ms': '-2' }, /is a number from -1 on/, undefined],
    [{ 'topic.creation.default.retention.ms': '1 day' }, /not a whole number/, undefined],
    [
      { 'topic.creation.default.cleanup.policy': 'compact,delete' },
      /a topic is compacted, or limited/,
      /compact, delete/,
    ],
    [{ 'topic.partitions': '0' }, /is a number from 1 to 1024/, undefined],
    [{ 'topic.partitions': '1000000000' }, /is a number from 1 to 1024/, undefined],
    [{ 'topic.creation.default.partitions': '1025' }, /is a number from 1 to 1024/, undefined],
    [
      {
        'topic.creation.groups': 'a',
        'topic.creation.a.include': '.*',
        'topic.creation.a.partitions': '1000000000',
      },
      /is a number from 1 to 1024/,
      undefined,
    ],
    [{ 'topic.creation.groups': 'a' }, /"topic.creation.a.include" is missing/, undefined],
    [{ 'topic.creation.groups': 'default' }, /always there/, /leave it out/],
    [{ 'topic.creation.b.retention.ms': '5' }, /unknown property/, /name its group|did you mean/],
  ])('%j is refused with what is wrong and what to do', (config, message, hint) => {
    const error = problems(config as unknown as Record<string, string>);
    expect(error).toMatchObject({ code: 'bad-connector-config', place: { path: expect.any(String) as string } });
    expect(error!.message).toMatch(message);
    if (hint) expect(error!.hint).toMatch(hint);
  });
});

describe('the settings of the process', () => {
  it('come from flag, environment and file by their Kafka names, and bad ones are refused by name', async () => {
    engine = await new TestEngine().open();
    const load = (flags: object, env: Record<string, string>) => loadConfig({ flags, env, file: undefined });
    expect(topicRetention(await load({}, {}))).toBeUndefined();
    const env = { WRITETHROUGH_TOPIC_RETENTION_MS: '5000', WRITETHROUGH_TOPIC_RETENTION_BYTES: '70' };
    expect(topicRetention(await load({}, env))).toEqual({ ms: 5000, bytes: 70 });
    expect(topicRetention(await load({ 'topic.retention.ms': 9 }, env))).toEqual({ ms: 9, bytes: 70 });
    const bad = load({}, { WRITETHROUGH_TOPIC_RETENTION_MS: '-2' });
    await expect(bad).rejects.toMatchObject({ code: 'bad-config', place: { path: 'topic.retention.ms' } });
  });
});

describe('an alteration', () => {
  beforeEach(async () => {
    engine = await new TestEngine({ topicRetention: { ms: day, bytes: -1 } }).open();
    await engine.run(stream('s', ', RETENTION_MS=5000'));
  });
  const alter = (topic: string, changes: RetentionChanges) =>
    engine.api.alterTopic(topic, changes).then(
      () => 'ok',
      (error: unknown) => toAppError(error),
    );

  it('changes what it names, and what it leaves out stays; it outlives a restart', async () => {
    expect(await alter('s', { bytes: 70_000 })).toBe('ok');
    expect(await settings('s')).toEqual({ cleanup: 'delete', retentionMs: 5000, retentionBytes: 70_000 });
    expect(await alter('s', { ms: -1 })).toBe('ok');
    await engine.restart();
    expect(await settings('s')).toEqual({ cleanup: 'delete', retentionMs: -1, retentionBytes: 70_000 });
    expect(await alter('s', { ms: 'default', bytes: 'default' })).toBe('ok');
    expect(await settings('s')).toEqual({ cleanup: 'delete', retentionMs: day, retentionBytes: -1 });
  });

  it('is decided where it stands in the sequence: statements of others that come before it count', async () => {
    const outcomes = await Promise.all([
      engine.run('DROP STREAM s DELETE TOPIC;').then(() => 'ok'),
      alter('s', { ms: 1 }),
      engine.run(stream('s')).then(() => 'ok'),
      alter('s', { ms: 2 }),
    ]);
    expect(outcomes).toMatchObject(['ok', { code: 'unknown-topic' }, 'ok', 'ok']);
    expect(await settings('s')).toMatchObject({ retentionMs: 2 });
  });

  it('that a topic cannot have is refused, and changes nothing', async () => {
    await engine.run('CREATE TABLE counts AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;');
    const compacted = {
      code: 'bad-topic-setting',
      place: { path: 'retention.ms' },
      hint: expect.any(String) as string,
    };
    expect(await alter('counts', { ms: 5 })).toMatchObject(compacted);
    expect(await alter('counts', { ms: -1 })).toBe('ok');
    expect(await alter('no-topic', { ms: 5 })).toMatchObject({ code: 'unknown-topic' });
    expect(await alter('writethrough_statements', { ms: 5 })).toMatchObject({ code: 'invalid-statement' });
    expect(await settings('counts')).toEqual({ cleanup: 'compact', retentionMs: -1, retentionBytes: -1 });
  });

  it('takes effect on the records that are there; a new query begins with the rest, and no rebuild passes over what is gone', async () => {
    const written = async (from: number, to: number, rowtime: number) => {
      for (let id = from; id < to; id++)
        await engine.run(`INSERT INTO s (id, v, ROWTIME) VALUES (${id}, 'x', ${rowtime});`);
    };
    await engine.run('CREATE TABLE early AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;');
    await written(0, 4, 1000);
    const first = async () => (await engine.api.topics()).find(({ name }) => name === 's')!.offsets[0]!.first;
    await until(async () => (await first()) === 4, 'the records are gone');
    await alter('s', { ms: -1 });
    await written(4, 6, 2000);
    await engine.run('CREATE TABLE late AS SELECT v, COUNT(*) AS n FROM s GROUP BY v;');
    await until(() => engine.codeOf('late') === 'ok', 'the new query');
    await written(6, 7, 3000);
    expect([engine.rows('early'), engine.rows('late')]).toEqual([[['x', 7]], [['x', 3]]]);
    await engine.api.rebuild('early');
    const ended = async () => (await engine.api.rebuilds()).find(({ table }) => table === 'early');
    await until(async () => (await ended())?.state === 'failed', 'the rebuild is refused');
    expect((await ended())?.error).toContain('no longer holds topic "s"');
    expect(engine.rows('early')).toEqual([['x', 7]]);
  });
});
