// The runner of capture scripts tells right from wrong: equal rows, a row that the source has otherwise (written past the binlog), a
// script that the server refuses, a stop where the head allows it and where it does not. With the folders of the environment it also
// runs what is quick of them: the statements, and the scripts for SQLite.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCapture } from '../capture/capture.js';
import { sums, type Outcome } from '../capture/outcome.js';
import { classifyFolder } from '../capture/statements.js';
import { sharedServers } from '../support/servers/shared-servers.js';

const servers = await sharedServers('mysql');

const scripts: Readonly<Record<string, string>> = {
  'equal.sql': `-- Rows come by both ways.
-- servers: mysql
-- [before start]
CREATE TABLE \`a b\` (id INT PRIMARY KEY, v VARCHAR(10));
INSERT INTO \`a b\` VALUES (1, 'ä');
CREATE TABLE no_key (v INT);
-- [while streaming]
DELIMITER //
CREATE TRIGGER more AFTER UPDATE ON \`a b\` FOR EACH ROW BEGIN
  INSERT INTO no_key VALUES (NEW.id);
END//
DELIMITER ;
UPDATE \`a b\` SET v = 'ö';
START TRANSACTION;
DELETE FROM \`a b\`;
`,
  'past-the-binlog.sql': `-- The second row is changed without a word in the binlog.
-- servers: mysql
-- [before start]
CREATE TABLE t (id INT PRIMARY KEY, v DECIMAL(5,2));
INSERT INTO t VALUES (1, 1), (2, 2);
-- [while streaming]
SET SESSION sql_log_bin = 0;
UPDATE t SET v = 2.5 WHERE id = 2;
`,
  'refused.sql': `-- servers: mysql
-- [before start]
CREATE TABLE t (id INT PRIMARY KEY);
-- [while streaming]
INSERT INTO missing VALUES (1);
`,
  'may-stop.sql': `-- Capture must stop and name the column.
-- servers: mysql
-- [before start]
CREATE TABLE t (id INT PRIMARY KEY, d DATE);
-- [while streaming]
SET SESSION sql_mode = '';
INSERT INTO t VALUES (1, '0000-00-00');
`,
  'may-not-stop.sql': `-- A session that logs statements must not end capture.
-- servers: mysql
-- [before start]
CREATE TABLE t (id INT PRIMARY KEY);
-- [while streaming]
SET SESSION binlog_format = 'STATEMENT';
INSERT INTO t VALUES (1);
`,
  'fixture.sql': `-- DATABASE: of the form without sections
CREATE TABLE t (id INT PRIMARY KEY, at TIMESTAMP(6), json JSON, expectedStr VARCHAR(20));  -- remark
INSERT INTO t VALUES (1, NOW(6), '{"a":1}', '{"a": 1}');
INSERT INTO $DBNAME$.t VALUES (2, NULL, NULL, NULL);
`,
  'server-many.sql': '-- server options: many\n',
};

describe.skipIf(servers.missing)('the runner of capture scripts', () => {
  let dir: string;
  let outcomes: Outcome[];
  const of = (name: string): Outcome | undefined => outcomes.find((each) => each.name === name);

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'writethrough-scripts-'));
    for (const [name, text] of Object.entries(scripts)) writeFileSync(join(dir, name), text);
    outcomes = [];
    const pool = { get: () => Promise.resolve(servers.mysql) } as unknown as Parameters<typeof runCapture>[0];
    const dump = join(dir, 'dump');
    await runCapture(pool, { folders: [dir], servers: ['mysql'], dump }, (outcome) => outcomes.push(outcome));
  }, 120_000);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('passes equal rows, and notes what is left out', () => {
    const { notes } = of('equal')!;
    expect(of('equal')).toMatchObject({ verdict: 'ok', product: 'mysql' });
    expect(notes).toEqual(['left out, as there is no primary key: no_key']);
  });

  it('fails on a row that differs, with both values', () => {
    expect(of('past-the-binlog')).toMatchObject({
      verdict: 'FAIL',
      reason: 'stream: t, key ["2"], column v (decimal(5,2)): the source has "2.50", served is "2.00"',
    });
  });

  it('skips what the server refuses, with its number', () => {
    expect(of('refused')).toMatchObject({ verdict: 'skip', reason: '1146' });
  });

  it('lets capture stop only where that is right', () => {
    expect(of('may-stop')).toMatchObject({
      verdict: 'ok',
      notes: expect.arrayContaining([
        expect.stringMatching(/^stopped as it may, unconvertible-value: .*\.t\.d/) as string,
      ]) as string[],
    });
    expect(of('may-not-stop')).toMatchObject({ verdict: 'FAIL' });
    expect(of('may-not-stop')!.reason).toContain('stream: capture stopped, statement-format-change');
  });

  it('runs fixtures both ways, and checks what their columns expect', () => {
    expect(of('fixture')).toMatchObject({ verdict: 'ok', notes: ['t: 1 values as its own columns expect them'] });
  });

  it('tells what is to be written by hand, and the sums', () => {
    expect(of('server-many')).toMatchObject({ verdict: 'by hand' });
    expect(sums(outcomes)).toBe('3 passed, 2 failed, 1 skipped');
  });

  it('dumps both sides', () => {
    const files = readdirSync(join(dir, 'dump')).sort();
    expect(files).toContain('fixture.mysql.binlog.json');
    const { tables } = JSON.parse(readFileSync(join(dir, 'dump', 'past-the-binlog.mysql.case.json'), 'utf8')) as {
      tables: { server: unknown; captured: unknown }[];
    };
    expect(tables[0]).toMatchObject({
      key: ['id'],
      server: [
        [{ text: '1' }, { text: '1.00' }],
        [{ text: '2' }, { text: '2.50' }],
      ],
      captured: [
        [1, '1.00'],
        [2, '2.00'],
      ],
    });
  });
});

it('a folder without scripts is no success', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'writethrough-no-scripts-'));
  try {
    const pool = { get: () => Promise.reject(new Error('no server is needed')) };
    const run = runCapture(pool, { folders: [empty], servers: [] }, () => {});
    await expect(run).rejects.toThrow(`${empty} holds no scripts (*.sql)`);
    expect(() => classifyFolder(empty)).toThrow(`${empty} holds no statements`);
  } finally {
    rmSync(empty, { recursive: true });
  }
});

const cases = process.env['CAPTURE_CASES'] ?? '';
const fixtures = process.env['DEBEZIUM_FIXTURES'] ?? '';

describe('folders of the environment', () => {
  it.skipIf(!existsSync(join(fixtures, 'statements')))('the statements are known to the classifier', () => {
    const outcomes = classifyFolder(join(fixtures, 'statements'));
    expect(outcomes.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });

  it.skipIf(!existsSync(cases))('the scripts for SQLite', { timeout: 120_000 }, async () => {
    const outcomes: Outcome[] = [];
    const pool = { get: () => Promise.reject(new Error('no server is needed')) };
    await runCapture(pool, { folders: [cases], servers: [], only: 'sqlite-' }, (outcome) => outcomes.push(outcome));
    expect(outcomes.filter(({ verdict }) => verdict === 'FAIL')).toEqual([]);
  });
});
