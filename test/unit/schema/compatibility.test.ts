import { describe, expect, it } from 'vitest';
import { canonicalAvro } from '../../../src/schema/avro-text.js';
import { avroUnreadable } from '../../../src/schema/avro/avro-compatibility.js';
import { parseAvro } from '../../../src/schema/avro/avro-parser.js';
import type { AvroType } from '../../../src/schema/avro/avro-type.js';
import type { CompatibilityLevel } from '../../../src/core/compatibility-level.js';
import { breachesOf } from '../../../src/schema/compatibility.js';
import { Effort } from '../../../src/schema/effort.js';

const record = (...fields: { name: string; type: unknown; default?: unknown }[]) =>
  JSON.stringify({ type: 'record', name: 'Value', namespace: 'a', fields });
const id = { name: 'id', type: 'long' };
const optional = { name: 'extra', type: ['null', 'string'], default: null };
const required = { name: 'extra', type: 'string' };
const narrow = { name: 'id', type: 'int' };

function allowed(rule: CompatibilityLevel, candidate: string, ...earlier: string[]): boolean {
  const versions = earlier.map((schema, i) => ({ version: i + 1, schema: () => parseAvro(schema) }));
  const unreadable = (...[reader, writer]: [AvroType, AvroType]) => avroUnreadable(reader, writer, new Effort());
  return breachesOf(rule, parseAvro(candidate), versions, unreadable).length === 0;
}

describe('compatibility', () => {
  it.each<[what: string, candidate: string, earlier: string, backward: boolean, forward: boolean]>([
    ['an added field with a default', record(id, optional), record(id), true, true],
    ['an added field without a default', record(id, required), record(id), false, true],
    ['a removed field with a default', record(id), record(id, optional), true, true],
    ['a removed field without a default', record(id), record(id, required), true, false],
    ['a widened number', record(id), record(narrow), true, false],
    ['a narrowed number', record(narrow), record(id), false, true],
    ['a field that becomes nullable', record({ name: 'id', type: ['null', 'long'] }), record(id), true, false],
    ['another type', record({ name: 'id', type: 'string' }), record(id), false, false],
    ['another namespace', record(id).replace('"a"', '"b"'), record(id), true, true],
    [
      'a logical type over the same base',
      record({ name: 'id', type: { type: 'long', logicalType: 'timestamp-millis' } }),
      record(id),
      true,
      true,
    ],
  ])('%s', (_what, candidate, earlier, backward, forward) => {
    expect(allowed('BACKWARD', candidate, earlier)).toBe(backward);
    expect(allowed('FORWARD', candidate, earlier)).toBe(forward);
    expect(allowed('FULL', candidate, earlier)).toBe(backward && forward);
    expect(allowed('NONE', candidate, earlier)).toBe(true);
  });

  it('looks at all versions only where the level is transitive', () => {
    const versions = [record(id), record(id, optional)];
    // Readable by version 2, which has a default for it, and not by data of version 1 without one.
    const candidate = record(id, required);
    expect(allowed('BACKWARD', candidate, versions[0]!, record(id, required))).toBe(true);
    expect(allowed('BACKWARD_TRANSITIVE', candidate, versions[0]!, record(id, required))).toBe(false);
    expect(allowed('FULL_TRANSITIVE', record(id, optional), ...versions)).toBe(true);
    expect(allowed('FORWARD_TRANSITIVE', record(id), record(id, required), record(id))).toBe(false);
  });
});

