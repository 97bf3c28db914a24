// Deterministic simulation: some hundred seeds here, thousands in `npm run soak -- simulation`. A failure prints the smallest run that was
// found; SIMULATION_SEED and SIMULATION_SEEDS choose which seeds are run.
import { describe, expect, it } from 'vitest';
import { minimise, report } from './minimise.js';
import { keptSeeds } from './seeds.js';
import { simulate, type SimulationOptions } from './simulation.js';

const first = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 2 ** 31);
const count = Number(process.env['SIMULATION_SEEDS'] ?? 160);
const steps = 400;

async function expectSound(options: SimulationOptions): Promise<Readonly<Record<string, number>>> {
  const { breaches, figures } = await simulate(options);
  if (breaches.length > 0) expect.fail(report(await minimise(options)));
  return figures;
}

describe(`a simulated service (SIMULATION_SEED=${first})`, () => {
  it('is a function of its seed', { timeout: 120_000 }, async () => {
    for (let seed = first; seed < first + 3; seed++) {
      const [one, two] = [await simulate({ seed, steps }), await simulate({ seed, steps })];
      expect(two.history).toEqual(one.history);
      expect(two.hash).toBe(one.hash);
    }
  });

  it('keeps its promises through statements, failures, kills and restarts', { timeout: 300_000 }, async () => {
    const total: Record<string, number> = {};
    for (let seed = first; seed < first + count; seed++) {
      for (const [name, figure] of Object.entries(await expectSound({ seed, steps })))
        total[name] = (total[name] ?? 0) + figure;
    }
    // A run in which nothing happens would find nothing.
    if (count >= 60) for (const figure of Object.values(total)) expect(figure).toBeGreaterThan(0);
  });

  it.each(keptSeeds)('still does where it once did not: $found', { timeout: 60_000 }, async (options) => {
    await expectSound(options);
  });
});
