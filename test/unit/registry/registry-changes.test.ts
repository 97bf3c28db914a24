// Laws of the registry's changes: whatever is done, and in whatever order, the state is a function of the commands, of the entries, and of
// the entries that compaction leaves; and a schema is never registered against what it was not compared with.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RegistryCommand } from '../../../src/registry/registry.js';
import type { CompatibilityLevel } from '../../../src/core/compatibility-level.js';
import type { RegistryMode } from '../../../src/registry/registry-facade.js';
import { compacted, memoryStore, MemoryRegistry } from '../../support/memory-registry.js';

const record = (...fields: string[]) =>
  JSON.stringify({ type: 'record', name: 'R', fields: fields.map((name) => ({ name, type: 'int', default: 0 })) });
const subject = fc.constantFrom('a', 'b');
const version = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant('latest' as const));
const schema = fc.constantFrom('"int"', '"long"', record('a'), record('a', 'b'), record('b'));

type Act = (registry: MemoryRegistry) => Promise<unknown>;
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(subject, schema).map(
      ([of, text]): Act =>
        (r) =>
          r.register(of, text, 'AVRO'),
    ),
  },
  fc.tuple(subject, fc.boolean()).map(
    ([of, permanent]): Act =>
      (r) =>
        r.deleteSubject(of, permanent),
  ),
  fc.tuple(subject, version, fc.boolean()).map(
    ([of, v, permanent]): Act =>
      (r) =>
        r.deleteVersion(of, v, permanent),
  ),
  fc.tuple(fc.option(subject), fc.constantFrom<CompatibilityLevel>('NONE', 'BACKWARD', 'FULL_TRANSITIVE')).map(
    ([of, level]): Act =>
      (r) =>
        r.setConfig(of, level),
  ),
  fc.tuple(fc.option(subject), fc.constantFrom<RegistryMode>('READWRITE', 'READONLY', 'IMPORT')).map(
    ([of, mode]): Act =>
      (r) =>
        r.service.setMode(of, mode, true),
  ),
  fc.option(subject).map(
    (of): Act =>
      (r) =>
        r.service.resetMode(of),
  ),
  fc.tuple(subject, schema, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 4 })).map(
    ([of, text, id, v]): Act =>
      (r) =>
        r.service.register(of, { schema: text, schemaType: 'AVRO', id, version: v }),
  ),
);

async function view(registry: MemoryRegistry): Promise<unknown> {
  const subjects = await registry.subjects('all');
  const { state } = registry;
  return {
    subjects: subjects.map((of) => [
      of,
      state.versions(of, 'all'),
      state.ownLevel(of),
      state.ownMode(of),
      state.nextVersion(of),
    ]),
    live: await registry.subjects(),
    deleted: await registry.subjects('deleted'),
    settings: [state.ownLevel(null), state.ownMode(null)],
    maxId: state.maxId,
  };
}

describe('the registry', () => {
  it('is the same from its commands, its entries, and those that compaction leaves; and no id is given to two texts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
        const commands: RegistryCommand[] = [];
        const store = memoryStore();
        const registry = new MemoryRegistry(store, { commands });
        const texts = new Map<number, string>();
        for (const each of acts) {
          await each(registry).catch((error: unknown) =>
            expect(error).toHaveProperty('code', expect.not.stringMatching('internal')),
          );
          for (const of of await registry.subjects('all'))
            for (const { id, schema: text } of registry.state.versions(of, 'all')) {
              expect(texts.get(id) ?? text).toBe(text);
              texts.set(id, text);
            }
        }
        const expected = await view(registry);
        for (const entries of [store.entries, compacted(store.entries)])
          expect(await view(new MemoryRegistry(memoryStore(entries, store.maxId())))).toStrictEqual(expected);
        const replayed = new MemoryRegistry(memoryStore());
        for (const command of commands) {
          try {
            replayed.apply(command);
          } catch {
            replayed.reload();
          }
        }
        expect(await view(replayed)).toStrictEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('compares a schema again where another one came first', async () => {
    let first = true;
    const registry: MemoryRegistry = new MemoryRegistry(memoryStore(), {
      before(command) {
        if (!first || command.kind !== 'register-schema') return;
        first = false;
        registry.registerNow('s', '{"type":"record","name":"R","fields":[{"name":"b","type":"string"}]}', 'AVRO');
      },
    });
    await registry.setConfig(null, 'FULL');
    const other = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}';
    await expect(registry.register('s', other, 'AVRO')).rejects.toHaveProperty('code', 'incompatible-schema');
    expect(await registry.versions('s')).toStrictEqual([1]);
  });
});
