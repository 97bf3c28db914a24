// The process dies once at every named place on the data's way, under load, and afterwards everything is as if it had not. Those of
// Kafka are walked through by the long run: npm run soak -- correctness cell=mysql-kafka.
import { expect, it } from 'vitest';
import { randomSeed } from '../support/harness/dice.js';
import { failpointPlans } from '../support/harness/failpoint-walk.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { runCorrectness } from '../soak/correctness.js';

const servers = await sharedServers('kafka');
const seed = Number(process.env['TEST_SEED'] ?? randomSeed());
const load = { seed, seconds: 5, initialRows: 100, rate: 50 };

it(`every failpoint of the embedded log, once (TEST_SEED=${seed})`, { timeout: 240_000 }, async () => {
  const failpoints = failpointPlans({ source: 'sqlite', log: 'embedded' });
  const figures = await runCorrectness({ ...load, failpoints });
  expect(figures['failpoints']).toBe(failpoints.length);
});

it.skipIf(servers.missing)(
  `every failpoint of Kafka alone, once (TEST_SEED=${seed})`,
  { timeout: 240_000 },
  async () => {
    const plans = failpointPlans({ source: 'sqlite', log: 'kafka' });
    const failpoints = plans.filter(({ name }) => name.startsWith('kafka-') || name.startsWith('outbox-'));
    expect(failpoints).toHaveLength(5);
    await runCorrectness({ ...load, failpoints, kafka: servers.kafka, reader: 'tap' });
  },
);
