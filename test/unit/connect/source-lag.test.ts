import { beforeEach, describe, expect, it } from 'vitest';
import { SourceLag } from '../../../src/connect/source-lag.js';
import type { SourceReport } from '../../../src/source/source-connector.js';
import type { Frontier } from '../../../src/store/state-store.js';

const hourMs = 3_600_000;
let nowMs = 0;
let applied: Frontier;
let lag: SourceLag;

beforeEach(() => {
  nowMs = 10 * hourMs;
  applied = { logId: 'l', seq: 0, commitTimeUs: 0, commitTimesUs: {}, positions: {} };
  lag = new SourceLag({ nowUs: () => nowMs * 1000, frontier: () => applied });
});

/** The engine has applied the append of `a` at this position, committed at this time. */
function apply(position: string, commitMs: number, producer = 'p-a'): void {
  applied = {
    ...applied,
    seq: applied.seq + 1,
    commitTimesUs: { ...applied.commitTimesUs, [producer]: commitMs * 1000 },
    positions: { ...applied.positions, [producer]: position },
  };
}

function streaming(position: string | null, caughtUp: boolean): SourceReport {
  return { state: { phase: 'streaming', caughtUp }, position };
}

describe('the lag behind a source', () => {
  it('is none while the source has nothing more and its last position is applied, however old that is', () => {
    apply('5', nowMs - 5 * hourMs);
    lag.heard('a', 'p-a', streaming('5', true));
    nowMs += hourMs;
    expect(lag.worstMs(applied)).toBe(0);
    expect(lag.ofConnector('a')).toBe(0);
  });

  it('is none for a source that has never committed anything', () => {
    lag.heard('a', 'p-a', streaming(null, true));
    expect(lag.worstMs(applied)).toBe(0);
  });

  it('is the age of the newest applied commit after a start, until the source has been asked', () => {
    apply('5', nowMs - hourMs);
    lag.heard('a', 'p-a', undefined);
    expect(lag.worstMs(applied)).toBe(hourMs);
    lag.heard('a', 'p-a', streaming('5', true));
    expect(lag.worstMs(applied)).toBe(0);
  });

  it('is counted from the last moment at which the source was current, not from its last commit', () => {
    apply('5', nowMs - 5 * hourMs);
    lag.heard('a', 'p-a', streaming('5', true));
    nowMs += hourMs;
    lag.heard('a', 'p-a', streaming('6', true));
    nowMs += 70;
    expect(lag.worstMs(applied)).toBe(70);
    apply('6', nowMs - 70);
    expect(lag.worstMs(applied)).toBe(0);
  });

  it('grows while the source cannot be reached', () => {
    apply('5', nowMs - 5 * hourMs);
    lag.heard('a', 'p-a', streaming('5', true));
    lag.heard('a', 'p-a', { state: { phase: 'waiting', reason: 'refused' }, position: null });
    nowMs += hourMs;
    lag.heard('a', 'p-a', { state: { phase: 'connecting' }, position: null });
    nowMs += hourMs;
    expect(lag.worstMs(applied)).toBe(2 * hourMs);
  });

  it('is the age of what is applied while a source is read that is far ahead', () => {
    apply('5', nowMs - 5 * hourMs);
    lag.heard('a', 'p-a', undefined);
    lag.heard('a', 'p-a', streaming('6', false));
    apply('6', nowMs - 3 * hourMs);
    expect(lag.worstMs(applied)).toBe(3 * hourMs);
  });

  it('is that of the worst connector, and none of one that was told to stand still', () => {
    apply('5', nowMs - 5 * hourMs);
    apply('9', nowMs - hourMs, 'p-b');
    lag.heard('a', 'p-a', streaming('5', true));
    lag.heard('b', 'p-b', undefined);
    expect(lag.worstMs(applied)).toBe(hourMs);
    expect([lag.ofConnector('a'), lag.ofConnector('b')]).toEqual([0, hourMs]);
    lag.forget('b');
    expect(lag.worstMs(applied)).toBe(0);
    expect(lag.ofConnector('b')).toBeUndefined();
  });

  it('of a table that stands still is counted from what it contains, however current its sources have been since', () => {
    apply('5', nowMs - 3 * hourMs);
    lag.heard('a', 'p-a', streaming('5', true));
    nowMs += hourMs;
    const stopped = { ...applied, commitTimeUs: applied.commitTimesUs['p-a']!, stopped: true } as const;
    expect(lag.worstMs(stopped)).toBe(4 * hourMs);
    apply('6', nowMs);
    lag.heard('a', 'p-a', streaming('6', true));
    nowMs += hourMs;
    expect(lag.worstMs(applied)).toBe(0);
    expect(lag.worstMs(stopped)).toBe(5 * hourMs);
    lag.forget('a');
    expect(lag.worstMs(stopped)).toBe(5 * hourMs);
  });

  it('of a table that stands still is that of the source of which it may miss most', () => {
    apply('5', nowMs - 3 * hourMs);
    apply('9', nowMs - hourMs, 'p-b');
    const stopped = { ...applied, commitTimeUs: applied.commitTimesUs['p-b']!, stopped: true } as const;
    lag.heard('a', 'p-a', streaming('5', true));
    lag.heard('b', 'p-b', streaming('9', true));
    expect(lag.worstMs(stopped)).toBe(hourMs);
    lag.heard('a', 'p-a', streaming('6', true));
    expect(lag.worstMs(stopped)).toBe(3 * hourMs);
  });

  it('of a table that stands still and has nothing of any source is counted from the last append of this service', () => {
    apply('1', nowMs - hourMs, 'local');
    expect(lag.worstMs({ ...applied, stopped: true })).toBe(hourMs);
    // Of an earlier data folder, which does not say what it contains.
    expect(lag.worstMs({ ...applied, commitTimesUs: {}, stopped: true })).toBe(nowMs);
  });

  it('is never below zero when the clock of the source is ahead of ours', () => {
    apply('5', nowMs + hourMs);
    lag.heard('a', 'p-a', undefined);
    expect(lag.worstMs(applied)).toBe(0);
  });
});
