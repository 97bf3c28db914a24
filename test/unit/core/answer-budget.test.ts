// The one sum of what waits for clients: never over its bound, whoever takes, gives back, is cut off, or counts in another thread.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AnswerBudget, type AnswerShare } from '../../../src/core/answer-budget.js';
import { AnswerPages } from '../../../src/core/answer-pages.js';
import { toAppError } from '../../../src/core/errors.js';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

const kb = 1024;

it('is what its shares hold, never over the bound, and nothing once all have ended', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('take' as const), kb: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ kind: fc.constant('release' as const), at: fc.nat(20), bytes: fc.nat(40 * kb) }),
    fc.record({ kind: fc.constant('end' as const), at: fc.nat(20) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const budget = new AnswerBudget(100 * kb, { patienceMs: 5_000 });
      const elsewhere = new AnswerBudget(100 * kb, { total: budget.shared.total });
      const shares = new Set<AnswerShare>();
      const pick = (at: number) => [...shares][at % Math.max(1, shares.size)];
      for (const [i, it] of steps.entries()) {
        if (it.kind === 'wait') vi.advanceTimersByTime(it.ms);
        else if (it.kind === 'release') pick(it.at)?.release(it.bytes);
        else if (it.kind === 'end') {
          const share = pick(it.at);
          share?.end();
          if (share) shares.delete(share);
        } else {
          try {
            // Every third is counted by another thread, and taken over.
            const share = i % 3 === 0 ? budget.adopt(elsewhere.count(it.kb * kb)) : budget.take(it.kb * kb);
            shares.add(share);
            share.sending(() => shares.delete(share));
          } catch (error) {
            expect(toAppError(error)).toMatchObject({ code: 'overloaded', retriable: true });
          }
        }
        expect(budget.bytes).toBeLessThanOrEqual(budget.bytesMax);
        expect(elsewhere.bytes).toBe(budget.bytes);
      }
      for (const share of shares) share.end();
      expect(budget.bytes).toBe(0);
    }),
  );
});

it('has the client give way that took nothing for the longest time, and none that still takes', () => {
  const budget = new AnswerBudget(100 * kb);
  const cut: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => {
    const share = budget.take(40 * kb);
    share.sending(() => cut.push(name));
    return share;
  });
  vi.advanceTimersByTime(4_000);
  first!.moved();
  vi.advanceTimersByTime(2_000);
  budget.take(50 * kb);
  expect(cut).toEqual(['second']);
  expect(() => budget.take(50 * kb)).toThrow(expect.objectContaining({ code: 'overloaded' }));
  first!.end();
  second!.end();
  expect(budget.bytes).toBe(50 * kb);
});

it('tells who asks for more than there ever is that no waiting helps', () => {
  expect(() => new AnswerBudget(10 * kb).take(11 * kb)).toThrow(expect.objectContaining({ code: 'result-too-large' }));
});

it('gets the bytes of pages back while they are sent, and all of them when they are not', () => {
  const budget = new AnswerBudget(100 * kb);
  const pages = () => new AnswerPages([Buffer.alloc(20 * kb), Buffer.alloc(20 * kb)], budget.take(40 * kb));
  const left = Array.from(pages().drain(), () => budget.bytes / kb);
  expect(left).toEqual([40, 20]);
  expect(budget.bytes).toBe(0);
  pages().free();
  expect(pages().take()).toHaveLength(40 * kb);
  expect(budget.bytes).toBe(0);
});
