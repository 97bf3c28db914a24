// Who hears of it when a part of the service comes to its end: a program that embeds it, and whoever looks after its process. The disk is
// full by the limit that the operating system sets to the size of a process's files.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/sqlite/database.js';
import { projectRoot } from '../support/servers/cache.js';
import { freePort, run } from '../support/servers/command.js';

const root = projectRoot();
const child = join(root, 'test', 'e2e', 'embedded-child.mjs');
/** Of one file, in KiB. */
const limit = 24_000;
const limited = (...command: readonly string[]) => ['-c', 'ulimit -f "$0" && exec "$@"', String(limit), ...command];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-failures-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the embedding program hears when this part of the service ends. */
async function heard(part: string): Promise<Record<string, unknown>> {
  const own = mkdtempSync(join(folder, `${part}-`));
  const output = await run('bash', limited(process.execPath, child, join(root, 'dist'), own, part));
  return JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, unknown>;
}

/** Everyone gets the reason: nothing answers with rows that nobody keeps up to date. */
function failedWith(code: string) {
  return {
    failures: [code],
    failure: code,
    subscription: code,
    pull: code,
    read: code,
    execute: code,
    whenReadable: code,
    probes: [200, 503],
    row: 500,
    stop: 'ok',
  };
}

describe('a program that embeds the service', () => {
  it('hears that the disk is full, by every call and by its log', async () => {
    const { errors, ...rest } = await heard('disk');
    expect(rest).toEqual(failedWith('data-folder-unusable'));
    expect(errors).toContain('the service has failed');
  });

  it('hears that the engine has died', async () => {
    const { errors, ...rest } = await heard('engine');
    expect(rest).toEqual(failedWith('internal'));
    expect(errors).toContain('the service has failed');
  });

  for (const [part, line] of [
    ['checkpointer', 'the checkpointer thread has died and is started again'],
    ['reader', 'a reader thread has died'],
  ] as const) {
    it(`goes on when the ${part} thread has died, with a line in the log`, async () => {
      expect(await heard(part)).toEqual({
        failures: [],
        pull: 'ok',
        read: 'ok',
        execute: 'ok',
        whenReadable: 'unknown-table',
        probes: [200, 200],
        row: 200,
        stop: 'ok',
        errors: [line],
      });
    });
  }
});

it('the process ends with exit code 1 and the reason when the disk is full', async () => {
  const own = mkdtempSync(join(folder, 'process-'));
  const source = join(own, 'app.db');

  const app = openDatabase(source);
  app.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, text TEXT)');
  const fill = app.prepare(
    'INSERT INTO items (text) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT hex(zeroblob(500)) FROM n',
  );
  const args = ['--source', `sqlite:${source}`, '--data', join(own, 'data'), '--port', String(await freePort())];
  const started = spawn('bash', limited(process.execPath, join(root, 'dist', 'main.js'), 'start', ...args));
  let output = '';
  started.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const gone = once(started, 'exit');
  // More than fits, whatever part of it the log and the tables hold twice.
  for (let i = 0; i < 40; i++) fill.run();
  app.close();
  const ended = (await gone) as [number | null, string | null];
  expect(ended, output).toEqual([1, null]);
  expect(output).toContain('data-folder-unusable: cannot use');
});
