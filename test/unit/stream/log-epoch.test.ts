import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, type Durability } from '../../../src/sqlite/database.js';
import { openEmbeddedLog } from '../../../src/stream/embedded/embedded-log.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wt-epoch-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(durability: Durability, end: 'close' | 'kill') {
  const database = openDatabase(join(folder, 'a.db'), { durability });
  const log = openEmbeddedLog(database, { durability });
  const { logId } = log;
  const epochs = log.epochs();
  if (end === 'close') await log.close();
  database.close();
  return { logId, epochs };
}

describe('the epoch of the log', () => {
  it('goes on after a clean end under every durability', async () => {
    for (const durability of ['normal', 'full', 'extra', 'normal'] as const) await run(durability, 'close');
    expect((await run('full', 'close')).epochs).toHaveLength(1);
  });

  it('goes on after a kill under full durability: nothing committed is ever lost', async () => {
    const first = await run('full', 'kill');
    expect((await run('normal', 'close')).logId).toBe(first.logId);
  });

  it('ends with a kill under weaker durability: versions that others have seen may be lost', async () => {
    const first = await run('normal', 'kill');
    const second = await run('full', 'close');
    expect(second.logId).not.toBe(first.logId);
    expect(second.epochs.map(({ logId }) => logId)).toEqual([first.logId, second.logId]);
  });
});
