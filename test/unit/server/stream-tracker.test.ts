// Streams of clients, also of those that are gone before anything is answered.
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { AnswerBudget } from '../../../src/core/answer-budget.js';
import { createStreamTracker } from '../../../src/server/stream-tracker.js';

it('a client that is gone before its answer begins is over, and is not kept', async () => {
  const tracker = createStreamTracker({ stallMs: 1_000, answers: new AnswerBudget(1_000), onStall: () => {} });
  const gone = new PassThrough();
  gone.destroy();
  const stream = tracker.track(gone, { destroy: () => {} });
  expect([stream.ended, stream.signal.aborted, tracker.count]).toEqual([true, true, 0]);
  await stream.write('nobody reads it');

  const there = new PassThrough();
  tracker.track(there, { destroy: () => there.destroy() });
  expect(tracker.count).toBe(1);
  there.destroy();
  await new Promise((resolve) => there.on('close', resolve));
  expect(tracker.count).toBe(0);
});
