// How often, how soon and how visibly something is tried again.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { Retries, retrySettings } from '../../../src/core/retries.js';

const lost = new AppError('source-unreachable', 'gone', { retriable: true, hint: 'look at it' });
const clock = { nowMs: () => 1_000_000 };

describe('tries', () => {
  it('wait twice as long each time up to the longest pause, and tell when', () => {
    const retries = new Retries({ initialMs: 100, maxMs: 350, maxRetries: Infinity }, clock);
    for (const [attempt, ceiling] of [100, 200, 350, 350].entries()) {
      const { retry, waitMs } = retries.next(lost);
      expect(waitMs).toBeGreaterThanOrEqual(ceiling / 2);
      expect(waitMs).toBeLessThanOrEqual(ceiling);
      expect(retry).toEqual({
        attempt: attempt + 1,
        at: new Date(1_000_000 + waitMs).toISOString(),
        code: 'source-unreachable',
      });
    }
    retries.reset();
    expect(retries.next(lost).retry.attempt).toBe(1);
  });

  it('end when there were as many as errors.max.retries, with the error as a final one', () => {
    const retries = new Retries(retrySettings({ 'errors.max.retries': '2' }), clock);
    retries.next(lost);
    retries.next(lost);
    const usedUp = new RegExp('2 times .errors.max.retries.');
    expect(() => retries.next(lost)).toThrow(
      expect.objectContaining({
        code: 'source-unreachable',
        message: 'gone',
        retriable: false,
        detail: expect.stringMatching(usedUp) as string,
        hint: expect.stringMatching(/^look at it; restart the connector/) as string,
      }),
    );
    expect(() => new Retries(retrySettings({ 'errors.max.retries': '0' })).next(lost)).toThrow('gone');
  });

  it('have the properties of Debezium, with its defaults', () => {
    expect(retrySettings({})).toEqual({ initialMs: 300, maxMs: 10_000, maxRetries: Infinity });
    expect(
      retrySettings({
        'errors.max.retries': '7',
        'errors.retry.delay.initial.ms': '5',
        'errors.retry.delay.max.ms': '6',
      }),
    ).toEqual({ initialMs: 5, maxMs: 6, maxRetries: 7 });
  });
});
