import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/core/logger.js';
import { LeaderReports, type LeaderReport } from '../../../src/process/leader-reports.js';
import type { TableFrontier } from '../../../src/store/state-store.js';

function setUp() {
  let nowMs = 1_000;
  let answer: LeaderReport | undefined;
  const reports = new LeaderReports({
    leadership: () => ({ role: 'follower', leader: 'http://leader' }),
    ask: () => (answer ? Promise.resolve(answer) : Promise.reject(new Error('silence'))),
    nowMs: () => nowMs,
    wallMs: () => 5_000_000 + nowMs,
    logger: createLogger(() => {}),
  });
  const at = (seq: number, commitTimeUs = 0) => ({ seq, commitTimeUs }) as unknown as TableFrontier;
  return {
    reports,
    at,
    pass: (ms: number) => (nowMs += ms),
    says: async (seq: number, lagMs: number) => {
      answer = { version: `log:${seq}`, lagMs };
      await reports.askOnce();
      answer = undefined;
    },
  };
}

describe('the lag of a follower', () => {
  it('is what the leader said of the version that it contains, and ages', async () => {
    const { reports, at, pass, says } = setUp();
    await says(10, 300);
    expect(reports.lagMs(at(10))).toBe(300);
    pass(200);
    expect(reports.lagMs(at(12))).toBe(500);
  });

  it('grows while it is behind what the leader has', async () => {
    const { reports, at, pass, says } = setUp();
    await says(10, 0);
    pass(1_000);
    await says(20, 0);
    expect(reports.lagMs(at(15))).toBe(1_000);
    expect(reports.lagMs(at(20))).toBe(0);
  });

  it('grows while the leader is silent, and is never 0 because nothing was ever heard', async () => {
    const { reports, at, pass, says } = setUp();
    pass(700);
    expect(reports.lagMs(at(0))).toBe(700);
    expect(reports.lagMs(at(5, 5_000_000 * 1000))).toBe(1_700);
    await says(5, 0);
    pass(9_000);
    await reports.askOnce();
    expect(reports.lagMs(at(5))).toBe(9_000);
  });

  it('does not get worse by a later answer of the same version that says less', async () => {
    const { reports, at, pass, says } = setUp();
    await says(10, 0);
    pass(100);
    await says(10, 5_000);
    expect(reports.lagMs(at(10))).toBe(100);
  });
});
