// The command line against a real server with fake facades: what is printed where, and the exit code.
import { applied } from '../../../src/projector/statement-results.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { CliIo } from '../../../src/cli/cli-io.js';
import { buildProgram, runProgram } from '../../../src/cli/program.js';
import type { ConnectorInfo, ConnectorStatus, VerifyStatus } from '../../../src/connect/connect-facade.js';
import { optionDefs } from '../../../src/config.js';
import { AppError } from '../../../src/core/errors.js';
import type { CheckResult } from '../../../src/cli/check.js';
import type { Diagnosis } from '../../../src/connect/diagnosis.js';
import type { RebuildProgress } from '../../../src/projector/statement-facade.js';
import type { ChangeItem } from '../../../src/query/query-facade.js';
import { batchesOf, current, type FakeFacades, freshness, sqlRows, startServer } from '../server/harness.js';

const folder = mkdtempSync(join(tmpdir(), 'wt-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const diagnosis: Diagnosis = {
  name: 'orders',
  class: 'MySqlCdcSource',
  errors: 0,
  warnings: 1,
  notes: 1,
  findings: [
    {
      severity: 'warning',
      code: 'no-checksum',
      object: 'binlog_checksum',
      message: 'binlog_checksum is NONE',
      hint: 'SET x',
    },
    { severity: 'note', code: 'text-key', object: 'shop.a', message: 'the key of shop.a is text' },
  ],
};

const checked: CheckResult = {
  file: '/data/writethrough.db',
  damaged: 1,
  parts: [
    { name: 'catalogue', checked: 7, unchecked: 0, damaged: 0 },
    { name: 'table "orders"', checked: 9, unchecked: 2, damaged: 1 },
  ],
  findings: [{ what: 'table "orders", the row with key 7', table: 'orders', repair: 'writethrough rebuild "orders"' }],
};

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What start or demo were given. */
  readonly started: readonly unknown[];
}

interface RunOptions {
  readonly answer?: string;
  readonly url?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onOut?: (text: string) => void;
}

async function run(args: readonly string[], { answer = '', url, signal, onOut }: RunOptions = {}): Promise<Run> {
  let out = '';
  let err = '';
  const started: unknown[] = [];
  const io: CliIo = {
    out(text) {
      out += text;
      onOut?.(text);
    },
    err: (text) => (err += text),
    env: url === undefined ? {} : { WRITETHROUGH_URL: url },
    ask: (question) => {
      err += question;
      return Promise.resolve(answer);
    },
    interactive: false,
    signal: () => signal ?? new AbortController().signal,
  };
  const start = (options: unknown) => {
    started.push(options);
    return Promise.resolve();
  };
  const runDoctor = (request: unknown) => {
    started.push(request);
    return Promise.resolve(diagnosis);
  };
  const runCheck = (request: unknown) => {
    started.push(request);
    return Promise.resolve(checked);
  };
  const program = buildProgram({ version: '1.2.3', runStart: start, runDemo: start, runDoctor, runCheck, io });
  const code = await runProgram(program, args, io);
  return { code, out, err, started };
}

async function against(facades: FakeFacades, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { port } = await startServer(facades);
  return run(args, { ...options, url: `http://127.0.0.1:${port}` });
}

