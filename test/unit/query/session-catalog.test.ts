// What a SELECT costs beside its rows: nothing on the main thread but a look at the statement, and one entry of the catalogue.
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/core/logger.js';
import { PushQueries } from '../../../src/query/push.js';
import { SourceCache } from '../../../src/query/session-catalog.js';
import { Subscriptions } from '../../../src/query/subscriptions.js';
import type { ReadSession, StateReader } from '../../../src/store/state-store.js';
import { alwaysCurrent } from '../../support/ages.js';

function sessionOf(documents: ReadonlyMap<string, string>) {
  const all = vi.fn(() => Array.from(documents, ([name, json]) => ({ name, json })));
  const session = { document: (_kind: string, name: string) => documents.get(name), documents: all };
  return { session: session as unknown as ReadSession, all };
}

describe('the catalogue of a cut', () => {
  it('looks at the entry that is asked for and no other, and parses it again only when its text has changed', () => {
    const documents = new Map(Array.from({ length: 500 }, (_, i) => [`T${i}`, JSON.stringify({ name: `t${i}` })]));
    const { session, all } = sessionOf(documents);
    const cache = new SourceCache();
    const parse = vi.spyOn(JSON, 'parse');
    try {
      const first = cache.view(session).find('t7');
      expect(first).toEqual({ name: 't7' });
      expect(cache.view(session).find('T7')).toBe(first);
      expect([parse.mock.calls.length, all.mock.calls.length]).toEqual([1, 0]);
      documents.set('T7', JSON.stringify({ name: 't7', sourceKind: 'table' }));
      expect(cache.view(session).find('t7')).toEqual({ name: 't7', sourceKind: 'table' });
      documents.delete('T7');
      expect(cache.view(session).find('t7')).toBeUndefined();
    } finally {
      parse.mockRestore();
    }
  });

  it('stays bounded', () => {
    const cache = new SourceCache(10);
    const documents = new Map(Array.from({ length: 50 }, (_, i) => [`T${i}`, JSON.stringify({ name: `t${i}` })]));
    const view = cache.view(sessionOf(documents).session);
    for (let round = 0; round < 2; round++) for (let i = 0; i < 50; i++) expect(view.find(`t${i}`)?.name).toBe(`t${i}`);
    expect(view.all()).toHaveLength(50);
  });
});

describe('a pull query', () => {
  it('is told from a push query on the main thread without a look into the store', () => {
    const session = vi.fn(() => {
      throw new Error('the store is looked into');
    });
    const reader = { session } as unknown as StateReader;
    const push = new PushQueries(reader, new Subscriptions(reader, alwaysCurrent, silentLogger), false);
    const { signal } = new AbortController();
    expect(push.open('SELECT * FROM t WHERE id = 1;', {}, signal)).toBeUndefined();
    expect(() => push.open('SELECT * FROM t EMIT CHANGES;', {}, signal)).toThrow('the store is looked into');
  });
});
