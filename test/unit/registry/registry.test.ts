import { beforeEach, describe, expect, it } from 'vitest';
import type { RegistryCommand } from '../../../src/registry/registry.js';
import { compacted, memoryStore, MemoryRegistry, type MemoryStore } from '../../support/memory-registry.js';

const openRegistry = (over: MemoryStore, commands: RegistryCommand[] = []) => new MemoryRegistry(over, { commands });

const record = (...fields: { name: string; type: unknown; default?: unknown }[]) =>
  JSON.stringify({ type: 'record', name: 'Value', namespace: 'p.db.t', fields });
const id = { name: 'id', type: 'long' };
const note = { name: 'note', type: ['null', 'string'], default: null };
const required = { name: 'required', type: 'string' };

let store: MemoryStore;
let registry: MemoryRegistry;
let commands: RegistryCommand[];
beforeEach(() => {
  store = memoryStore();
  commands = [];
  registry = openRegistry(store, commands);
});

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

async function view(r: MemoryRegistry) {
  const subjects = await r.subjects();
  return {
    global: await r.config(null),
    subjects: await Promise.all(
      subjects.map(async (subject) => ({
        subject,
        level: await r.config(subject),
        versions: await Promise.all((await r.versions(subject)).map((version) => r.version(subject, version))),
      })),
    ),
  };
}

describe('ids', () => {
  it('one text has one id in all subjects, whatever its spaces and the order of its attributes', async () => {
    const first = await registry.register('a-value', record(id, note), 'AVRO');
    const reordered = `{"fields": [{"type": {"type": "long"}, "name": "id"}, ${JSON.stringify(note)}], "namespace":"p.db.t", "name":"Value", "type":"record"}`;
    expect(await registry.register('b-value', reordered, 'AVRO')).toStrictEqual(first);
    expect(await registry.register('a-value', reordered, 'AVRO')).toStrictEqual(first);
    expect(await registry.versions('a-value')).toStrictEqual([1]);
    expect((await registry.byId(first.id)).subjects).toStrictEqual([
      { subject: 'a-value', version: 1 },
      { subject: 'b-value', version: 1 },
    ]);
    expect(JSON.parse(registry.schemaText(first.id))).toStrictEqual(JSON.parse(record(id, note)));
  });

  it('are durable before they are given out', async () => {
    const { id: given } = await registry.register('a', '"string"', 'AVRO');
    expect(store.entries).toStrictEqual([
      {
        key: '{"keytype":"SCHEMA","subject":"a","version":1,"magic":1}',
        value: `{"subject":"a","version":1,"id":${given},"schema":"\\"string\\"","deleted":false}`,
      },
    ]);
  });

  it('stay unique when registrations run at the same time', async () => {
    const texts = ['"string"', '"long"', '"int"', '"bytes"', '"string"'];
    const ids = await Promise.all(texts.map((text, i) => registry.register(`s${i}`, text, 'AVRO')));
    expect(new Set(ids.map((r) => r.id)).size).toBe(4);
    expect(ids[4]).toStrictEqual(ids[0]);
  });

  it('are given again by a transaction that comes after one that was rolled back', async () => {
    const { id: first } = await registry.register('a', '"string"', 'AVRO');
    const second = registry.registerNow('b', '"long"', 'AVRO');
    store.entries.pop();
    registry.reload();
    expect(await outcome(registry.versions('b'))).toBe('unknown-subject');
    expect((await registry.register('c', '"int"', 'AVRO')).id).toBe(second);
    expect(second).not.toBe(first);
  });
});

