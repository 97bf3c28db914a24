import { describe, expect, it } from 'vitest';
import type { Chore } from '../../../src/core/chore.js';
import { createMetrics } from '../../../src/core/metrics.js';
import { Housekeeping } from '../../../src/engine/housekeeping.js';

/** Something that grows by what is written and shrinks by steps, on a clock of its own. */
function heap(name: string, limit: number, clock: { ms: number }) {
  const heap = { bytes: 0, steps: 0, perStep: 100, stepMs: 1 };
  const chore: Chore = {
    name,
    debt: () => Math.max(0, (heap.bytes - limit) / limit),
    step: () => {
      heap.steps++;
      clock.ms += heap.stepMs;
      heap.bytes = Math.max(limit, heap.bytes - heap.perStep);
    },
  };
  return { heap, chore };
}

function house(chores: readonly Chore[], clock: { ms: number }): Housekeeping {
  return new Housekeeping({ chores, metrics: createMetrics(), nowMs: () => clock.ms, monotonicMs: () => clock.ms });
}

describe('housekeeping', () => {
  it('holds a limit under full load, though a step takes less away than a commit writes', () => {
    const clock = { ms: 0 };
    const { heap: feed, chore } = heap('feed', 10_000, clock);
    const housekeeping = house([chore], clock);
    let most = 0;
    for (let i = 0; i < 2_000; i++) {
      feed.bytes += 300;
      clock.ms += 5;
      housekeeping.afterCommit(5);
      most = Math.max(most, feed.bytes);
    }
    expect(most).toBeLessThanOrEqual(12_000);
    expect(feed.steps).toBeGreaterThan(5_000);
  });

  it('holds several limits at once, however far over its own one of them is', () => {
    const clock = { ms: 0 };
    const hopeless = heap('hopeless', 100, clock);
    const feed = heap('feed', 10_000, clock);
    hopeless.heap.perStep = 1;
    const housekeeping = house([hopeless.chore, feed.chore], clock);
    let most = 0;
    for (let i = 0; i < 1_000; i++) {
      feed.heap.bytes += 300;
      hopeless.heap.bytes += 100;
      clock.ms += 5;
      housekeeping.afterCommit(5);
      most = Math.max(most, feed.heap.bytes);
    }
    expect(most).toBeLessThanOrEqual(12_000);
  });

  it('leaves commits alone while a limit is passed by less than is worth a transaction', () => {
    const clock = { ms: 0 };
    const { heap: feed, chore } = heap('feed', 10_000, clock);
    const housekeeping = house([chore], clock);
    feed.bytes = 10_100;
    housekeeping.afterCommit(50);
    expect(feed.steps).toBe(0);
    const soonMs = housekeeping.idle();
    expect(soonMs).toBeGreaterThan(0);
    clock.ms += soonMs!;
    expect(housekeeping.idle()).toBe(0);
    expect(housekeeping.idle()).toBeUndefined();
    expect(feed.bytes).toBe(10_000);
  });

  it('takes a fifth of a commit while debts are small', () => {
    const clock = { ms: 0 };
    const { heap: feed, chore } = heap('feed', 1_000_000, clock);
    const housekeeping = house([chore], clock);
    feed.bytes = 1_025_000;
    housekeeping.afterCommit(100);
    expect(feed.steps).toBeGreaterThanOrEqual(19);
    expect(feed.steps).toBeLessThanOrEqual(31);
  });

  it('works first at what is furthest over its limit when nothing else is to be done, and at each after a commit', () => {
    const clock = { ms: 0 };
    const small = heap('small', 10_000, clock);
    const large = heap('large', 10_000, clock);
    const housekeeping = house([small.chore, large.chore], clock);
    small.heap.bytes = 10_300;
    large.heap.bytes = 11_500;
    expect(housekeeping.idle()).toBe(0);
    expect([small.heap.steps, large.heap.steps]).toEqual([0, 1]);
    housekeeping.afterCommit(5);
    expect(small.heap.steps).toBeGreaterThan(0);
    expect(large.heap.steps).toBeGreaterThan(small.heap.steps);
  });
});
