// The simulation of power loss: what was synced is always there, what was not is sometimes there, and a database that
// syncs each commit loses none, while one that does not sync is found out.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { journalEnvironment, powerLossUnavailable } from '../../support/power-loss/preload.js';
import { countEntries, rebuildAfterPowerLoss, unexplained } from '../../support/power-loss/rebuild.js';
import { Database, driverFile } from '../../support/sqlite-driver.js';

let home: string;
let folder: string;
let journal: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'power-loss-'));
  folder = join(home, 'data');
  journal = join(home, 'journal');
  mkdirSync(folder);
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** Runs a script under the journal, in the folder; resolves with what it printed. */
async function runJournaled(script: string): Promise<string> {
  const env = { ...process.env, ...(await journalEnvironment({ folder, journal })) };
  const child = spawn(process.execPath, ['-e', script], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const code = await new Promise((resolve) => child.on('close', resolve));
  expect({ code, errors }).toMatchObject({ code: expect.toBeOneOf([0, null]) as number | null, errors: '' });
  return output;
}

/** The files after a power loss, for many seeds; undefined for a file that is not there. */
function outcomes(path: string, seeds: number, from?: string): (string | undefined)[] {
  return Array.from({ length: seeds }, (_, seed) => {
    const into = join(home, 'after');
    rebuildAfterPowerLoss({ journal, into, seed, ...(from === undefined ? {} : { from }) });
    const file = join(into, path);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    rmSync(into, { recursive: true, force: true });
    return text;
  });
}

describe.skipIf(powerLossUnavailable())('a simulated power loss', () => {
  it('keeps what was synced, and of the rest a random part', async () => {
    await runJournaled(`
      const fs = require('node:fs');
      const fd = fs.openSync('a.log', 'a');
      fs.writeSync(fd, 'S'.repeat(600));
      fs.fsyncSync(fd);
      fs.writeSync(fd, 'u'.repeat(1400));
      fs.closeSync(fd);
      fs.writeFileSync('never-synced', 'x');
    `);
    expect(unexplained({ journal, folder })).toEqual([]);
    const texts = outcomes('a.log', 200);
    expect(texts.every((text) => text?.startsWith('S'.repeat(600)))).toBe(true);
    const whole = 'S'.repeat(600) + 'u'.repeat(1400);
    expect(texts).toContain('S'.repeat(600));
    expect(texts).toContain(whole);
    expect(texts).toContain(`${'S'.repeat(600)}${'\0'.repeat(1400)}`);
    expect(texts.some((text) => text?.includes('u') === true && text !== whole)).toBe(true);
    expect(new Set(outcomes('never-synced', 300))).toEqual(new Set([undefined, '', 'x', '\0']));
  });

  it('loses a renaming until the folder is synced', async () => {
    const script = (end: string): string => `
      const fs = require('node:fs');
      fs.writeFileSync('new', 'new content', { flush: true });
      fs.renameSync('new', 'config');
      ${end}
    `;
    const from = join(home, 'from');
    mkdirSync(from);
    await runJournaled(`require('node:fs').writeFileSync('config', 'old content')`);
    cpSync(folder, from, { recursive: true });
    rmSync(journal);

    await runJournaled(script(''));
    expect(unexplained({ journal, folder, from })).toEqual([]);
    expect(new Set(outcomes('config', 50, from))).toEqual(new Set(['old content', 'new content']));
    expect(new Set(outcomes('new', 50, from))).toEqual(new Set(['new content', undefined]));

    await runJournaled(script(`fs.fsyncSync(fs.openSync('.', 'r'));`));
    expect(new Set(outcomes('config', 50, from))).toEqual(new Set(['new content']));
  });

  it('gives the same files for the same seed, and fewer for an earlier moment', async () => {
    await runJournaled(`
      const fs = require('node:fs');
      for (let n = 0; n < 20; n++) fs.writeFileSync('f' + n, 'x'.repeat(3000), { flush: n % 2 === 0 });
    `);
    const once = rebuildAfterPowerLoss({ journal, into: join(home, 'one'), seed: 7 });
    const again = rebuildAfterPowerLoss({ journal, into: join(home, 'two'), seed: 7 });
    expect(again).toEqual(once);
    const at = Math.floor(countEntries(journal) / 2);
    const earlier = rebuildAfterPowerLoss({ journal, into: join(home, 'three'), seed: 7, at });
    expect(Object.keys(earlier.files).length).toBeLessThan(Object.keys(once.files).length);
  });

  // Commits as fast as it can until it kills itself; prints each number once its commit has returned.
  const committing = (synchronous: string): string => `
    const fs = require('node:fs');
    const Database = require(${JSON.stringify(driverFile())});
    const database = new Database('db.sqlite');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = ${synchronous}');
    database.pragma('wal_autocheckpoint = 20');
    database.exec('CREATE TABLE t (n INTEGER PRIMARY KEY, filling BLOB)');
    const insert = database.prepare('INSERT INTO t VALUES (?, randomblob(3000))');
    for (let n = 0; n < 120; n++) {
      insert.run(n);
      fs.writeSync(1, n + '\\n');
    }
    process.kill(process.pid, 'SIGKILL');
  `;

  function survivingRows(seed: number, at?: number): number | 'broken' {
    const into = join(home, 'after');
    rebuildAfterPowerLoss({ journal, into, seed, ...(at === undefined ? {} : { at }) });
    try {
      const database = new Database(join(into, 'db.sqlite'));
      try {
        if (database.pragma('integrity_check', { simple: true }) !== 'ok') return 'broken';
        return database.prepare('SELECT count(*) FROM t').pluck().get() as number;
      } finally {
        database.close();
      }
    } catch {
      return 'broken';
    } finally {
      rmSync(into, { recursive: true, force: true });
    }
  }

  it('loses no commit of a database that syncs each', async () => {
    const acknowledged = (await runJournaled(committing('FULL'))).trim().split('\n').length;
    expect(acknowledged).toBe(120);
    expect(unexplained({ journal, folder })).toEqual([]);
    for (let seed = 0; seed < 40; seed++) expect({ seed, rows: survivingRows(seed) }).toEqual({ seed, rows: 120 });
    const entries = countEntries(journal);
    for (let seed = 0; seed < 20; seed++) {
      const at = Math.floor((entries * (seed + 20)) / 40);
      expect({ seed, at, rows: survivingRows(seed, at) }).toEqual({ seed, at, rows: expect.any(Number) });
    }
  });

  it('finds out a database that does not sync', async () => {
    await runJournaled(committing('OFF'));
    const rows = Array.from({ length: 40 }, (_, seed) => survivingRows(seed));
    expect(rows.filter((count) => count !== 120).length).toBeGreaterThan(10);
  });
});
