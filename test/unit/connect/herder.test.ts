// The herder's invariants, with tasks that the test ends as it likes.
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CheckedConfig } from '../../../src/connect/connector-config.js';
import type { ConnectorTask } from '../../../src/connect/herder-env.js';
import { Herder } from '../../../src/connect/herder.js';
import { producerName } from '../../../src/connect/naming.js';
import { SourceFreshness } from '../../../src/connect/source-freshness.js';
import type { VerifyRequest } from '../../../src/source/verification.js';
import type { StoredConnector } from '../../../src/connect/stored-connector.js';
import { AppError, toAppError } from '../../../src/core/errors.js';
import { silentLogger } from '../../../src/core/logger.js';
import type {
  SnapshotRequest,
  SourceConfig,
  SourceFinding,
  SourceReport,
  WantedPosition,
} from '../../../src/source/source-connector.js';
import { until } from '../../support/engine.js';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2 ** 31);
const config = { 'connector.class': 'SqliteCdcSource', 'database.file': '/x.db' };

class FakeTask implements ConnectorTask {
  readonly done: Promise<void>;
  readonly name: string;
  readonly onReport: (report: SourceReport) => void;
  ended = false;
  #settle!: { resolve: () => void; reject: (error: AppError) => void };
  constructor(name: string, onReport: (report: SourceReport) => void) {
    this.name = name;
    this.onReport = onReport;
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    this.done.catch(() => {});
  }
  readonly verified: VerifyRequest[] = [];
  readonly snapshots: SnapshotRequest[] = [];
  verify = (request: VerifyRequest) => {
    this.verified.push(request);
    const counts = { rows: 5, missing: 1, ghosts: 0, different: 1, repaired: 0, moving: 0 };
    return Promise.resolve({
      tables: [
        { table: 'd.a', state: 'different' as const, ...counts },
        { table: 'd.b', state: 'skipped' as const, ...counts, rows: 0, missing: 0, different: 0 },
      ],
      differences: [],
    });
  };

  async stop(): Promise<void> {
    await Promise.resolve();
    this.end();
  }
  snapshot(request: SnapshotRequest): Promise<readonly string[]> {
    this.snapshots.push(request);
    const { tables } = request;
    return Promise.resolve(tables);
  }
  end(): void {
    this.ended = true;
    this.#settle.resolve();
  }
  fail(error: AppError): void {
    this.ended = true;
    this.#settle.reject(error);
  }
}

class World {
  readonly stored = new Map<string, StoredConnector>();
  readonly tasks: FakeTask[] = [];
  readonly checked: CheckedConfig[] = [];
  overlaps = 0;
  restarts = 0;
  position: string | null = '7';
  /** Of both clocks. */
  nowMs = 2_000;
  refuseRemoval = false;
  leads: Promise<boolean> = Promise.resolve(true);
  readonly frontier = { logId: 'l', seq: 1, commitTimeUs: 0, commitTimesUs: { [producerName('c')]: 1 }, positions: {} };
  environment: Record<string, string> = {};
  validate: (source: SourceConfig) => Promise<readonly SourceFinding[]> = () => Promise.resolve([]);
  recognise: () => Promise<{ readonly identity: string | undefined }> = () => Promise.resolve({ identity: undefined });
  herder = this.open();