describe('the command line itself', () => {
  it('hands on only what was given', async () => {
    expect((await run(['start'])).started).toEqual([{}]);
    const args = [
      'start',
      '--source',
      'mysql://h/db',
      '--port',
      '0',
      '--data',
      'd',
      '--host',
      '::1',
      '--stream',
      'kafka://b',
      '--queries',
      'q',
    ];
    const { started } = await run([...args, '--config', 'c.yaml', '--allow-unauthenticated', '--log-level', 'debug']);
    expect(started).toEqual([
      {
        source: 'mysql://h/db',
        port: 0,
        data: 'd',
        host: '::1',
        stream: 'kafka://b',
        queries: 'q',
        config: 'c.yaml',
        allowUnauthenticated: true,
        logLevel: 'debug',
      },
    ]);
    expect((await run(['demo', '--no-writer', '--port', '9000'])).started).toEqual([{ writer: false, port: 9000 }]);
    expect((await run(['demo'])).started).toEqual([{ writer: true }]);
  });

  it.each([
    [['nope']],
    [['start', '--port', '99999']],
    [['start', '--log-level', 'loud']],
    [['start', '--nope']],
    [['rebuild']],
    [['connect', 'create']],
  ])('%j is wrong usage: exit code 2 and nothing on stdout', async (args) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: /);
  });

  it('prints help and version with exit code 0', async () => {
    const help = await run(['--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('Exit codes: 0 done, 1 failed');
    for (const args of [['version'], ['--version']]) {
      expect(await run(args)).toMatchObject({ code: 0, out: 'writethrough 1.2.3\n', err: '' });
    }
    expect(JSON.parse((await run(['version', '--json'])).out)).toMatchObject({ version: '1.2.3' });
    expect((await run(['completion'])).out).toContain(
      'connect) words="create list describe update pause resume restart delete',
    );
  });

  it.each(['start', 'demo'])('%s --help tells the defaults that the configuration has', async (command) => {
    const { code, out } = await run([command, '--help']);
    expect(code).toBe(0);
    const text = out.replaceAll(/\s+/g, ' ');
    expect(text).toContain(`(default ${optionDefs.port.default})`);
    expect(text).toContain(`(default ${optionDefs.data.default})`);
    expect(text).toContain(`lines to write (default ${command === 'demo' ? 'warn' : optionDefs['log.level'].default})`);
    if (command === 'start') expect(text).toContain(`(default ${optionDefs.host.default})`);
  });

  it('says that no server answers, as text or JSON', async () => {
    const url = 'http://127.0.0.1:1';
    const text = await run(['tables', '--url', url]);
    expect([text.code, text.out]).toEqual([1, '']);
    expect(text.err).toBe(
      `server-unreachable: no writethrough server answers at ${url}\n` +
        '  hint: start one with "writethrough start", or name it with --url or WRITETHROUGH_URL\n',
    );
    expect(JSON.parse((await run(['--json', 'tables'], { url })).err)).toMatchObject({
      error: { code: 'server-unreachable' },
    });
  });

  it('prints errors of every family as code, message, place and hint', async () => {
    const error = new AppError('syntax-error', 'unexpected "FORM"', {
      detail: 'SELECT * FORM t\n         ^',
      hint: 'did you mean FROM?',
    });
    const facades: FakeFacades = {
      query: {
        select: () => Promise.reject(error),
        tables: () =>
          Promise.reject(new AppError('unknown-table', 'no t', { place: { file: 'a.sql', line: 2, column: 3 } })),
      },
    };
    const sql = await against(facades, ['query', 'SELECT * FORM t']);
    expect(sql.code).toBe(1);
    expect(sql.err).toBe('syntax-error: unexpected "FORM"\n  SELECT * FORM t\n           ^\n  did you mean FROM?\n');
    expect((await against(facades, ['tables'])).err).toBe('unknown-table: no t\n  at a.sql:2:3\n');
  });
});

