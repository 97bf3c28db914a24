// A leader that accepts connections and says nothing, or half of its status: a follower says so, and calls nothing fresh.
import { expect, it } from 'vitest';
import { SourceFreshness } from '../../../src/connect/source-freshness.js';
import { createLogger } from '../../../src/core/logger.js';
import { systemClock } from '../../../src/core/clock.js';
import { LeaderFacts } from '../../../src/process/leader-facts.js';
import { startSilentServer } from '../../support/silent-server.js';

it.each([
  ['nothing', ''],
  [
    'half of its status',
    'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"version":"l:1"',
  ],
])('a leader that says %s is told once, and asked again', async (_what, greeting) => {
  const server = await startSilentServer(Buffer.from(greeting));
  const lines: string[] = [];
  const freshness = new SourceFreshness({
    clock: systemClock,
    frontier: () => ({ logId: 'l', seq: 1, commitTimeUs: 0, commitTimesUs: {}, positions: {} }),
    keep: () => {},
  });
  const url = `http://${server.host}:${server.port}`;
  const facts = new LeaderFacts({
    freshness,
    leadership: () => ({ role: 'follower', leader: url }),
    clock: systemClock,
    logger: createLogger((_level, message) => void lines.push(message), {}),
    answerMs: 200,
  });
  try {
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(lines).toEqual(['the leader does not answer: how fresh the tables are is not known, so the lag grows']);
  } finally {
    facts.close();
    freshness.close();
    await server.close();
  }
});