describe('versions and compatibility', () => {
  it('a compatible schema is a new version, an incompatible one is refused', async () => {
    await registry.register('t', record(id), 'AVRO');
    await registry.register('t', record(id, note), 'AVRO');
    expect(await registry.versions('t')).toStrictEqual([1, 2]);
    expect(await outcome(registry.register('t', record(id, required), 'AVRO'))).toBe('incompatible-schema');
    expect((await registry.compatible('t', 'latest', record(id, required), 'AVRO')).is_compatible).toBe(false);
    expect((await registry.compatible('t', 1, record(id), 'AVRO')).is_compatible).toBe(true);
  });

  it('the level of a subject counts before the global one, and NONE allows all', async () => {
    await registry.register('t', record(id), 'AVRO');
    await registry.setConfig(null, 'FORWARD');
    expect(await registry.config('t')).toBe('FORWARD');
    await registry.register('t', record(id, required), 'AVRO');
    expect(await outcome(registry.register('t', record(required), 'AVRO'))).toBe('incompatible-schema');
    await registry.setConfig('t', 'NONE');
    await registry.register('t', '"string"', 'AVRO');
    expect(await registry.versions('t')).toStrictEqual([1, 2, 3]);
    expect(await registry.config(null)).toBe('FORWARD');
  });

  it('a deleted subject gives no version twice, and its ids go on to resolve', async () => {
    const { id: first } = await registry.register('t', record(id), 'AVRO');
    await registry.setConfig('t', 'NONE');
    expect(await registry.deleteSubject('t')).toStrictEqual([1]);
    expect(await registry.subjects()).toStrictEqual([]);
    expect(await outcome(registry.deleteSubject('t'))).toBe('already-deleted');
    expect(await registry.config('t')).toBe('BACKWARD');
    expect(registry.schemaText(first)).toContain('"id"');
    expect(await registry.register('t', record(id), 'AVRO')).toStrictEqual({ id: first });
    expect(await registry.versions('t')).toStrictEqual([2]);
  });

  it('names what is not there by its code', async () => {
    await registry.register('t', record(id), 'AVRO');
    expect(await outcome(registry.versions('nope'))).toBe('unknown-subject');
    expect(await outcome(registry.version('t', 9))).toBe('unknown-schema');
    expect(await outcome(registry.byId(99))).toBe('unknown-schema');
    expect(await outcome(registry.lookup('t', '"string"', 'AVRO'))).toBe('unknown-schema');
    expect(await outcome(registry.register('t', '{"type":"nope"}', 'AVRO'))).toBe('invalid-schema');
    expect(await outcome(registry.register('t', 'syntax = "proto3";', 'PROTOBUF'))).toBe('invalid-schema');
    expect(await outcome(registry.register('t', '{"type":"object"}', 'JSON'))).toBe('incompatible-schema');
    expect(await outcome(registry.register('u', '{"type":"nope"}', 'JSON'))).toBe('invalid-schema');
    expect((await registry.lookup('t', ` ${record(id)}`, 'AVRO')).version).toBe(1);
  });
});