describe('connectors', () => {
  const info: ConnectorInfo = {
    name: 'orders',
    config: { name: 'orders', 'connector.class': 'MySqlCdcSource', 'database.password': '********' },
    tasks: [{ connector: 'orders', task: 0 }],
    type: 'source',
  };
  const status: ConnectorStatus = {
    name: 'orders',
    connector: { state: 'RUNNING', worker_id: 'w' },
    tasks: [{ id: 0, state: 'FAILED', worker_id: 'w', trace: 'source-access-denied: no\nmore' }],
    type: 'source',
    source: { phase: 'connecting' },
    position: null,
    tables: [],
  };
  const flat = '{"name":"orders","connector.class":"MySqlCdcSource","tasks.max":"1"}';
  const nested = '{"name":"orders","config":{"connector.class":"MySqlCdcSource","tasks.max":"1"}}';

  it.each([
    ['connect', 'create', '--config-file', flat],
    ['connect', 'create', '--config', nested],
    ['connector', 'create', '--config', flat],
    ['connect cluster', 'create', '--config-file', nested],
  ])('%s %s %s creates from both shapes of file', async (group, verb, option, text) => {
    const created: unknown[] = [];
    const create = (name: string, config: unknown) => {
      created.push([name, config]);
      return Promise.resolve(info);
    };
    const path = file('orders.json', text);
    const args = [...group.split(' '), verb, option, path];
    const human = await against({ connect: { create } }, args);
    expect([human.code, human.err]).toEqual([0, '']);
    expect(human.out).toBe('+------+--------+\n| ID   | orders |\n| Name | orders |\n+------+--------+\n');
    expect(created).toEqual([['orders', { 'connector.class': 'MySqlCdcSource', 'tasks.max': '1', name: 'orders' }]]);
    expect(JSON.parse((await against({ connect: { create } }, [...args, '-o', 'json'])).out)).toEqual({
      id: 'orders',
      name: 'orders',
    });
  });

  it.each([
    ['', 'empty'],
    ['{', 'not valid JSON'],
    ['[]', 'JSON object'],
    ['{}', 'no properties'],
    ['{"name":"a","connector.class":"X","tasks.max":1}', 'only string values are permitted: "tasks.max"'],
    ['{"connector.class":"X"}', 'no "name"'],
    ['{"name":"a","x":"y"}', 'no "connector.class"'],
    ['{"name":"a","config":{"name":"b","connector.class":"X"}}', 'both "a" and "b"'],
    ['{"name":"a","config":{"connector.class":"X"},"tasks.max":"1"}', '"tasks.max" beside'],
    [
      '{"name":"a","config":{"connector.class":"X"},"offsets":[{}]}',
      'each of "offsets" must have a "partition" object',
    ],
  ])('refuses the file %s', async (text, message) => {
    const path = file('bad.json', text);
    const { code, err } = await run(['connect', 'create', '--config-file', path]);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err).toContain(`at ${path}`);
  });

  it('lists and describes, for people and programs', async () => {
    const connect = {
      list: () => Promise.resolve(['orders']),
      status: () => Promise.resolve(status),
      info: () => Promise.resolve(info),
    };
    const list = await against({ connect }, ['connect', 'list']);
    expect(list.out.split('\n').map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['ID', 'Name', 'Status', 'Type', 'Trace'],
      ['------', '------', '------', '------', '------------------------'],
      ['orders', 'orders', 'FAILED', 'source', 'source-access-denied: no'],
      [''],
    ]);
    expect(JSON.parse((await against({ connect }, ['connect', 'list', '-o', 'json'])).out)).toEqual([
      { id: 'orders', name: 'orders', status: 'FAILED', type: 'source' },
    ]);
    const described = await against({ connect }, ['connect', 'describe', 'orders']);
    expect(described.out).toMatch(/^Connector Details\n[^]*\nTask Level Details\n[^]*\nConfiguration Details\n/);
    expect(JSON.parse((await against({ connect }, ['connect', 'describe', 'orders', '--json'])).out)).toMatchObject({
      connector: { id: 'orders' },
      tasks: [{ task: 0, state: 'FAILED' }],
      configs: [{ config: 'connector.class' }, { config: 'database.password', value: '********' }, { config: 'name' }],
    });
  });

  it('pause, resume and delete with one sentence each; delete asks first', async () => {
    const calls: string[] = [];
    const call = (name: string) => (id: string) => {
      calls.push(`${name} ${id}`);
      return Promise.resolve();
    };
    const connect = {
      pause: call('pause'),
      resume: call('resume'),
      delete: call('delete'),
      info: () => Promise.resolve(info),
    };
    expect((await against({ connect }, ['connect', 'pause', 'a', 'b'])).out).toBe(
      'Paused connector "a".\nPaused connector "b".\n',
    );
    expect((await against({ connect }, ['connect', 'resume', 'a'])).out).toBe('Resumed connector "a".\n');
    const refused = await against({ connect }, ['connect', 'delete', 'a'], { answer: 'n' });
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('Are you sure you want to delete connector "a"? (y/n): ');
    expect((await against({ connect }, ['connect', 'delete', 'a'], { answer: 'y' })).out).toBe(
      'Deleted connector "a".\n',
    );
    expect((await against({ connect }, ['connect', 'delete', 'a', '--force'])).out).toBe('Deleted connector "a".\n');
    expect(calls).toEqual(['pause a', 'pause b', 'resume a', 'delete a', 'delete a']);
  });

  it('restart and update; some properties, or the whole configuration of a file', async () => {
    const seen: unknown[] = [];
    const connect = {
      restart: (id: string) => Promise.resolve(void seen.push(`restart ${id}`)),
      status: () => Promise.resolve(status),
      info: () => Promise.resolve(info),
      update: (id: string, config: unknown) => {
        seen.push([id, config]);
        return Promise.resolve({ info, created: false });
      },
    };
    expect((await against({ connect }, ['connect', 'restart', 'a'])).out).toBe('Restarted connector "a".\n');
    const pairs = ['connect', 'cluster', 'update', 'orders', '--config', 'table.include.list=a.b,a.c,tasks.max=2'];
    expect((await against({ connect }, pairs)).out).toBe('Updated connector "orders".\n');
    const path = file('update.json', flat);
    expect((await against({ connect }, ['connect', 'update', 'orders', '--config-file', path, '-o', 'yaml'])).out).toBe(
      'id: orders\nstatus: updated\n',
    );
    expect(seen).toEqual([
      'restart a',
      ['orders', { ...info.config, 'table.include.list': 'a.b,a.c', 'tasks.max': '2' }],
      ['orders', { 'connector.class': 'MySqlCdcSource', 'tasks.max': '1', name: 'orders' }],
    ]);
    expect((await against({ connect }, ['connect', 'update', 'orders'])).code).toBe(2);
    expect((await against({ connect }, ['connect', 'update', 'orders', '--config', 'x'])).code).toBe(1);
  });

  it('show, set and give up an offset; a connector that runs is stopped for that and goes on', async () => {
    const calls: unknown[] = [];
    const called =
      (name: string) =>
      (...given: unknown[]) => {
        calls.push([name, ...given.slice(1)]);
        return Promise.resolve();
      };
    const offsets = [{ partition: { server: 'p' }, offset: { gtids: 'x:1' } }];
    let state: 'RUNNING' | 'PAUSED' | 'STOPPED' = 'RUNNING';
    const connect = {
      info: () => Promise.resolve(info),
      status: () => Promise.resolve({ ...status, connector: { ...status.connector, state } }),
      offsets: () => Promise.resolve({ offsets }),
      stop: called('stop'),
      resume: called('resume'),
      pause: called('pause'),
      alterOffsets: called('alter'),
      resetOffsets: called('reset'),
    };
    const run = (...args: string[]) => against({ connect }, ['connect', 'offset', ...args]);
    const described = await run('describe', 'orders', '-o', 'json');
    expect(JSON.parse(described.out)).toEqual({ id: 'orders', offsets });
    expect((await run('describe', 'orders')).out).toContain('{"gtids":"x:1"}');
    const path = file('offsets.json', described.out);
    expect((await run('update', 'orders', '--config-file', path)).out).toBe(
      'Updated the offsets of connector "orders".\n',
    );
    state = 'PAUSED';
    expect((await run('delete', 'orders')).out).toBe('Deleted the offsets of connector "orders".\n');
    state = 'STOPPED';
    await run('delete', 'orders');
    expect(calls).toEqual([
      ['stop'],
      ['alter', offsets],
      ['resume'],
      ['stop'],
      ['reset', { topics: false }],
      ['pause'],
      ['reset', { topics: false }],
    ]);
    expect((await run('update', 'orders')).code).toBe(2);
    writeFileSync(path, '{"offsets": [{"offset": {}}]}');
    expect((await run('update', 'orders', '--config-file', path)).err).toContain('must have a "partition" object');
  });

  it('list and describe the classes; YAML is read back as the same', async () => {
    const definition = { name: 'a', required: true, default_value: 'x: y', documentation: '"b", #c' };
    const connect = {
      plugins: () => [{ class: 'MySqlCdcSource', type: 'source' as const, version: '1' }],
      pluginConfig: () => [definition],
      list: () => Promise.resolve(['orders']),
      status: () => Promise.resolve(status),
      info: () => Promise.resolve(info),
    };
    expect((await against({ connect }, ['connect', 'plugin', 'list'])).out).toMatch(/MySqlCdcSource +source/);
    const described = ['connect', 'plugin', 'describe', 'MySqlCdcSource'];
    expect((await against({ connect }, described)).out).toMatch(/^a +true +x: y +"b", #c/m);
    for (const args of [described, ['connect', 'list'], ['connect', 'describe', 'orders']]) {
      const [yaml, json] = [
        await against({ connect }, [...args, '-o', 'yaml']),
        await against({ connect }, [...args, '-o', 'json']),
      ];
      expect(parse(yaml.out)).toEqual(JSON.parse(json.out));
    }
  });

  it('name an unknown connector in a sentence', async () => {
    const connect = {
      pause: () =>
        Promise.reject(
          new AppError('unknown-connector', 'there is no connector "x"', { hint: 'connect list shows them' }),
        ),
    };
    const { code, err } = await against({ connect }, ['connect', 'pause', 'x']);
    expect([code, err]).toEqual([1, 'unknown-connector: there is no connector "x"\n  connect list shows them\n']);
  });

  it('are validated without being created', async () => {
    const path = file('validate.json', flat);
    const result = (errors: string[]) => ({
      name: 'MySqlCdcSource',
      error_count: errors.length,
      groups: [],
      configs: [{ definition: {}, value: { name: 'database.port', errors } }],
    });
    const bad = await against({ connect: { validate: () => Promise.resolve(result(['must be a number'])) } }, [
      'validate',
      path,
    ]);
    expect(bad.code).toBe(1);
    expect(bad.err).toBe(`bad-connector-config: ${path} has 1 problem\n  database.port: must be a number\n`);
    const good = await against({ connect: { validate: () => Promise.resolve(result([])) } }, ['validate', path]);
    expect([good.code, good.out]).toEqual([0, `${path} is valid.\n`]);
  });
});

