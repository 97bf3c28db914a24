// Names, and what --source URL stands for.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectorOfUrl } from '../../../src/connect/source-url.js';
import { planTable } from '../../../src/connect/table-plan.js';
import { adviseOnTopics } from '../../../src/source/topic-advice.js';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { INTEGER } from '../../../src/core/data-type.js';
import { AppError } from '../../../src/core/errors.js';
import type { SourceTable } from '../../../src/core/row-encoder.js';
import { topicName } from '../../../src/core/topic-name.js';

const table = (database: string, name: string) => ({ database, table: name }) as SourceTable;

describe('connectorOfUrl', () => {
  it.each([
    [
      'mysql://root:pw@db.example:3306/shop',
      'mysql-db.example-shop',
      { 'database.hostname': 'db.example', 'database.port': '3306', 'database.include.list': '(?-i)shop' },
    ],
    ['mysql://root:pw@db/shop.eu', 'mysql-db-shop.eu', { 'database.include.list': String.raw`(?-i)shop\.eu` }],
    [
      'mariadb://u@[::1]:3310/a',
      'mariadb-___1_-3310-a',
      { 'database.hostname': '::1', 'database.port': '3310', 'database.password': '' },
    ],
    ['mysql://u%40x:p%2Fw%23@h/', 'mysql-h', { 'database.user': 'u@x', 'database.password': 'p/w#' }],
    ['mysql://root:${env:PW}@h/d', 'mysql-h-d', { 'database.password': '${env:PW}' }],
    [
      String.raw`mysql://root:pw@h/d?table.exclude.list=d%5C.log.*&snapshot.mode=no_data`,
      'mysql-h-d',
      { 'table.exclude.list': String.raw`d\.log.*`, 'snapshot.mode': 'no_data', 'database.include.list': '(?-i)d' },
    ],
    ['sqlite:/data/app.db', 'sqlite-app', { 'database.file': '/data/app.db' }],
    ['sqlite:///data/app.db', 'sqlite-app', { 'database.file': '/data/app.db' }],
    [
      'sqlite:/data/app.db?table.exclude.list=log.*&poll.interval.ms=20',
      'sqlite-app',
      { 'database.file': '/data/app.db', 'table.exclude.list': 'log.*', 'poll.interval.ms': '20' },
    ],
  ])('%s', (url, name, config) => {
    const made = connectorOfUrl(url);
    expect(made.name).toBe(name);
    expect(made.config).toMatchObject(config);
    expect(() => checkConfig(made.name, made.config)).not.toThrow();
  });

  it.each([
    'mysql://root:secret-pw/x@db/shop',
    'mysql://root:secret-pw',
    'mysql://root:se@cret-pw@/d',
    'pg://root:secret-pw@h/d',
    'mysql://:secret-pw@h/d',
    'mysql://root:secret-pw@h/d#part',
    'mysql://root:secret-pw@h/d?database.password=other-secret-pw',
    'mysql://root:secret-pw@h/d?snapshot.mode=initial&snapshot.mode=no_data',
  ])('refuses %s without showing the password', (url) => {
    try {
      expect(connectorOfUrl(url)).toBeUndefined();
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      const { message, detail, hint } = error as AppError;
      expect(`${message} ${detail} ${hint}`).not.toMatch(/cret-pw/);
    }
  });
});

it.each([
  ['mysql://u:p@h/d?ssl=true', 'ssl', undefined],
  ['mysql://u:p@h/d?table.exlude.list=x', 'table.exlude.list', 'did you mean "table.exclude.list"?'],
  ['mariadb://u:p@h/d?constructor=1', 'constructor', undefined],
  ['sqlite:/a/b.db?mode=ro', 'mode', undefined],
  ['sqlite:/a/b.db?table.includ.list=ro', 'table.includ.list', 'did you mean "table.include.list"?'],
])('the property of %s that no connector has is refused', (url, property, hint) => {
  try {
    connectorOfUrl(url);
    expect.fail('it is taken');
  } catch (error) {
    expect(error).toMatchObject({
      code: 'bad-config',
      message: `source URL: the connector has no property "${property}"`,
    });
    if (hint !== undefined) expect((error as AppError).hint).toBe(hint);
  }
});

it('a file with a question mark in its name is that file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wt-url-'));
  try {
    const file = join(folder, 'a?b=c.db');
    writeFileSync(file, '');
    expect(connectorOfUrl(`sqlite:${file}`).config['database.file']).toBe(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('topicName', () => {
  it('replaces what Kafka does not allow', () => {
    expect(topicName({ topicPrefix: 'p', topicForm: 'dotted' }, table('my db', 'täble$'))).toBe('p.my_db.t_ble_');
    expect(topicName({ topicPrefix: 'p-', topicForm: 'joined' }, table('my db', 'täble$'))).toBe('p-t_ble_');
    expect(topicName({ topicPrefix: 'p', topicForm: 'prefix' }, table('my db', 'täble$'))).toBe('p');
  });

  const settings = (prefix: string) =>
    checkConfig('c', {
      'connector.class': 'MySqlCdcSource',
      'database.hostname': 'h',
      'database.user': 'u',
      'topic.prefix': prefix,
    }).output;
  const tableOf = (database: string, name: string): SourceTable => ({
    database,
    table: name,
    columns: [{ name: 'id', type: INTEGER, nullable: false, sourceType: 'int' }],
    keyColumns: [0],
  });

  it('is said of tables whose topics have other names, and of names that are too long', () => {
    const tables = [table('shop', 'plain'), table('my db', 'täble$')];
    expect(adviseOnTopics({ topicPrefix: 'p', topicForm: 'dotted' }, tables)).toEqual([
      expect.objectContaining({
        severity: 'warning',
        code: 'topic-name',
        object: 'my db.täble$',
        message:
          'Kafka does not take "p.my db.täble$" as the name of a topic: the topic of my db.täble$ is p.my_db.t_ble_',
      }),
    ]);
    const long = 'x'.repeat(240);
    expect(adviseOnTopics({ topicPrefix: long, topicForm: 'dotted' }, tables)).toHaveLength(2);
    expect(() => planTable(tableOf('shop', 'plain'), settings(long))).toThrow('is no name of a topic');
  });
});
