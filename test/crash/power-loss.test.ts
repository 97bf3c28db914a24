// Two power failures, each with states of the data folder that such a failure may leave. The long run: npm run soak -- power-loss.
import { describe, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { powerLossUnavailable } from '../support/power-loss/preload.js';
import { runPowerLoss } from '../soak/power-loss.js';

const missing = powerLossUnavailable();
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());

describe.skipIf(missing !== undefined)('a power failure', () => {
  it(`leaves a state from which the service comes back whole (TEST_SEED=${seed})`, { timeout: 180_000 }, async () => {
    await runPowerLoss({ seed, rounds: 2, variants: 2, secondsMax: 2 });
  });
});