describe('check', () => {
  it('says of each part what it comes to, names what is damaged with its repair, and exits with 1', async () => {
    const { code, out, started } = await run(['check', '--data', '/data']);
    expect(started).toEqual([expect.objectContaining({ data: '/data' })]);
    expect(out).toBe(`/data/writethrough.db
  catalogue       7 rows, ok
  table "orders"  11 rows, 2 without a checksum, 1 DAMAGED
2 rows were written by an earlier version, without a checksum: a rebuild gives those of a table one, and what is written anew has one.
damaged: table "orders", the row with key 7
  repair: writethrough rebuild "orders"
`);
    expect(code).toBe(1);
    for (const form of [['-o', 'json'], ['--json']]) {
      const ofPrograms = await run(['check', ...form]);
      expect(JSON.parse(ofPrograms.out)).toEqual(checked);
      expect(ofPrograms.code).toBe(1);
    }
    expect((await run(['check', '-o', 'xml'])).code).toBe(2);
  });
});

describe('doctor', () => {
  it('prints findings with what they are about and the statement that repairs them', async () => {
    const { code, out, started } = await run(['doctor', '--source', 'mysql://u@h/d']);
    expect(started).toEqual([{ of: { source: 'mysql://u@h/d' }, data: undefined }]);
    expect([code, out]).toEqual([
      0,
      `orders (MySqlCdcSource): 1 warning, 1 note

warning  no-checksum  binlog_checksum
  binlog_checksum is NONE
  repair: SET x

note     text-key  shop.a
  the key of shop.a is text
`,
    ]);
  });

  it('exits with 1 where something is wrong, with --strict also where something is a risk', async () => {
    expect((await run(['doctor', '--source', 'mysql://u@h/d', '--strict'])).code).toBe(1);
    const connect = {
      list: () => Promise.resolve(['a', 'b']),
      diagnose: (name: string) => Promise.resolve({ ...diagnosis, name, errors: name === 'b' ? 1 : 0 }),
    };
    const { code, out, err } = await against({ connect }, ['doctor', '--json']);
    expect([code, err]).toEqual([1, '']);
    expect((JSON.parse(out) as Diagnosis[]).map(({ name }) => name)).toEqual(['a', 'b']);
    expect((await against({ connect }, ['doctor', '--connector', 'a'])).code).toBe(0);
    expect((await run(['doctor', '--source', 'x', '--connector', 'a'])).code).toBe(2);
  });
});

