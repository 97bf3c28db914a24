// The herder's life of a connector, with tasks that only count: what starts one, and what leaves a running one alone.
import { describe, expect, it } from 'vitest';
import { Herder, type HerderEnv, type StoredConnector } from '../../../src/connect/herder.js';
import { createLogger } from '../../../src/core/logger.js';

const config = { 'connector.class': 'SqliteCdcSource', 'database.file': '/tmp/nothing.db' };

function createHerder(stored: readonly StoredConnector[]) {
  const started: string[] = [];
  const source = { validate: () => Promise.resolve([]), close: () => Promise.resolve() };
  const env = {
    store: {
      load: () => Promise.resolve(stored),
      put: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      progress: () => Promise.resolve({ position: null, tables: [], topics: [] }),
    },
    startTask: (name: string) => {
      started.push(name);
      let end = () => {};
      const done = new Promise<void>((resolve) => (end = resolve));
      return { done, stop: () => Promise.resolve(end()) };
    },
    sourceFactory: () => Promise.resolve(() => source),
    resolveReferences: (given: typeof config) => given,
    workerId: 'test',
    version: '0',
    logger: createLogger(() => {}, {}),
  } as unknown as HerderEnv;
  return { herder: new Herder(env), started };
}

describe('the connector of --source', () => {
  const stored: StoredConnector = { name: 'shop', config, wanted: 'running', owner: 'flag' };

  it('starts once when the process starts again with the same URL', async () => {
    const { herder, started } = createHerder([stored]);
    await herder.open();
    await herder.ensure('shop', { ...config }, 'flag');
    expect(started).toEqual(['shop']);
    await herder.close();
  });

  it('starts anew when its configuration is another', async () => {
    const { herder, started } = createHerder([stored]);
    await herder.open();
    await herder.ensure('shop', { ...config, 'poll.interval.ms': '100' }, 'flag');
    expect(started).toEqual(['shop', 'shop']);
    await herder.close();
  });

  it('runs again when it was paused', async () => {
    const { herder, started } = createHerder([{ ...stored, wanted: 'paused' }]);
    await herder.open();
    await herder.ensure('shop', config, 'flag');
    expect(started).toEqual(['shop']);
    await herder.close();
  });
});
