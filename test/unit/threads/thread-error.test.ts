// Threads that end by what they have used up, or by a fault: the error says which.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { brokenThread } from '../../../src/threads/thread-error.js';

const endOf = async (code: string) => {
  const worker = new Worker(code, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 16 } });
  const [error] = (await once(worker, 'error')) as [unknown];
  return brokenThread('the thread', error);
};

describe('a thread', () => {
  it('that has used up its memory ends alone, and that is told', async () => {
    expect(await endOf('const all = []; for (;;) all.push({ a: [all.length] });')).toMatchObject({
      code: 'overloaded',
      retriable: true,
    });
  });

  it('that breaks is a fault of ours', async () => {
    expect(await endOf('throw new Error("odd");')).toMatchObject({
      code: 'internal',
      message: 'the thread broke: Error: odd',
    });
  });
});