describe('verify', () => {
  const counts = { rows: 3, missing: 0, ghosts: 0, different: 0, repaired: 0, moving: 0 };
  const ended = (tables: VerifyStatus['tables'], differences: VerifyStatus['differences'] = []): VerifyStatus => ({
    connector: 'shop',
    state: 'done',
    repair: false,
    tables,
    differences,
  });

  it('asks for what was said, waits for the end, and exits by what was found', async () => {
    const asked: unknown[] = [];
    const equal = ended([{ table: 'd.a', state: 'equal', ...counts }]);
    const connect = {
      list: () => Promise.resolve(['shop']),
      verify: (name: string, request: unknown) => {
        asked.push([name, request]);
        return Promise.resolve({ ...equal, state: 'running' as const });
      },
      verification: () => Promise.resolve(equal),
    };
    const { code, out } = await against({ connect }, ['verify', 'd.a', '--repair', '--rows-per-second', '50']);
    expect(asked).toEqual([['shop', { tables: ['d.a'], repair: true, rowsPerSecond: 50 }]]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^d\.a +equal +3 +0 +0 +0 +0$/m)]);
    expect((await run(['verify', '--rows-per-second', 'x'])).code).toBe(2);
  });

  it('prints rows that differ from both sides', async () => {
    const difference = { table: 'd.a', kind: 'ghost' as const, key: '{"id":1}', ours: '{"id":1,"v":2}', source: null };
    const found = ended([{ table: 'd.a', state: 'different', ...counts, ghosts: 2 }], [difference]);
    const connect = {
      list: () => Promise.resolve(['shop', 'other']),
      verify: () => Promise.resolve(found),
      verification: () => Promise.resolve(found),
    };
    const { code, out } = await against({ connect }, ['verify', '--connector', 'shop']);
    expect(code).toBe(1);
    expect(out).toContain('\nghost  d.a  {"id":1}\n  here:   {"id":1,"v":2}\n  source: -\n\nand 1 more\n');
    expect((await against({ connect }, ['verify', 'd.a'])).err).toContain('which connector captures these tables');
    const skipped = ended([{ table: 'd.b', state: 'skipped', reason: 'it is being read again', ...counts }]);
    const json = await against({ connect: { ...connect, verify: () => Promise.resolve(skipped) } }, [
      'verify',
      '--connector',
      'shop',
      '--json',
    ]);
    expect([json.code, JSON.parse(json.out)]).toEqual([1, [skipped]]);
  });
});

