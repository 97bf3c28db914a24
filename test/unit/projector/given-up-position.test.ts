// A position that was given up, and rows that stay: which of them are gone by now only a source can say that looks for those, and it
// says so in an append of its own before it captures the table again.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noPosition } from '../../../src/core/append.js';
import { appendChunk } from '../../support/chunk.js';
import { TestEngine } from '../../support/engine.js';

let engine: TestEngine;
beforeEach(async () => {
  engine = await new TestEngine().open();
  await engine.capture('a');
  await engine.write([{ table: 'a', key: 1, row: { id: 1, name: 'x' } }]);
  await engine.producer.write(appendChunk(noPosition, []));
  await engine.producer.flush();
});
afterEach(async () => {
  expect(engine.failed).toBeUndefined();
  await engine.remove();
});

it('the topic is not written again, and the way out is named', async () => {
  await expect(engine.capture('a')).rejects.toMatchObject({
    code: 'already-exists',
    hint: expect.stringContaining('drop its table first') as unknown,
  });
  expect(engine.rows('a')).toEqual([[1, 'x']]);
});

it('it is by a source that has said where it begins', async () => {
  await engine.write([]);
  await engine.capture('a');
  await engine.write([{ table: 'a', key: 1, row: null }]);
  expect(engine.rows('a')).toEqual([]);
});
