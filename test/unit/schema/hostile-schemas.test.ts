// Schemas that are made to cost: they are either read and compared in steps that grow with their size, or refused as invalid-schema. No
// time is asserted here: the steps are counted, on every machine alike.
import { describe, expect, it } from 'vitest';
import { bounds } from '../../../src/core/bounds.js';
import type { SchemaType } from '../../../src/registry/registry-facade.js';
import { memoryStore, MemoryRegistry } from '../../support/memory-registry.js';

/** The same text registered under a subject, and then once more with something changed. */
async function outcome(schemaType: SchemaType, text: string, changed = text): Promise<string> {
  const registry = new MemoryRegistry(memoryStore());
  try {
    await registry.setConfig(null, 'FULL_TRANSITIVE');
    for (const schema of [text, changed]) await registry.register('s', schema, schemaType);
    return 'registered';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const nested = (depth: number, before: string, innermost: string, after: string) =>
  before.repeat(depth) + innermost + after.repeat(depth);
const changedDoc = (schema: object) => [JSON.stringify(schema), JSON.stringify({ ...schema, doc: 'changed' })] as const;

describe('Avro', () => {
  it('a union of thousands of enums is compared with itself', async () => {
    const union = many(3_000, (i) => ({ type: 'enum', name: `E${i}`, symbols: ['A', `B${i}`] }));
    const record = { type: 'record', name: 'R', fields: [{ name: 'u', type: union }] };
    expect(await outcome('AVRO', ...changedDoc(record))).toBe('registered');
  });

  it('records that name one another in a chain are compared however long it is', async () => {
    const chain = many(5_000, (i) => ({
      type: 'record',
      name: `R${i}`,
      fields: i === 0 ? [] : [{ name: 'f', type: `R${i - 1}` }],
    }));
    const record = { type: 'record', name: 'R', fields: [{ name: 'u', type: chain }] };
    expect(await outcome('AVRO', ...changedDoc(record))).toBe('registered');
  });

  it('a union whose types have one name in many namespaces is refused', async () => {
    const union = many(1_000, (i) => ({ type: 'enum', name: `n${i}.E`, symbols: ['A'] }));
    const record = { type: 'record', name: 'R', fields: [{ name: 'u', type: union }] };
    expect(await outcome('AVRO', ...changedDoc(record))).toBe('invalid-schema');
  });

  it('many aliases of one field of many types are refused', async () => {
    const writer = many(1_500, (i) => ({ type: 'enum', name: `E${i}`, symbols: ['A'] }));
    const one = { type: 'record', name: 'R', fields: [{ name: 'u', type: writer }] };
    const fields = many(1_000, (i) => ({ name: `f${i}`, aliases: ['u'], type: ['null', 'E1', 'E2'] }));
    const other = { type: 'record', name: 'R', fields: [{ name: 'v', type: writer, default: 'A' }, ...fields] };
    expect(await outcome('AVRO', JSON.stringify(one), JSON.stringify(other))).toBe('invalid-schema');
  });

  it('a default that fits branches of branches in many ways is refused', async () => {
    const branches = many(30, (i) => ({
      type: 'record',
      name: `B${i}`,
      fields: [{ name: 'a', type: many(30, (j) => `B${j}`) }],
    }));
    // A name can be used only behind its definition, so the types that contain one another are made in one field.
    const first = { type: 'record', name: 'Z', fields: [{ name: 'a', type: ['null', 'Z'] }] };
    const value = JSON.parse(nested(12, '{"a":', '1', '}')) as unknown;
    const union = [first, ...many(12, (i) => ({ type: 'record', name: `Y${i}`, fields: [{ name: 'a', type: 'R' }] }))];
    const record = { type: 'record', name: 'R', fields: [{ name: 'a', type: union, default: value }] };
    expect(await outcome('AVRO', JSON.stringify(record))).toBe('invalid-schema');
    expect(await outcome('AVRO', JSON.stringify(branches))).toBe('invalid-schema');
  });

  it.each([
    ['lists', '['],
    ['objects', '{"type":'],
    ['arrays', '{"type":"array","items":'],
  ])('%s around one another are refused', async (_what, before) => {
    expect(await outcome('AVRO', before.repeat(20_000))).toBe('invalid-schema');
    const after = before === '[' ? ']' : '}';
    expect(await outcome('AVRO', nested(bounds.schemaDepth.value + 1, before, '"int"', after))).toBe('invalid-schema');
    if (before !== '[')
      expect(await outcome('AVRO', nested(bounds.schemaDepth.value, before, '"int"', after))).toBe('registered');
  });
});

describe('Protobuf', () => {
  const file = (body: string, more = '') => `syntax = "proto3"; ${more} message V { ${body} }`;

  it('thousands of oneofs are compared', async () => {
    const body = many(10_000, (i) => `oneof o${i} { int32 f${i} = ${i + 1}; }`).join(' ');
    expect(await outcome('PROTOBUF', file(body), file(`${body} string z = 20001;`))).toBe('registered');
  });

  it('messages that name one another in a chain are compared however long it is', async () => {
    const chain = many(10_000, (i) => `message M${i} { ${i === 0 ? '' : `M${i - 1} f = 1;`} }`).join(' ');
    expect(await outcome('PROTOBUF', file('', chain), file('string z = 1;', chain))).toBe('registered');
  });

  it('thousands of reserved numbers are looked up', async () => {
    const reserved = many(10_000, (i) => `reserved ${100_000 + 2 * i};`).join(' ');
    const fields = many(10_000, (i) => `int32 f${i} = ${i + 1};`).join(' ');
    expect(await outcome('PROTOBUF', file(`${reserved} ${fields}`))).toBe('registered');
    expect(await outcome('PROTOBUF', file(`${reserved} int32 f = 100004;`))).toBe('invalid-schema');
    expect(await outcome('PROTOBUF', file('reserved 5 to 9, 6; int32 f = 8;'))).toBe('invalid-schema');
    expect(await outcome('PROTOBUF', file('reserved 5 to 9, 6, "g"; int32 f = 10;'))).toBe('registered');
    expect(await outcome('PROTOBUF', file('reserved 5 to 9, 6, "g"; int32 g = 10;'))).toBe('invalid-schema');
  });

  it('names that are looked for in a package of thousands of parts are refused', async () => {
    const fields = many(5_000, (i) => `V f${i} = ${i + 1};`).join(' ');
    expect(await outcome('PROTOBUF', file(fields, `package ${many(20_000, () => 'a').join('.')};`))).toBe(
      'invalid-schema',
    );
  });
});

describe('JSON', () => {
  it('thousands of properties and definitions are compared', async () => {
    const definitions = Object.fromEntries(many(3_000, (i) => [`d${i}`, { type: 'string', maxLength: i }]));
    const properties = Object.fromEntries(many(3_000, (i) => [`p${i}`, { $ref: `#/definitions/d${i}` }]));
    const schema = { type: 'object', properties, definitions };
    expect(await outcome('JSON', JSON.stringify(schema), JSON.stringify({ ...schema, title: 't' }))).toBe('registered');
  });

  it('alternatives that all look alike are refused', async () => {
    const anyOf = many(600, (i) => ({ type: 'string', maxLength: i + 1 }));
    expect(await outcome('JSON', JSON.stringify({ anyOf }), JSON.stringify({ anyOf, title: 't' }))).toBe(
      'invalid-schema',
    );
  });

  it('definitions that name one another in a long chain are refused', async () => {
    const definitions = Object.fromEntries(
      many(3_000, (i) => [`d${i}`, { type: 'array', items: { $ref: `#/definitions/d${i + 1}` } }]),
    );
    const schema = { items: { $ref: '#/definitions/d0' }, definitions: { ...definitions, d3000: {} } };
    expect(await outcome('JSON', JSON.stringify(schema))).toBe('invalid-schema');
    const loop = { type: 'object', properties: { a: { $ref: '#' } } };
    expect(await outcome('JSON', JSON.stringify(loop), JSON.stringify({ ...loop, title: 't' }))).toBe('registered');
  });

  it('many patterns for many properties are refused', async () => {
    const patternProperties = Object.fromEntries(many(1_000, (i) => [`^(x+x+)+y${i}`, {}]));
    const properties = Object.fromEntries(many(1_000, (i) => [`xxxxxxxxxxxxxxxxxxxxxxxxxxxxx${i}`, {}]));
    const one = { type: 'object', additionalProperties: false, patternProperties };
    expect(await outcome('JSON', JSON.stringify(one), JSON.stringify({ ...one, properties }))).toBe('invalid-schema');
  });

  it('thousands of values are compared', async () => {
    const text = JSON.stringify({ enum: many(20_000, (i) => i) });
    expect(await outcome('JSON', text, text.replace('{', '{"title":"t",'))).toBe('registered');
  });
});

it('a schema over the size is refused, whatever it is', async () => {
  const text = 'x'.repeat(bounds.schemaSize.value + 1);
  for (const schemaType of ['AVRO', 'JSON', 'PROTOBUF'] as const)
    expect(await outcome(schemaType, text)).toBe('invalid-schema');
});