describe('queries and tables', () => {
  it('print rows with all digits', async () => {
    const select = () => Promise.resolve(sqlRows(batchesOf(['9007199254740993,"a,\\"b\\""', '2,null'])));
    const human = await against({ query: { select } }, ['query', 'SELECT * FROM t;']);
    expect(human.out).toBe(
      'ID                NAME\n----------------  -----\n9007199254740993  a,"b"\n2                 null\n',
    );
    const lines = (await against({ query: { select } }, ['query', 'select * from t;', '--json'])).out
      .trim()
      .split('\n');
    expect(lines[1]).toBe('[9007199254740993,"a,\\"b\\""]');
  });

  it('print push rows as they come, deletes too', async () => {
    const select = () => Promise.resolve(sqlRows(batchesOf(['1,"a"', { deleted: '1,null' }])));
    const { out } = await against({ query: { select } }, ['query', 'SELECT * FROM t EMIT CHANGES LIMIT 2;']);
    expect(out).toBe('ID\tNAME\n1\ta\n1\tnull\t(deleted)\n');
  });

  it('send other statements to /ksql', async () => {
    const results = [applied('', { type: 'table', name: 't', action: 'create' }, 'Table created', 1)];
    const { out } = await against({ statements: { run: () => Promise.resolve({ results }) } }, [
      'query',
      'CREATE TABLE t ...;',
    ]);
    expect(out).toBe('SUCCESS: Table created\n');
  });

  it('fail when a row stream ends with an error', async () => {
    const broken = async function* () {
      yield [{ values: '1,"a"', tombstone: false }];
      await Promise.resolve();
      throw new AppError('read-timeout', 'too slow');
    };
    const { code, err } = await against({ query: { select: () => Promise.resolve(sqlRows(broken())) } }, [
      'query',
      'SELECT 1;',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('too slow');
  });

  it('topics lists them with what they keep, and topics alter changes it', async () => {
    const topics = async () => [
      { name: 't', cleanupPolicy: 'delete', retentionMs: 5000, retentionBytes: -1, partitions: [] },
    ];
    const altered: unknown[] = [];
    const alter = async (...args: readonly unknown[]) => void altered.push(args);
    const facades: FakeFacades = { tap: { topics }, topics: { alter } };
    expect((await against(facades, ['topics'])).out).toContain('t     0           delete   5000          -');
    const { code } = await against(facades, [
      'topics',
      'alter',
      't',
      '--retention-ms',
      '7',
      '--retention-bytes=default',
    ]);
    expect([code, altered]).toEqual([0, [['t', { 'retention.ms': '7', 'retention.bytes': null }]]]);
    expect((await against(facades, ['topics', 'alter', 't'])).err).toContain('give --retention-ms');
    expect((await against(facades, ['topics', 'alter', 't', '--retention-ms', '1d'])).code).toBe(2);
    expect((await against(facades, ['start', '--topic-retention-ms', '-2'])).code).toBe(2);
  });

  it('list tables', async () => {
    const table = {
      name: 't',
      rowCount: 3,
      visible: true,
      ...current,
      schema: { columns: [{ name: 'id', type: { kind: 'BIGINT' as const } }], keyColumns: [0] },
    };
    const { out } = await against({ query: { tables: () => Promise.resolve({ tables: [table], ...freshness }) } }, [
      'tables',
    ]);
    expect(out).toContain('t     3     id   id BIGINT');
  });
});

describe('status', () => {
  it('tells connectors, tables and queries, and why something is wrong', async () => {
    const status = () =>
      Promise.resolve({
        ...freshness,
        role: 'leader' as const,
        leader: null,
        serviceVersion: '1.2.3',
        positions: {},
        uptimeSeconds: 3_725,
        state: 'degraded' as const,
        reasons: ['connector orders waits for its source'],
        connectors: [
          {
            name: 'orders',
            connector: { state: 'RUNNING' as const, worker_id: 'w' },
            tasks: [],
            type: 'source' as const,
            source: { phase: 'waiting' as const, reason: 'connection refused' },
            position: 'gtid',
            tables: [],
            error: { code: 'source-unreachable', message: 'no answer', hint: 'start it' },
          },
        ],
        tables: [
          {
            name: 't',
            rows: 5,
            visible: true,
            lagMs: 300_000,
            standing: 'paused' as const,
            containsUpTo: '',
            reason: 'connector orders is paused',
          },
          { name: 'u', rows: 0, visible: false, lagMs: 0, standing: 'snapshot' as const, containsUpTo: '' },
        ],
        queries: [{ id: 'CTAS_T_1', sql: '', sink: 'T', state: 'ERROR' as const, reason: 'bad record' }],
        rebuilds: [],
        memory: { rssBytes: 50_000_000, heapBytes: 1, dataBytes: 1_500_000 },
      });
    const { code, out } = await against({ status: { status } }, ['status']);
    expect(code).toBe(0);
    for (const part of [
      'degraded, up 1 h 2 min',
      'waiting: connection refused',
      'source-unreachable: no answer',
      'hint: start it',
      '5 min',
      'connector orders is paused',
      'not readable',
      'bad record',
      '50 MB',
    ]) {
      expect(out).toContain(part);
    }
  });
});

describe('rebuild', () => {
  const progress = (state: RebuildProgress['state'], more: Partial<RebuildProgress> = {}): RebuildProgress => ({
    table: 't',
    state,
    rows: 10,
    seq: 5,
    headSeq: 10,
    rowsPerSecond: 100,
    etaSeconds: 1,
    ...more,
  });

  it('shows the progress until it is done', async () => {
    const steps = [progress('catching-up'), progress('done', { pauseMs: 4.112 })];
    const statements = {
      rebuild: () => Promise.resolve(progress('building')),
      rebuilds: () => Promise.resolve([steps.shift()!]),
    };
    const { code, out, err } = await against({ statements }, ['rebuild', 't']);
    expect(code).toBe(0);
    expect(err).toContain('t: building 50% 10 records, 100/s, 1 s left\n');
    expect(err).toContain('t: catching-up');
    expect(out).toBe('Rebuilt "t" from 10 records; readers and writers paused for 4.1 ms.\n');
  });

  it('prints JSON lines with --json, and fails when the rebuild failed', async () => {
    const statements = {
      rebuild: () => Promise.resolve(progress('building')),
      rebuilds: () => Promise.resolve([progress('failed', { error: 'bad record' })]),
    };
    const { code, out, err } = await against({ statements }, ['rebuild', 't', '--json']);
    expect(code).toBe(1);
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as RebuildProgress).state),
    ).toEqual(['building', 'failed']);
    expect(JSON.parse(err)).toMatchObject({ error: { message: 'the rebuild of t failed: bad record' } });
  });
});

