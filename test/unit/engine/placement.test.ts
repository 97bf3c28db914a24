// Rows of topics with several partitions lie where every Kafka client looks for them.
import { expect, it } from 'vitest';
import { checkPlacement } from '../../support/placement.js';
import { TestEngine } from '../../support/engine.js';

it("a row lies in the partition that Kafka's murmur2 gives its key, and rows without one take turns", async () => {
  const engine = await new TestEngine().open();
  try {
    await checkPlacement(engine, 'p');
    expect(engine.failed).toBeUndefined();
  } finally {
    await engine.remove();
  }
});