describe('what stands in the way', () => {
  const e = (name: string, ...symbols: string[]) => ({ type: 'enum', name, symbols });
  const fixed = (size: number) => ({ type: 'fixed', name: 'F', size });
  const tree = (more: string) =>
    `{"type":"record","name":"Tree","fields":[{"name":"next","type":["null","Tree"]}${more}]}`;

  it.each<[what: string, reader: unknown, writer: unknown, reasons: string[]]>([
    ['a type', 'string', 'long', ['TYPE_MISMATCH at # (long is not read as string)']],
    ['text and bytes', 'bytes', 'string', []],
    ['bytes and text', 'string', 'bytes', []],
    ['a promotion inside of a union', ['null', 'double'], 'int', []],
    ['a branch', ['null', 'int'], 'long', ['MISSING_UNION_BRANCH at # (no branch of the reader takes long)']],
    ['a branch of the writer', 'long', ['int', 'string'], ['TYPE_MISMATCH at # (string is not read as long)']],
    ['a union that all read', 'double', ['int', 'long', 'float'], []],
    ['symbols', e('E', 'A'), e('E', 'A', 'B'), ['MISSING_ENUM_SYMBOLS at #/symbols (the reader does not know B)']],
    ['symbols with a default', { ...e('E', 'A'), default: 'A' }, e('E', 'A', 'B'), []],
    ['a name', e('E', 'A'), e('F', 'A'), ['NAME_MISMATCH at #/name (F is not E)']],
    ['an alias of a type', { ...e('E', 'A'), aliases: ['F'] }, e('F', 'A'), []],
    ['an alias in a union', ['null', { ...e('E', 'A'), aliases: ['F'] }], ['null', e('F', 'A')], []],
    ['another namespace', e('a.E', 'A'), e('b.E', 'A'), []],
    ['a size', fixed(4), fixed(8), ['FIXED_SIZE_MISMATCH at #/size (8 bytes are not 4)']],
    [
      'items',
      { type: 'array', items: 'int' },
      { type: 'array', items: 'long' },
      ['TYPE_MISMATCH at #/items (long is not read as int)'],
    ],
    ['values', { type: 'map', values: 'long' }, { type: 'map', values: 'int' }, []],
    [
      'an alias of a field',
      JSON.parse(record({ name: 'b', type: 'int', aliases: ['a'] } as never)),
      JSON.parse(record({ name: 'a', type: 'int' })),
      [],
    ],
    ['a type that contains itself', JSON.parse(tree('')), JSON.parse(tree(',{"name":"x","type":"int"}')), []],
    [
      'a field of a type that contains itself',
      JSON.parse(tree(',{"name":"x","type":"int"}')),
      JSON.parse(tree('')),
      ['READER_FIELD_MISSING_DEFAULT_VALUE at #/fields/1 (field x is not written and has no default)'],
    ],
  ])('%s', (_what, reader, writer, reasons) => {
    const [read, written] = [parseAvro(JSON.stringify(reader)), parseAvro(JSON.stringify(writer))];
    expect(avroUnreadable(read, written, new Effort())).toStrictEqual(reasons);
  });
});

describe('an Avro schema', () => {
  it.each<[what: string, schema: unknown, detail: string]>([
    ['that is no type', 7, 'a schema is 7'],
    ['of an unknown type', 'nope', 'there is no type "nope"'],
    ['with a union in a union', ['null', ['int']], 'a union stands directly in a union'],
    ['with a branch twice', ['int', 'int'], '"int" stands in a union twice'],
    [
      'with a type twice',
      [
        'null',
        { type: 'array', items: { type: 'fixed', name: 'a.F', size: 1 } },
        { type: 'fixed', name: 'F', namespace: 'a', size: 1 },
      ],
      'there are two types a.F',
    ],
    ['with a name that is none', { type: 'fixed', name: 'a-b', size: 1 }, '"a-b" is no name'],
    [
      'with the name of a primitive',
      { type: 'fixed', name: 'int', size: 1 },
      'a type has the name of the primitive int',
    ],
    ['without symbols', { type: 'enum', name: 'E' }, 'the symbols of enum E are no list of texts'],
    ['with a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, 'enum E has a symbol twice'],
    [
      'with another default',
      { type: 'enum', name: 'E', symbols: ['A'], default: 'B' },
      'the default of enum E is none of its symbols',
    ],
    ['with a field twice', JSON.parse(record(id, id)), 'record a.Value has two fields "id"'],
    [
      'with a default of another type',
      JSON.parse(record({ ...id, default: 'x' })),
      'the default of field a.Value.id is no value of its type',
    ],
    ['with a fixed without a size', { type: 'fixed', name: 'F' }, 'fixed F has no size'],
    ['with an array of nothing', { type: 'array' }, 'an array has no "items"'],
  ])('%s is refused', (_what, schema, detail) => {
    expect(() => parseAvro(JSON.stringify(schema))).toThrow(
      expect.objectContaining({ code: 'invalid-schema', detail }),
    );
  });

  it('may name a type by its namespace, by that around it, or from none', () => {
    const inner = { type: 'fixed', name: 'F', size: 1 };
    const fields = [
      { name: 'f', type: inner },
      { name: 'g', type: 'F' },
      { name: 'h', type: 'a.b.F' },
      { name: 'i', type: 'G' },
    ];
    const outer = { type: 'record', name: 'a.b.R', fields };
    expect(parseAvro(JSON.stringify([{ type: 'fixed', name: 'G', size: 1 }, outer])).kind).toBe('union');
    expect(
      parseAvro(
        JSON.stringify({
          type: { type: 'record', name: 'R', fields: [{ name: 'u', type: ['null', 'int'], default: 3 }] },
        }),
      ).kind,
    ).toBe('record');
  });
});

describe('the normal form', () => {
  it('keeps what makes a difference and drops what makes none', () => {
    const a = canonicalAvro('{"name":"R", "type":"record","fields":[{"name":"x","doc":"d","type":{"type":"string"}}]}');
    expect(a).toBe('{"type":"record","name":"R","fields":[{"name":"x","type":"string","doc":"d"}]}');
    expect(canonicalAvro(a)).toBe(a);
    expect(canonicalAvro('{"type":"string","avro.java.string":"String"}')).toBe(
      '{"type":"string","avro.java.string":"String"}',
    );
    expect(canonicalAvro('[ "null", {"type":"int"} ]')).toBe('["null","int"]');
  });
});
