// The demo's database and its writer's steps, and that capture and the shipped queries fit them.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/logger.js';
import { changeSomething } from '../../../src/demo/changes.js';
import { createRandom } from '../../../src/demo/random.js';
import { seedDemo } from '../../../src/demo/seed.js';
import { createSqliteSource } from '../../../src/source/sqlite/sqlite-source.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { foldAppends, runSource } from '../../support/source-run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-demo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('makes the same company from the same seed', () => {
  const dump = (name: string, seed: number) => {
    const file = join(folder, name);
    seedDemo(file, { seed, employees: 200 });
    const database = openDatabase(file, { foreign: true });
    const rows = database.prepare('SELECT * FROM employees ORDER BY id').all();
    database.close();
    return JSON.stringify(rows);
  };
  expect(dump('a', 7)).toBe(dump('b', 7));
  expect(dump('c', 8)).not.toBe(dump('a2', 7));
});

it(
  'keeps its size and its rules through many changes, and every one of them is captured',
  { timeout: 60_000 },
  async () => {
    const file = join(folder, 'company.db');
    seedDemo(file, { seed: 3, employees: 500 });
    const database = openDatabase(file, { foreign: true });
    const run = runSource(createSqliteSource({ name: 'demo', 'database.file': file }, silentLogger), null);
    await run.until((appends) => appends.some((append) => append.control));
    const random = createRandom(3);
    let rows = 0;
    for (let i = 0; i < 1_000; i++) rows += changeSomething(database, random);
    expect(rows).toBeGreaterThan(1_000);
    const top = Number(database.prepare('SELECT max(seq) FROM _wt_demo_changes').get()![0]);
    await run.until((appends) => (JSON.parse(appends.at(-1)!.position!) as { sequence: number }).sequence === top);
    await run.stop();
    const employees = foldAppends(run.appends).get('employees')!;
    const expected = database
      .prepare(
        `SELECT id, json_object('id', id, 'email', email, 'title', title, 'hired', hired, 'active', active) FROM employees`,
      )
      .all();
    expect(employees.size).toBe(expected.length);
    expect(expected.length).toBeGreaterThan(300);
    expect(expected.length).toBeLessThan(900);
    for (const [id, text] of expected) {
      const source = JSON.parse(String(text)) as { email: string; title: string; hired: string; active: number };
      const row = JSON.parse(employees.get(`{"id":${String(id)}}`)!) as Record<string, unknown>;
      expect(row).toMatchObject({ email: source.email, title: source.title, active: source.active === 1 });
      expect(row['hired']).toBe(Date.parse(source.hired) / 86_400_000);
      expect(employees.get(`{"id":${String(id)}}`)).toMatch(/"salary":\d+\.\d\d,/);
    }
    database.close();
  },
);

it('ships a connector file of the published shape whose filters fit each other', () => {
  const text = readFileSync(new URL('../../../examples/connector.json', import.meta.url), 'utf8');
  const sample = JSON.parse(text) as Record<string, string>;
  expect(Object.keys(sample)).toEqual([
    'connector.class',
    'name',
    'kafka.api.key',
    'kafka.api.secret',
    'database.hostname',
    'database.port',
    'database.user',
    'database.password',
    'database.server.name',
    'database.whitelist',
    'table.includelist',
    'snapshot.mode',
    'output.data.format',
    'tasks.max',
  ]);
  expect(sample['table.includelist']!.startsWith(`${sample['database.whitelist']}.`)).toBe(true);
});

it('ships numbered queries, each of which says what it is', () => {
  const queries = new URL('../../../queries/', import.meta.url);
  const names = readdirSync(queries);
  expect(names.length).toBeGreaterThanOrEqual(3);
  for (const name of names) {
    expect(name).toMatch(/^\d\d-[a-z-]+\.sql$/);
    expect(readFileSync(new URL(name, queries), 'utf8')).toMatch(
      /^-- .*[\s\S]*CREATE TABLE [a-z_]+ AS[\s\S]*EMIT CHANGES;\n$/,
    );
  }
});