describe('Protobuf', () => {
  const money = 'syntax = "proto3"; package m; message Money { int64 units = 1; }';
  const order = (field: string) =>
    `syntax = "proto3"; import "m.proto"; import "google/protobuf/timestamp.proto"; message Order { ${field} }`;
  const at = 'google.protobuf.Timestamp at = 2;';
  const uses = [{ name: 'm.proto', subject: 'money', version: 1 }];

  it('is kept in one form, is found again in any other, and changes by the rules of its own', async () => {
    const { id: first } = await registry.register('money', money, 'PROTOBUF');
    expect(registry.schemaText(first)).toBe(
      'syntax = "proto3";\npackage m;\n\nmessage Money {\n  int64 units = 1;\n}\n',
    );
    expect(await registry.register('other', money.replaceAll(' ', '  '), 'PROTOBUF')).toStrictEqual({ id: first });
    expect((await registry.lookup('money', `// a note\n${money}`, 'PROTOBUF')).version).toBe(1);
    const wider = money.replace('units = 1;', 'units = 1; string currency = 2;');
    expect(await outcome(registry.register('money', wider, 'PROTOBUF'))).toStrictEqual({ id: first + 1 });
    const other = money.replace('int64', 'string');
    expect(await outcome(registry.register('money', other, 'PROTOBUF'))).toBe('incompatible-schema');
    expect(await registry.compatible('money', 2, other, 'PROTOBUF')).toMatchObject({
      is_compatible: false,
      messages: [expect.stringContaining('FIELD_SCALAR_KIND_CHANGED at #/Money/1')],
    });
    expect(await outcome(registry.register('money', '"string"', 'AVRO'))).toBe('incompatible-schema');
    expect(await outcome(registry.register('x', 'message', 'PROTOBUF'))).toBe('invalid-schema');
  });

  it('refers to other subjects, which stay while it does', async () => {
    await registry.register('money', money, 'PROTOBUF');
    expect(await outcome(registry.register('o', order(`m.Money a = 1; ${at}`), 'PROTOBUF'))).toBe('invalid-schema');
    expect(await outcome(registry.register('o', order(at), 'PROTOBUF', [{ ...uses[0]!, version: 7 }]))).toBe(
      'invalid-schema',
    );
    const { id: used } = await registry.register('o', order(`m.Money a = 1; ${at}`), 'PROTOBUF', uses);
    expect((await registry.byId(used)).references).toStrictEqual(uses);
    expect([...registry.schemaImports(used).keys()]).toStrictEqual(['m.proto']);
    expect(await registry.referencedBy('money', 'latest')).toStrictEqual([used]);
    // The same text that refers to something else is another schema.
    await registry.register('coins', money, 'PROTOBUF');
    const elsewhere = [{ name: 'm.proto', subject: 'coins', version: 1 }];
    const { id: again } = await registry.register('o', order(`m.Money a = 1; ${at}`), 'PROTOBUF', elsewhere);
    expect(again).not.toBe(used);
    expect(await outcome(registry.deleteSubject('money'))).toBe('schema-in-use');
    const replayed = openRegistry(memoryStore(compacted(store.entries)));
    expect(await view(replayed)).toStrictEqual(await view(registry));
    await registry.deleteSubject('o');
    expect(await registry.deleteSubject('money')).toStrictEqual([1]);
    expect(registry.schemaImports(used).get('m.proto')).toContain('message Money');
  });

  it('does not refer from another type', async () => {
    await registry.register('money', money, 'PROTOBUF');
    expect(await outcome(registry.register('a', '"string"', 'AVRO', uses))).toBe('invalid-schema');
  });
});

describe('references of Avro', () => {
  const colour = '{"type":"enum","name":"Colour","namespace":"c","symbols":["RED","GREEN"]}';
  const car = (type: string) => `{"type":"record","name":"Car","fields":[{"name":"colour","type":"${type}"}]}`;
  const garage = '{"type":"record","name":"Garage","fields":[{"name":"car","type":"Car"}]}';
  const toColour = (version: number) => [{ name: 'c.Colour', subject: 'colour', version }];
  const toCar = [{ name: 'Car', subject: 'car', version: 1 }];

  it('are types of other subjects, and of those that these refer to', async () => {
    await registry.register('colour', colour, 'AVRO');
    expect(await outcome(registry.register('car', car('c.Colour'), 'AVRO'))).toBe('invalid-schema');
    await registry.register('car', car('c.Colour'), 'AVRO', toColour(1));
    const { id: used } = await registry.register('garage', garage, 'AVRO', toCar);
    expect([...registry.schemaImports(used)]).toStrictEqual([
      ['c.Colour', colour],
      ['Car', car('c.Colour')],
    ]);
    expect(await registry.referencedBy('colour', 1)).toStrictEqual([(await registry.version('car', 1)).id]);
    expect(await outcome(registry.deleteSubject('colour'))).toBe('schema-in-use');
    const replayed = openRegistry(memoryStore(compacted(store.entries)));
    expect(await view(replayed)).toStrictEqual(await view(registry));
  });

  it('count when schemas are compared', async () => {
    await registry.register('colour', colour, 'AVRO');
    await registry.setConfig('colour', 'NONE');
    await registry.register('colour', colour.replace('"GREEN"', '"BLUE"'), 'AVRO');
    await registry.register('car', car('c.Colour'), 'AVRO', toColour(1));
    expect(await registry.compatible('car', 1, car('c.Colour'), 'AVRO', toColour(2))).toStrictEqual({
      is_compatible: false,
      messages: [
        'the new schema cannot read data of version 1: MISSING_ENUM_SYMBOLS at #/fields/0/type/symbols (the reader does not know GREEN)',
      ],
    });
    expect(await outcome(registry.register('car', car('c.Colour'), 'AVRO', toColour(2)))).toBe('incompatible-schema');
  });
});

