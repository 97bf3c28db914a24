import { expect, it } from 'vitest';
import { createMetrics } from '../../../src/core/metrics.js';
import { Reconnects } from '../../../src/connect/reconnects.js';

const countOf = (metrics: ReturnType<typeof createMetrics>) =>
  metrics.samples().find(({ name }) => name === 'writethrough_capture_reconnects_total')?.value ?? 0;

it('counts a source that came back, once however often it was tried', () => {
  const metrics = createMetrics();
  const reconnects = new Reconnects(metrics);
  for (const phase of ['connecting', 'waiting', 'connecting', 'snapshot', 'streaming'] as const)
    reconnects.state('a', { phase });
  expect(countOf(metrics), 'the first connection is no reconnect, however long it took').toBe(0);
  for (const phase of ['waiting', 'connecting', 'waiting', 'connecting', 'streaming', 'streaming'] as const)
    reconnects.state('a', { phase });
  expect(countOf(metrics)).toBe(1);
});

it('counts a task that broke and streams again, and no pause', async () => {
  const metrics = createMetrics();
  const reconnects = new Reconnects(metrics);
  const life = {
    stop: () => Promise.resolve(),
    verify: () => Promise.resolve({ tables: [], differences: [] }),
    snapshot: () => Promise.resolve([]),
  };
  reconnects.watch('a', { done: Promise.resolve(), ...life });
  reconnects.state('a', { phase: 'streaming' });
  reconnects.state('a', { phase: 'connecting' });
  reconnects.state('a', { phase: 'streaming' });
  expect(countOf(metrics)).toBe(0);
  const broken = reconnects.watch('a', { done: Promise.reject(new Error('broke')), ...life });
  await expect(broken.done).rejects.toThrow('broke');
  reconnects.state('a', { phase: 'streaming' });
  expect(countOf(metrics)).toBe(1);
});
