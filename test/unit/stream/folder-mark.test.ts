import {
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordSet } from '../../../src/core/record.js';
import { guardTables } from '../../../src/sqlite/guarded-tables.js';
import { guardedFolder } from '../../../src/stream/embedded/guarded-log.js';
import { openDatabase, type SqliteDatabase } from '../../../src/sqlite/database.js';
import { openEmbeddedLog, type EmbeddedLog } from '../../../src/stream/embedded/embedded-log.js';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wt-mark-'));
  folder = join(root, 'data');
  mkdirSync(folder);
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const file = 'writethrough.db';

interface Life {
  readonly database: SqliteDatabase;
  readonly log: EmbeddedLog;
}

function open(at = folder): Life {
  const database = openDatabase(join(at, file));
  return { database, log: openEmbeddedLog(database, { folder: at }) };
}

/** One append, and with it a seq that a reader may have seen. */
function append({ database, log }: Life): void {
  const records = new RecordSet({ buffers: [], topics: [], extents: new Int32Array(), count: 0 });
  database.transaction(() => log.write([{ producer: 'p', position: null, commitTimeUs: 1, records }]));
}

async function end({ database, log }: Life, how: 'close' | 'kill'): Promise<void> {
  if (how === 'close') await log.close();
  database.close();
}

async function live(appends: number, how: 'close' | 'kill', at = folder): Promise<string> {
  const life = open(at);
  for (let i = 0; i < appends; i++) append(life);
  await end(life, how);
  return life.log.logId;
}

async function logIdNow(at = folder): Promise<string> {
  return live(0, 'close', at);
}

/** Ways to put a back-up of the data file alone into its place. */
const puttingBack: Readonly<Record<string, (backup: string, place: string) => void>> = {
  'written into its place': (backup, place) => copyFileSync(backup, place),
  'moved to its place': (backup, place) => renameSync(backup, place),
};

describe('a data file that is put back', () => {
  for (const [how, putBack] of Object.entries(puttingBack)) {
    for (const ending of ['close', 'kill'] as const) {
      it(`begins a new epoch: taken while the process ran that ended by ${ending}, ${how}`, async () => {
        const life = open();
        append(life);
        const backup = join(root, 'backup.db');
        await life.database.raw.backup(backup);
        append(life);
        await end(life, ending);
        putBack(backup, join(folder, file));
        for (const rest of readdirSync(folder)) if (/-(wal|shm)$/.test(rest)) rmSync(join(folder, rest));
        expect(await logIdNow()).not.toBe(life.log.logId);
      });
    }

    it(`begins a new epoch: taken between two lives, ${how}`, async () => {
      const first = await live(3, 'close');
      const backup = join(root, 'backup.db');
      copyFileSync(join(folder, file), backup);
      await live(0, 'kill');
      putBack(backup, join(folder, file));
      expect(await logIdNow()).not.toBe(first);
    });
  }

  it('begins one new epoch, not another at each start that follows', async () => {
    await live(2, 'close');
    copyFileSync(join(folder, file), join(root, 'backup.db'));
    await live(2, 'close');
    copyFileSync(join(root, 'backup.db'), join(folder, file));
    const restored = await logIdNow();
    expect([await live(1, 'kill'), await live(1, 'close'), await logIdNow()]).toEqual([restored, restored, restored]);
  });

  it('begins a new epoch in a folder that has nothing else', async () => {
    const first = await live(2, 'close');
    const other = mkdtempSync(join(root, 'other-'));
    copyFileSync(join(folder, file), join(other, file));
    expect(await logIdNow(other)).not.toBe(first);
  });
});

describe('a whole data folder', () => {
  it('begins a new epoch as a copy, and goes on in the original', async () => {
    const first = await live(2, 'close');
    const copy = join(root, 'copy');
    cpSync(folder, copy, { recursive: true, preserveTimestamps: true });
    expect(await logIdNow(copy)).not.toBe(first);
    expect(await logIdNow()).toBe(first);
  });

  it('begins a new epoch when a back-up of it is written into its place', async () => {
    const first = await live(2, 'close');
    cpSync(folder, join(root, 'copy'), { recursive: true });
    await live(2, 'close');
    cpSync(join(root, 'copy'), folder, { recursive: true });
    expect(await logIdNow()).not.toBe(first);
  });

  it('goes on when it was renamed, and when its files were given to somebody', async () => {
    const first = await live(2, 'close');
    const renamed = join(root, 'renamed');
    renameSync(folder, renamed);
    for (const name of readdirSync(renamed)) {
      const { uid, gid } = statSync(join(renamed, name));
      chownSync(join(renamed, name), uid, gid);
    }
    expect(await logIdNow(renamed)).toBe(first);
  });
});

describe('the epoch goes on', () => {
  it('over any ends of processes, whatever they wrote', async () => {
    const first = await live(1, 'close');
    for (const how of ['kill', 'kill', 'close', 'kill', 'close'] as const) expect(await live(2, how)).toBe(first);
  });

  it('when a process dies at any step of taking the folder', async () => {
    const first = await live(1, 'close');
    const database = openDatabase(join(folder, file));
    guardTables(database, [guardedFolder]);
    database.exec("UPDATE wt_log_folder SET token = 'about-to-be', next = 'about-to-be'");
    database.close();
    expect(await logIdNow()).toBe(first);
    rmSync(join(folder, 'writethrough.instance'));
    const again = openDatabase(join(folder, file));
    guardTables(again, [guardedFolder]);
    again.exec("UPDATE wt_log_folder SET next = 'about-to-be'");
    again.close();
    expect(await logIdNow()).toBe(first);
  });

  it('when a power failure has taken the newest seq', async () => {
    const first = await live(3, 'kill');
    for (const left of [0, 3]) {
      truncateSync(join(folder, 'writethrough.head'), left);
      expect(await live(1, 'kill')).toBe(first);
    }
  });

  it('in a folder from before there were marks', async () => {
    const first = await live(3, 'close');
    const database = openDatabase(join(folder, file));
    database.exec('DROP TABLE wt_log_folder');
    database.close();
    for (const name of ['writethrough.instance', 'writethrough.head']) rmSync(join(folder, name));
    expect(await logIdNow()).toBe(first);
    expect(await logIdNow()).toBe(first);
  });
});