describe('JSON schemas', () => {
  const money = '{"type":"integer"}';
  const order = '{"type":"object","properties":{"total":{"$ref":"money.json"}}}';
  const to = (version: number) => [{ name: 'money.json', subject: 'money', version }];

  it('refer to other subjects, and are compared through that', async () => {
    await registry.register('money', money, 'JSON');
    await registry.register('money', money.replace('integer', 'number'), 'JSON');
    expect(await outcome(registry.register('order', order, 'JSON'))).toBe('invalid-schema');
    await registry.register('order', order, 'JSON', to(2));
    expect(await outcome(registry.register('order', order, 'JSON', to(1)))).toBe('incompatible-schema');
    expect(await registry.compatible('order', 1, order, 'JSON', to(1))).toMatchObject({
      is_compatible: false,
      messages: [expect.stringContaining('TYPE_NARROWED at #/properties/total')],
    });
    await registry.setConfig('order', 'FORWARD');
    await registry.register('order', order, 'JSON', to(1));
    expect(await registry.referencedBy('money', 1)).toHaveLength(1);
  });
});

describe('replay', () => {
  async function history(): Promise<void> {
    await registry.register('a', record(id), 'AVRO');
    await registry.register('a', record(id, note), 'AVRO');
    await registry.register('gone', '"string"', 'AVRO');
    await registry.deleteSubject('gone');
    await registry.register('again', '"long"', 'AVRO');
    await registry.deleteSubject('again');
    await registry.register('again', '"int"', 'AVRO');
    await registry.setConfig('a', 'FULL');
    await registry.setConfig(null, 'NONE');
    await registry.register('js', '{"type":"object"}', 'JSON');
  }

  it('gives the same registry from all entries, from the compacted ones, and with entries repeated', async () => {
    await history();
    const expected = await view(registry);
    expect(expected.subjects.map((s) => s.subject)).toStrictEqual(['a', 'again', 'js']);
    for (const entries of [store.entries, compacted(store.entries), store.entries.flatMap((entry) => [entry, entry])]) {
      expect(await view(openRegistry(memoryStore(entries)))).toStrictEqual(expected);
    }
    for (const entry of store.entries.slice()) registry.takeNow(entry);
    expect(await view(registry)).toStrictEqual(expected);
  });

  it('gives the same registry, ids included, from the commands alone', async () => {
    await history();
    const again = memoryStore();
    const replayed = openRegistry(again);
    for (const command of commands) replayed.apply(command);
    expect(again.entries).toStrictEqual(store.entries);
    expect(await view(replayed)).toStrictEqual(await view(registry));
  });

  it('decides commands of earlier versions as these did', () => {
    const before = openRegistry(memoryStore());
    const register = (schemaType: 'AVRO' | 'JSON', schema: string) =>
      before.apply({ kind: 'register-schema', subject: schemaType, schema, schemaType });
    register('JSON', '{"type":"object"}');
    expect(() => register('JSON', '{"type":"object","title":"t"}')).toThrow('not compatible');
    register('AVRO', record(id));
    expect(() => register('AVRO', record(id, required))).toThrow('not compatible');
    expect(register('AVRO', record(id, note))).toStrictEqual({ kind: 'registered', id: 3 });
  });

  it("reads entries of Confluent's registry and refuses what it does not know", async () => {
    const noop = { key: '{"keytype":"NOOP","magic":0}', value: null };
    const foreign = openRegistry(
      memoryStore([
        noop,
        {
          key: '{"keytype":"SCHEMA","subject":"x","version":1,"magic":1}',
          value: '{"subject":"x","version":1,"id":41,"md5":"q==","schema":"\\"string\\"","deleted":false}',
        },
      ]),
    );
    expect(foreign.schemaText(41)).toBe('"string"');
    expect((await foreign.register('y', '"long"', 'AVRO')).id).toBe(42);
    expect(() => openRegistry(memoryStore([{ key: '{"keytype":"NEW"}', value: '{}' }]))).toThrow('does not know');
    expect(() => openRegistry(memoryStore([{ key: 'x', value: null }]))).toThrow('not JSON');
  });
});
