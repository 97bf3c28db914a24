// Deterministic simulation, over the embedded log and over a simulated Kafka: some hundred seeds here, thousands in
// `npm run soak -- simulation`. A failure prints the smallest run that was
// found; SIMULATION_SEED and SIMULATION_SEEDS choose which seeds are run.
import { describe, expect, it } from 'vitest';
import { minimise, report } from './minimise.js';
import { keptSeeds } from './seeds.js';
import { simulate, type SimulationOptions } from './simulation.js';

const first = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 2 ** 31);
const count = Number(process.env['SIMULATION_SEEDS'] ?? 120);
const steps = 400;
/** What goes over a wire takes more of them. */
const kafka = { steps: 1200, log: 'kafka' } as const;

async function expectSound(options: SimulationOptions): Promise<Readonly<Record<string, number>>> {
  const { breaches, figures } = await simulate(options);
  if (breaches.length > 0) expect.fail(report(await minimise(options)));
  return figures;
}

async function expectAllSound(
  seeds: number,
  options: Omit<SimulationOptions, 'seed'>,
  rare: readonly string[],
): Promise<void> {
  const total: Record<string, number> = {};
  for (let seed = first; seed < first + seeds; seed++) {
    for (const [name, figure] of Object.entries(await expectSound({ seed, ...options })))
      total[name] = (total[name] ?? 0) + figure;
  }
  // A run in which nothing happens would find nothing.
  if (seeds < 50) return;
  for (const [name, figure] of Object.entries(total)) if (!rare.includes(name)) expect(figure, name).toBeGreaterThan(0);
}

describe(`a simulated service (SIMULATION_SEED=${first})`, () => {
  it('is a function of its seed', { timeout: 120_000 }, async () => {
    for (const options of [
      { seed: first, steps },
      { seed: first + 1, steps },
      { seed: first, ...kafka },
      { seed: first + 1, ...kafka },
    ]) {
      const [one, two] = [await simulate(options), await simulate(options)];
      expect(two.history).toEqual(one.history);
      expect(two.hash).toBe(one.hash);
    }
  });

  it('keeps its promises through statements, failures, kills and restarts', { timeout: 300_000 }, async () => {
    await expectAllSound(count, { steps }, ['wipes', 'takeovers', 'usurpations']);
  });

  it(
    'keeps them on Kafka, with broken connections, deleted data folders and a follower that takes over',
    { timeout: 300_000 },
    async () => {
      await expectAllSound(Math.ceil(count / 3), kafka, ['full']);
    },
  );

  it.each(keptSeeds)('still does where it once did not: $found', { timeout: 60_000 }, async (options) => {
    await expectSound(options);
  });
});