  open(): Herder {
    return new Herder({
      store: {
        load: () => Promise.resolve([...this.stored.values()]),
        put: async (connector) => void this.stored.set(connector.name, connector),
        remove: async (name) => {
          if (this.refuseRemoval) throw new AppError('invalid-statement', 'its tables are read by queries');
          this.stored.delete(name);
        },
        setPosition: (_name, position) => {
          this.position = position;
          return Promise.resolve();
        },
        progress: () => Promise.resolve({ position: this.position, tables: ['t'], topics: ['p.t'], stopped: [] }),
      },
      startTask: (name, checked, onReport) => {
        if (this.running(name).length > 0) this.overlaps++;
        this.checked.push(checked);
        const task = new FakeTask(name, onReport);
        this.tasks.push(task);
        return task;
      },
      freshness: new SourceFreshness({
        clock: { nowMs: () => this.nowMs, nowUs: () => this.nowMs * 1000, monotonicMs: () => this.nowMs },
        frontier: () => this.frontier,
        keep: () => {},
      }),
      openInquiry: (_family, source) =>
        ({
          validate: () => this.validate(source),
          recognise: () => this.recognise(),
          place: ({ offset }: WantedPosition) => Promise.resolve(offset === null ? null : JSON.stringify(offset)),
          close: () => Promise.resolve(),
        }) as never,
      resolveReferences: (properties) =>
        Object.fromEntries(
          Object.entries(properties).map(([key, value]) => [
            key,
            value.replaceAll(/\$\{env:([^}]*)\}/g, (_, name: string) => {
              const found = this.environment[name];
              if (found === undefined)
                throw new AppError('bad-connector-config', `${key}: the environment has no ${name}`);
              return found;
            }),
          ]),
        ),
      stillLeads: () => this.leads,
      onRestart: () => void this.restarts++,
      onVerified: () => {},
      workerId: 'w',
      version: '1',
      logger: silentLogger,
    });
  }

  running(name: string): readonly FakeTask[] {
    return this.tasks.filter((task) => task.name === name && !task.ended);
  }

  async restart(): Promise<void> {
    await this.herder.close();
    this.herder = this.open();
    await this.herder.open();
  }
}

const retriable = () => new AppError('source-unreachable', 'gone', { retriable: true });
const final = () => new AppError('source-access-denied', 'no');

