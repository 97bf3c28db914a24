// A projection of 20,000 rows rebuilt twice under writes, with a subscriber. The long run with a million: npm run soak -- rebuild.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { runRebuild } from '../soak/rebuild.js';

const seed = Number(process.env['TEST_SEED'] ?? randomSeed());

it(`a rebuild under writes changes nothing but the truth (TEST_SEED=${seed})`, { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-rebuild-'));
  try {
    const source = openSqliteSource(join(folder, 'facts.db'));
    const figures = await runRebuild({ seed, source, rows: 20_000, rate: 100, quietSeconds: 1, rebuilds: 2 });
    expect(figures['rebuilt events']).toBe(2);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
