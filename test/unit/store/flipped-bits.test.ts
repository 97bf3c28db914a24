// Bits that were flipped on the disk, some dozens of them; `npm run soak -- damage` flips more.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runFlips } from '../../support/damage/flips.js';

it(
  'a flipped bit of the data file is never served as right, and the check names it',
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wt-flips-'));
    try {
      const figures = await runFlips({
        folder,
        seed: Number(process.env['SEED'] ?? 7),
        flips: Number(process.env['FLIPS'] ?? 24),
      });
      expect(figures['named by the check']).toBeGreaterThan(8);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