describe('the herder', () => {
  it('makes a connector in another state than running, and gives the position of a stopped one up', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api', 'stopped');
    expect([world.tasks.length, (await world.herder.status('c')).connector.state]).toEqual([0, 'STOPPED']);
    await world.herder.resetOffsets('c');
    expect(world.stored.get('c')).toMatchObject({ wanted: 'stopped' });
    expect((await world.herder.status('c')).connector.state).toBe('STOPPED');
    await world.herder.resume('c');
    expect(world.running('c')).toHaveLength(1);
    await expect(world.herder.resetOffsets('c')).rejects.toMatchObject({ code: 'bad-request' });
    await world.herder.close();
  });

  it('tells what is wrong in the configuration together with what the source says', async () => {
    const world = new World();
    const grant = { severity: 'error', code: 'source-missing-grant', message: 'no right', hint: 'GRANT it' } as const;
    const asked: SourceConfig[] = [];
    world.validate = (source) => {
      asked.push(source);
      return Promise.resolve([grant]);
    };
    const wrong = { ...config, colour: 'red', 'topic.partitions': '0' };
    await expect(world.herder.create('c', wrong, 'api')).rejects.toMatchObject({
      code: 'bad-connector-config',
      detail: expect.stringMatching(/colour: .*\ntopic\.partitions: .*\nno right \(GRANT it\)$/) as string,
    });
    const { error_count: count, configs } = await world.herder.validate(config['connector.class']!, {
      ...wrong,
      name: 'c',
      'errors.log.enable': 'true',
    });
    expect(count).toBe(3);
    const of = (name: string) => configs.find(({ value }) => value['name'] === name)!;
    expect(of('colour')).toMatchObject({ definition: null, value: { value: 'red', errors: [expect.any(String)] } });
    expect(of('connector.class').value['errors']).toEqual(['no right (GRANT it)']);
    expect(of('errors.log.enable').value).toMatchObject({ errors: [], notes: [expect.any(String)] });
    expect(asked.map((source) => source['topic.partitions'])).toEqual(['1', '1']);
    await world.herder.close();
  });

  it('tries a retriable failure again, and shows it meanwhile', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api');
    world.tasks[0]!.fail(retriable());
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'RESTARTING', 'it is shown');
    const { source, error } = await world.herder.status('c');
    expect(error).toMatchObject({ code: 'source-unreachable', message: 'gone' });
    expect(source).toMatchObject({
      phase: 'waiting',
      reason: 'gone',
      retry: { attempt: 1, code: 'source-unreachable' },
    });
    expect(Date.parse(source.retry!.at)).toBeGreaterThan(Date.now() - 10_000);
    await until(() => world.tasks.length === 2, 'tried again');
    expect(world.restarts).toBe(1);
    expect((await world.herder.status('c')).tasks[0]!.state).toBe('RUNNING');
    await world.herder.close();
  });

  it('leaves a final failure FAILED with its reason until restart, resume or update', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api');
    for (const again of [
      () => world.herder.restart('c'),
      () => world.herder.resume('c'),
      () => world.herder.update('c', config),
    ]) {
      world.tasks.at(-1)!.fail(final());
      await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
      expect((await world.herder.status('c')).tasks[0]!.trace).toContain('source-access-denied: no');
      await again();
      expect((await world.herder.status('c')).tasks[0]!.state).toBe('RUNNING');
      expect(world.running('c')).toHaveLength(1);
    }
    await world.herder.close();
  });

  it('leaves a source that is lost FAILED when errors.max.retries is reached', async () => {
    const world = new World();
    const quick = { 'errors.max.retries': '2', 'errors.retry.delay.initial.ms': '1' };
    await world.herder.create('c', { ...config, ...quick }, 'api');
    for (let i = 0; i < 3; i++) {
      await until(() => world.running('c').length === 1 && world.tasks.length === i + 1, 'it runs');
      world.tasks[i]!.fail(retriable());
    }
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    expect((await world.herder.status('c')).tasks[0]!.trace).toMatch(/gone\nit was tried again 2 times/);
    await world.herder.close();
  });

  it('tries a refused password again only when its file has another one', async () => {
    const world = new World();
    world.environment = { F: '/x.db' };
    await world.herder.create('c', { ...config, 'database.file': '${env:F}' }, 'api');
    world.tasks[0]!.fail(new AppError('source-access-denied', '/x.db is refused'));
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    await delay(1_200);
    expect(world.tasks).toHaveLength(1);
    world.environment = { F: '/other.db' };
    await until(() => world.tasks.length === 2, 'tried with the other one');
    expect((await world.herder.status('c')).tasks[0]!.state).toBe('RUNNING');
    // What is secret now is the new value.
    world.tasks[1]!.fail(new AppError('source-access-denied', '/other.db is refused'));
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    expect((await world.herder.status('c')).tasks[0]!.trace).toContain('${env:F} is refused');
    await world.herder.close();
  });

  it('compares tables and reads them again by the clock, while it streams, and remembers when', async () => {
    const world = new World();
    const clock = {
      'verify.schedule.interval.ms': '60',
      'verify.schedule.rows.per.second': '0',
      'verify.schedule.repair': 'true',
      'snapshot.schedule.interval.ms': '100',
    };
    await world.herder.create('c', { ...config, ...clock }, 'api');
    const [task] = world.tasks;
    await delay(250);
    expect([task!.verified, task!.snapshots]).toEqual([[], []]);
    task!.onReport({ state: { phase: 'streaming' } });
    await until(() => task!.verified.length >= 2 && task!.snapshots.length >= 2, 'both twice');
    expect(task!.verified[0]).toEqual({ tables: [], repair: true, rowsPerSecond: null });
    expect(task!.snapshots[0]).toEqual({ tables: [] });
    // What is read again already is not called for.
    task!.onReport({ state: { phase: 'streaming', snapshot: { tables: [] } } });
    await delay(50);
    const before = task!.snapshots.length;
    await delay(150);
    expect(task!.snapshots).toHaveLength(before);
    const { verified, schedules } = await world.herder.status('c');
    expect(verified).toMatchObject({ state: 'done', tables: 1, skipped: 1, rows: 5, differences: 2, repaired: 0 });
    expect(schedules).toMatchObject({ verify: { intervalMs: 60 }, snapshot: { intervalMs: 100 } });
    expect(Date.parse(schedules!.verify!.due!) - Date.parse(schedules!.verify!.since!)).toBe(60);
    await world.restart();
    expect((await world.herder.status('c')).verified).toEqual(verified);
    expect(world.stored.get('c')!.begun).toEqual({ verify: expect.any(Number), snapshot: expect.any(Number) });
    await world.herder.update('c', { ...config, 'verify.schedule.interval.ms': '3600000' });
    expect(await world.herder.status('c')).toMatchObject({
      verified,
      schedules: { verify: { intervalMs: 3_600_000 } },
    });
    expect((await world.herder.status('c')).schedules).not.toHaveProperty('snapshot');
    await world.herder.close();
  });

  it('has a connector go on elsewhere only while it is stopped, and only where its one partition says', async () => {
    const world = new World();
    const { herder } = world;
    await herder.create('c', { ...config, 'topic.prefix': 'p' }, 'api');
    const at = (partition: object, offset: object | null) => herder.alterOffsets('c', [{ partition, offset } as never]);
    await expect(at({ server: 'p' }, null)).rejects.toMatchObject({ code: 'bad-request', hint: expect.any(String) });
    await herder.stop('c');
    expect(await herder.offsets('c')).toEqual({ offsets: [{ partition: { server: 'p' }, offset: 7 }] });
    await expect(at({ server: 'q' }, { a: 1 })).rejects.toThrow('no partition {"server":"q"}');
    await expect(at({}, { a: 1 })).rejects.toThrow('no partition {}');
    await expect(herder.alterOffsets('c', [])).rejects.toThrow('no offset');
    const twice = { partition: { server: 'p' }, offset: { a: 1 } };
    await expect(herder.alterOffsets('c', [twice, twice])).rejects.toThrow('2 times');
    expect(world.position).toBe('7');
    await at({ server: 'p' }, { a: 1 });
    expect(world.position).toBe('{"a":1}');
    await at({ server: 'p' }, null);
    expect([world.position, await herder.offsets('c')]).toEqual([null, { offsets: [] }]);
    // Which rows are gone at the source by then, its topics tell as tables do.
    await herder.update('c', { ...config, 'table.create': 'false' });
    world.position = '7';
    await herder.resetOffsets('c');
    expect(world.position).toBeNull();
    await herder.create('d', config, 'api', 'stopped', [{ partition: { server: 'd' }, offset: { b: 2 } }]);
    expect(world.position).toBe('{"b":2}');
    await herder.close();
  });

  it('leaves a back-off wait at once when it is paused, deleted or closed', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api');
    for (let i = 0; i < 3; i++) {
      const count = world.tasks.length;
      world.tasks.at(-1)!.fail(retriable());
      await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'RESTARTING', 'it waits');
      if (i < 2) await until(() => world.tasks.length > count, 'tried again');
    }
    await world.herder.pause('c');
    expect(await world.herder.status('c')).toMatchObject({ connector: { state: 'PAUSED' } });
    expect(world.running('c')).toHaveLength(0);
    await world.herder.close();
  });

  it('a configuration that does not resolve at start fails the connector, not the start', async () => {
    const world = new World();
    world.environment = { F: '/x.db' };
    await world.herder.create('c', { ...config, 'database.file': '${env:F}' }, 'api');
    world.environment = {};
    await world.restart();
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    expect((await world.herder.status('c')).tasks[0]!.trace).toContain('the environment has no F');
    await world.herder.close();
  });

  it('calls a connector current on its word alone, and older and older once it is not followed', async () => {
    const world = new World();
    const stands = async () => {
      const { lagMs, standing } = await world.herder.status('c');
      return [lagMs, standing];
    };
    await world.herder.create('c', config, 'api');
    // Since its newest commit, at 0.
    expect(await stands()).toEqual([2_000, 'never-reached']);
    world.tasks[0]!.onReport({ state: { phase: 'streaming', caughtUp: true } });
    expect(await stands()).toEqual([2_000, 'catching-up']);
    world.tasks[0]!.onReport({ state: { phase: 'streaming', caughtUp: true }, confirmed: { atMs: 1_990, seq: 1 } });
    expect(await stands()).toEqual([0, 'current']);
    world.tasks[0]!.fail(final());
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    world.nowMs += 3_000;
    expect(await stands()).toEqual([3_010, 'failed']);
    await world.herder.pause('c');
    expect(await stands()).toEqual([3_010, 'paused']);
    await world.herder.resume('c');
    expect(await stands()).toEqual([3_010, 'connecting']);
    await world.herder.stop('c');
    expect(await stands()).toEqual([3_010, 'stopped']);
    await world.herder.close();
  });

  it('takes any change of a binlog that was read already, of its table filters too', async () => {
    const world = new World();
    const binlog = {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': 'h',
      'database.user': 'u',
      'database.password': '${env:P}',
      'topic.prefix': 'p',
      'output.data.format': 'JSON',
      'table.include.list': 'd.a',
    };
    world.environment = { P: 'x' };
    await world.herder.create('c', binlog, 'api');
    const wider = { ...binlog, 'table.include.list': 'd.a,d.b' };
    await world.herder.update('c', wider);
    expect((await world.herder.info('c')).config['table.include.list']).toBe('d.a,d.b');
    await world.herder.update('c', { ...wider, 'database.password': 'y' });
    expect(world.running('c')).toHaveLength(1);
    await world.herder.close();
  });

  it('goes on as it was when its tables cannot be dropped', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api');
    world.refuseRemoval = true;
    await expect(world.herder.delete('c', { topics: true })).rejects.toThrow('read by queries');
    expect(world.running('c')).toHaveLength(1);
    world.refuseRemoval = false;
    await world.herder.delete('c', { topics: true });
    expect(world.running('c')).toHaveLength(0);
    expect(await world.herder.list()).toEqual([]);
    await world.herder.close();
  });

  it('learns who a source is when its turn has come, where too many are being asked', async () => {
    const world = new World();
    await world.herder.create('c', config, 'api');
    let asked = 0;
    const refusal = new AppError('overloaded', 'many wait', { retriable: true });
    world.recognise = () => (++asked < 3 ? Promise.reject(refusal) : Promise.resolve({ identity: 'it' }));
    world.tasks[0]!.onReport({ state: { phase: 'streaming' } });
    await until(() => world.stored.get('c')!.identity === 'it', 'its identity');
    expect(asked).toBe(3);
    await world.herder.close();
  });

  it('does not start anything any more once it closes', async () => {
    const world = new World();
    const creating = world.herder.create('c', config, 'api');
    creating.catch(() => {});
    await world.herder.close();
    await expect(creating).rejects.toMatchObject({ code: 'not-ready', retriable: true });
    expect(world.running('c')).toHaveLength(0);
    await world.herder.close();
  });

  it('what a source waits for stays in its status while it is tried again, until it answers or is paused', async () => {
    const world = new World();
    const { herder } = world;
    await herder.create('c', config, 'api');
    const source = async () => (await herder.status('c')).source;
    world.tasks[0]!.onReport({ state: { phase: 'connecting' } });
    expect(await source()).toMatchObject({ phase: 'connecting' });
    world.tasks[0]!.fail(new AppError('source-unreachable', 'nobody there', { retriable: true }));
    await until(() => world.tasks.length === 2, 'tried again');
    expect(await source()).toMatchObject({ phase: 'waiting', reason: 'nobody there' });
    world.tasks[1]!.onReport({ state: { phase: 'connecting' } });
    expect(await source()).toMatchObject({ phase: 'waiting', reason: 'nobody there' });
    world.tasks[1]!.onReport({ state: { phase: 'streaming' } });
    expect(await source()).toMatchObject({ phase: 'streaming' });
    world.tasks[1]!.onReport({ state: { phase: 'waiting', reason: 'gone' } });
    await herder.pause('c');
    await herder.resume('c');
    expect(await source()).toMatchObject({ phase: 'connecting' });
    await herder.close();
  });

  it('tells no failure of a source that another process has gone on with, while it does not know that', async () => {
    for (const leads of [true, false]) {
      const world = new World();
      const { herder } = world;
      await herder.create('c', config, 'api');
      let answer: (leads: boolean) => void = () => {};
      world.leads = new Promise((resolve) => (answer = resolve));
      world.tasks[0]!.fail(new AppError('source-rewound', 'another change than the one that was read'));
      const state = async () => (await herder.status('c')).tasks[0]!.state;
      await delay(20);
      expect(await state()).toBe('RUNNING');
      answer(leads);
      if (leads) await until(async () => (await state()) === 'FAILED', 'failed');
      await delay(20);
      expect(await state()).toBe(leads ? 'FAILED' : 'RUNNING');
      // An end is not held up by a question that nobody answers.
      world.leads = new Promise(() => {});
      await herder.restart('c');
      world.tasks.at(-1)!.fail(new AppError('source-rewound', 'again'));
      await delay(20);
      await herder.close();
    }
  });

  it('shows no value behind a reference, nor a password', async () => {
    const world = new World();
    world.environment = { F: '/secret-path.db' };
    await world.herder.create('c', { ...config, 'database.file': '${env:F}' }, 'api');
    world.tasks[0]!.onReport({ state: { phase: 'waiting', reason: 'no /secret-path.db' } });
    expect(JSON.stringify(await world.herder.status('c'))).not.toContain('secret-path');
    world.tasks[0]!.fail(new AppError('source-misconfigured', 'in /secret-path.db', { detail: '/secret-path.db' }));
    await until(async () => (await world.herder.status('c')).tasks[0]!.state === 'FAILED', 'failed');
    expect(JSON.stringify([await world.herder.status('c'), await world.herder.info('c')])).not.toContain('secret-path');
    const refused = await world.herder.update('c', { ...config, 'sqlite.type.mismatch': '${env:F}' }).catch(toAppError);
    expect(JSON.stringify(refused)).not.toContain('secret-path');
    await world.herder.close();
  });

  it('a source that says nothing holds up its own connector and no other', async () => {
    const world = new World();
    const { herder } = world;
    await herder.create('b', config, 'api');
    let answer: ((findings: readonly SourceFinding[]) => void) | undefined;
    world.validate = (source) =>
      source['database.file'] === '/silent.db' ? new Promise((resolve) => (answer = resolve)) : Promise.resolve([]);
    const order: string[] = [];
    const silent = herder.create('a', { ...config, 'database.file': '/silent.db' }, 'api').then(() => order.push('a'));
    const behind = herder.pause('a').then(() => order.push('a paused'));
    await herder.pause('b');
    await herder.create('c', config, 'api');
    expect(order).toEqual([]);
    answer!([]);
    await Promise.all([silent, behind]);
    expect(order).toEqual(['a', 'a paused']);
    await herder.close();
  });

  const calls = [
    'create',
    'pause',
    'resume',
    'stop',
    'restart',
    'delete',
    'update',
    'fail',
    'fail-final',
    'reopen',
  ] as const;
  it(`one task at most, and exactly when it is wanted, whatever is called in whatever order (PROPERTY_SEED=${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...calls), fc.constantFrom('a', 'b'), fc.boolean()), { maxLength: 25 }),
        async (sequence) => {
          const world = new World();
          const open: Promise<unknown>[] = [];
          for (const [call, name, wait] of sequence) {
            const run = (): Promise<unknown> => {
              const { herder } = world;
              switch (call) {
                case 'create':
                  return herder.create(name, config, 'api');
                case 'update':
                  return herder.update(name, config);
                case 'fail':
                case 'fail-final':
                  world.running(name)[0]?.fail(call === 'fail' ? retriable() : final());
                  return Promise.resolve();
                case 'reopen':
                  return Promise.all(open).then(() => world.restart());
                default:
                  return herder[call](name);
              }
            };
            const result = run().catch((error: unknown) =>
              expect(['already-exists', 'unknown-connector']).toContain(toAppError(error).code),
            );
            open.push(result);
            if (wait || call === 'reopen') await result;
          }
          await Promise.all(open);
          for (let i = 0; i < 20; i++) await Promise.resolve();
          expect(world.overlaps).toBe(0);
          for (const name of ['a', 'b']) {
            const stored = world.stored.get(name);
            if (!stored) {
              expect(world.running(name)).toHaveLength(0);
              continue;
            }
            const state = (await world.herder.status(name)).tasks[0]?.state ?? 'STOPPED';
            const expected = { running: ['RUNNING', 'RESTARTING', 'FAILED'], paused: ['PAUSED'], stopped: ['STOPPED'] }[
              stored.wanted
            ];
            expect(expected).toContain(state);
            expect([state, world.running(name).length]).toEqual([state, state === 'RUNNING' ? 1 : 0]);
          }
          await world.herder.close();
          expect(world.tasks.every(({ ended }) => ended)).toBe(true);
        },
      ),
      { seed, numRuns: 200, includeErrorInReport: true },
    );
  });
});