describe('tail', () => {
  const change = (seq: number): ChangeItem => ({
    id: `log1:${seq}.0`,
    op: 'u',
    json: `{"id":"log1:${seq}.0","op":"u"}`,
  });

  it('prints JSON lines, comes back behind the last one when the stream ends, and stops on Ctrl-C', async () => {
    const asked: unknown[] = [];
    const subscribe = async function* ({ after, snapshot }: { after?: string | undefined; snapshot: boolean }) {
      asked.push([after, snapshot]);
      await Promise.resolve();
      yield [change(asked.length * 2), change(asked.length * 2 + 1)];
    };
    const stop = new AbortController();
    const onOut = (text: string) => {
      if (text.includes('log1:5.0')) stop.abort();
    };
    const { code, out } = await against({ query: { subscribe } }, ['tail', 't', '--snapshot'], {
      signal: stop.signal,
      onOut,
    });
    expect(code).toBe(0);
    expect(
      out
        .trim()
        .split('\n')
        .slice(0, 4)
        .map((line) => (JSON.parse(line) as { id: string }).id),
    ).toEqual(['log1:2.0', 'log1:3.0', 'log1:4.0', 'log1:5.0']);
    expect(asked.slice(0, 2)).toEqual([
      [undefined, true],
      ['log1:3.0', false],
    ]);
  });

  it('ends with the error when the place is gone or the table is not there', async () => {
    const subscribe = async function* (): AsyncGenerator<readonly ChangeItem[]> {
      await Promise.resolve();
      yield [];
      throw new AppError('too-old', 'log1:1.0 is gone', { hint: 'use --snapshot' });
    };
    const { code, err } = await against({ query: { subscribe } }, ['tail', 't', '--after', 'log1:1.0']);
    expect([code, err]).toEqual([1, 'too-old: log1:1.0 is gone\n  hint: use --snapshot\n']);
  });
});
