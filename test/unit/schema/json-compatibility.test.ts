// Changes of JSON schemas under the names that Confluent's registry has for them, one case for each kind; null: what it allows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Effort } from '../../../src/schema/effort.js';
import { jsonUnreadable } from '../../../src/schema/json/json-compatibility.js';
import { JsonSchema } from '../../../src/schema/json/json-schema.js';

const read = (schema: unknown, imports?: ReadonlyMap<string, string>) =>
  new JsonSchema(JSON.stringify(schema), { imports, effort: new Effort() });

function reasons(before: unknown, after: unknown): readonly string[] {
  return jsonUnreadable(read(after), read(before), new Effort());
}

const text = { type: 'string' };
const whole = { type: 'integer' };
const open = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more });
const closed = (properties: object, more: object = {}) => open(properties, { additionalProperties: false, ...more });
const partly = (properties: object, beside: object, more: object = {}) =>
  open(properties, { additionalProperties: beside, ...more });
const list = (items: unknown, more: object = {}) => ({ type: 'array', items, ...more });
const a = '#/properties/a';

describe('JSON schemas', () => {
  it.each<[what: string, before: unknown, after: unknown, forward: string | null, backward: string | null]>([
    ['titles, defaults and the like', { ...text, title: 't' }, { ...text, description: 'd', default: '' }, null, null],
    ['another type', text, whole, 'TYPE_CHANGED at #', 'TYPE_CHANGED at #'],
    ['a whole number becomes any', whole, { type: 'number' }, null, 'TYPE_NARROWED at #'],
    ['anything', text, {}, null, 'TYPE_CHANGED at #'],
    ['nothing', false, text, null, 'TYPE_CHANGED at #'],
    ['one of more types', text, { type: ['string', 'null'] }, null, 'TYPE_CHANGED at #'],
    ['longer texts', { ...text, maxLength: 5 }, { ...text, maxLength: 9 }, null, 'MAX_LENGTH_DECREASED at #/maxLength'],
    ['a shortest length', text, { ...text, minLength: 1 }, 'MIN_LENGTH_ADDED at #/minLength', null],
    [
      'a pattern',
      { ...text, pattern: 'a' },
      { ...text, pattern: 'b' },
      'PATTERN_CHANGED at #/pattern',
      'PATTERN_CHANGED at #/pattern',
    ],
    ['no pattern', { ...text, pattern: 'a' }, text, null, 'PATTERN_ADDED at #/pattern'],
    ['a larger maximum', { ...whole, maximum: 5 }, { ...whole, maximum: 9 }, null, 'MAXIMUM_DECREASED at #/maximum'],
    ['a smaller minimum', { ...whole, minimum: 5 }, { ...whole, minimum: 1 }, null, 'MINIMUM_INCREASED at #/minimum'],
    [
      'an exclusive bound of draft 4',
      { ...whole, maximum: 5, exclusiveMaximum: true },
      { ...whole, exclusiveMaximum: 5 },
      null,
      null,
    ],
    [
      'multiples of a part',
      { ...whole, multipleOf: 10 },
      { ...whole, multipleOf: 5 },
      null,
      'MULTIPLE_OF_EXPANDED at #/multipleOf',
    ],
    [
      'multiples of something else',
      { ...whole, multipleOf: 10 },
      { ...whole, multipleOf: 3 },
      'MULTIPLE_OF_CHANGED at #/multipleOf',
      'MULTIPLE_OF_CHANGED at #/multipleOf',
    ],
    ['more values', { enum: ['a'] }, { enum: ['b', 'a'] }, null, 'ENUM_ARRAY_NARROWED at #/enum'],
    [
      'other values',
      { ...text, enum: ['a'] },
      { ...text, enum: ['b'] },
      'ENUM_ARRAY_CHANGED at #/enum',
      'ENUM_ARRAY_CHANGED at #/enum',
    ],
    ['a property of an open schema', open({}), open({ a: text }), `PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL at ${a}`, null],
    ['a property of an open schema that may be anything', open({}), open({ a: {} }), null, null],
    [
      'a property of a closed schema',
      closed({}),
      closed({ a: text }),
      null,
      `PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL at ${a}`,
    ],
    ['a property that may never be', closed({ a: false }), closed({}), null, null],
    [
      'a required property of a closed schema',
      closed({}),
      closed({ a: text }, { required: ['a'] }),
      `REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL at ${a}`,
      `PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL at ${a}`,
    ],
    [
      'a required property with a default',
      closed({}),
      closed({ a: { ...text, default: '' } }, { required: ['a'] }),
      null,
      `PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL at ${a}`,
    ],
    ['a property that was covered', partly({}, text), partly({ a: text }, text), null, null],
    [
      'a property that was not covered',
      partly({}, text),
      partly({ a: whole }, text),
      `PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${a}`,
      `PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL at ${a}`,
    ],
    [
      'a property that a pattern covers',
      open({}, { patternProperties: { '^a': text } }),
      open({ a: text }, { patternProperties: { '^a': text } }),
      null,
      null,
    ],
    [
      'a property becomes required',
      open({ a: text }),
      open({ a: text }, { required: ['a'] }),
      'REQUIRED_ATTRIBUTE_ADDED at #/required/a',
      null,
    ],
    [
      'a property with a default becomes required',
      open({ a: { ...text, default: '' } }),
      open({ a: { ...text, default: '' } }, { required: ['a'] }),
      null,
      null,
    ],
    [
      'a schema becomes open',
      closed({ a: text }),
      open({ a: text }),
      null,
      'ADDITIONAL_PROPERTIES_REMOVED at #/additionalProperties',
    ],
    [
      'a schema becomes partly open',
      open({}),
      partly({}, text),
      'ADDITIONAL_PROPERTIES_NARROWED at #/additionalProperties',
      null,
    ],
    [
      'more properties',
      open({}, { maxProperties: 1 }),
      open({}, { maxProperties: 2 }),
      null,
      'MAX_PROPERTIES_DECREASED at #/maxProperties',
    ],
    [
      'a property that demands another',
      open({}),
      open({}, { dependencies: { a: ['b'] } }),
      'DEPENDENCY_ARRAY_ADDED at #/dependencies/a',
      null,
    ],
    [
      'a property inside',
      open({ a: open({ b: text }) }),
      open({ a: open({ b: whole }) }),
      `TYPE_CHANGED at ${a}/properties/b`,
      `TYPE_CHANGED at ${a}/properties/b`,
    ],
    ['kinds of items', list(whole), list({ type: 'number' }), null, 'TYPE_NARROWED at #/items'],
    ['items of any kind', list(whole), { type: 'array' }, null, 'SCHEMA_ADDED at #/items'],
    [
      'an item of a closed list',
      list([text], { additionalItems: false }),
      list([text, text], { additionalItems: false }),
      null,
      'ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL at #/items/1',
    ],
    [
      'an item of an open list',
      list([text]),
      list([text, text]),
      'ITEM_ADDED_TO_OPEN_CONTENT_MODEL at #/items/1',
      null,
    ],
    [
      'items in either form',
      list([text], { additionalItems: whole }),
      { type: 'array', prefixItems: [text], items: whole },
      null,
      null,
    ],
    ['items that differ', list(text), list(text, { uniqueItems: true }), 'UNIQUE_ITEMS_ADDED at #/uniqueItems', null],
    [
      'no further items',
      { type: 'array', additionalItems: true },
      { type: 'array', additionalItems: false },
      'ADDITIONAL_ITEMS_REMOVED at #/additionalItems',
      null,
    ],
    ['one demand of two', { allOf: [{ enum: ['a'] }, text] }, { allOf: [text] }, null, 'TYPE_CHANGED at #'],
    ['a demand twice', { allOf: [text, text] }, text, null, null],
    ['something required that nothing names', open({ a: text }), open({ a: text }, { required: ['b'] }), null, null],
    [
      'fewer items',
      list(text, { maxItems: 5 }),
      list(text, { maxItems: 3 }),
      'MAX_ITEMS_DECREASED at #/maxItems',
      null,
    ],
    ['one alternative more', { oneOf: [text] }, { oneOf: [whole, text] }, null, 'TYPE_CHANGED at #'],
    [
      'of two alternatives one more',
      { anyOf: [text, whole] },
      { anyOf: [text, whole, { type: 'null' }] },
      null,
      'SUM_TYPE_NARROWED at #/anyOf',
    ],
    [
      'other alternatives',
      { anyOf: [text, whole] },
      { anyOf: [text, { type: 'null' }] },
      'COMBINED_TYPE_SUBSCHEMAS_CHANGED at #/anyOf',
      'COMBINED_TYPE_SUBSCHEMAS_CHANGED at #/anyOf',
    ],
    ['alternatives in another order', { oneOf: [text, whole] }, { oneOf: [whole, text] }, null, null],
    [
      'any instead of one',
      { oneOf: [text, whole] },
      { anyOf: [text, whole] },
      null,
      'COMBINED_TYPE_CHANGED at #/oneOf',
    ],
    [
      'one demand more',
      { allOf: [open({ a: text }), open({ b: text })] },
      { allOf: [open({ a: text }), open({ b: text }), open({ c: text })] },
      'PRODUCT_TYPE_EXTENDED at #/allOf',
      null,
    ],
    ['less that is forbidden', { not: { type: 'number' } }, { not: whole }, null, 'NOT_TYPE_EXTENDED at #/not'],
    ['a definition', { $ref: '#/definitions/x', definitions: { x: text } }, text, null, null],
    [
      'a definition that changes',
      open({ a: { $ref: '#/$defs/x' } }, { $defs: { x: text } }),
      open({ a: { $ref: '#/$defs/x' } }, { $defs: { x: whole } }),
      `TYPE_CHANGED at ${a}`,
      `TYPE_CHANGED at ${a}`,
    ],
  ])('%s', (_what, before, after, forwards, backwards) => {
    // What the later one does not let through of the earlier one's, and the other way round.
    expect(reasons(before, after)).toStrictEqual(forwards === null ? [] : [forwards]);
    expect(reasons(after, before)).toStrictEqual(backwards === null ? [] : [backwards]);
  });

  it('contain themselves', () => {
    const tree = (of: object) => ({ $id: 'http://x/tree', ...open({ next: { $ref: '#' }, value: of }) });
    expect(reasons(tree(text), tree(text))).toStrictEqual([]);
    expect(reasons(tree(text), tree(whole))).toStrictEqual(['TYPE_CHANGED at #/properties/value']);
    const loop = { allOf: [{ $ref: '#' }] };
    expect(() => reasons(loop, loop)).toThrow(expect.objectContaining({ code: 'invalid-schema' }));
    const circle = {
      $ref: '#/definitions/a',
      definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } },
    };
    expect(() => reasons(circle, text)).toThrow(expect.objectContaining({ code: 'invalid-schema' }));
  });

  it('refer to others by their names, by their ids, and to places in them', () => {
    const money = JSON.stringify({
      $id: 'http://x/money.json',
      definitions: { cent: { $anchor: 'c', ...whole } },
      ...text,
    });
    const imports = new Map([['money', money]]);
    const means = (ref: string, id?: string) =>
      jsonUnreadable(
        read({ ...(id === undefined ? {} : { $id: id }), allOf: [{ $ref: ref }] }, imports),
        read(text),
        new Effort(),
      );
    for (const ref of ['money', 'http://x/money.json', 'money#']) expect(means(ref)).toStrictEqual([]);
    expect(means('money.json', 'http://x/root.json')).toStrictEqual([]);
    for (const ref of ['money#/definitions/cent', 'money#c']) expect(means(ref)).toStrictEqual(['TYPE_CHANGED at #']);
    for (const ref of ['nope', '#/definitions/x', 'money#/nope', 'money#nope'])
      expect(() => means(ref)).toThrow(expect.objectContaining({ code: 'invalid-schema' }));
    const embedded = { ...open({ a: { $ref: 'inner' } }), definitions: { x: { $id: 'inner', ...text } } };
    expect(reasons(open({ a: text }), embedded)).toStrictEqual([]);
    const meta = open({ a: { $ref: 'http://json-schema.org/draft-07/schema#' } });
    expect(reasons(meta, meta)).toStrictEqual([]);
  });

  it.each([
    [{ type: 'strin' }],
    [{ properties: [] }],
    [{ properties: { a: 7 } }],
    [{ required: 'a' }],
    [{ anyOf: [] }],
    [{ anyOf: [3] }],
    [{ minLength: -1 }],
    [{ maximum: '5' }],
    [{ items: 'x' }],
    [[]],
    ['x'],
  ])('%j is none', (schema) => {
    expect(() => read(schema)).toThrow(expect.objectContaining({ code: 'invalid-schema' }));
  });
});

interface Small {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Small | boolean>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Small | boolean;
  readonly items?: Small | boolean;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly (Small | boolean)[];
}

/** Whether a value is valid: the parts of JSON Schema that the law below makes. */
function valid(schema: Small | boolean, value: unknown): boolean {
  if (typeof schema === 'boolean') return schema;
  const { type, properties = {}, required = [], additionalProperties = true, items = true, anyOf } = schema;
  if (type !== undefined && !ofType(type, value)) return false;
  if (schema.enum !== undefined && !schema.enum.some((each) => JSON.stringify(each) === JSON.stringify(value)))
    return false;
  if (anyOf !== undefined && !anyOf.some((each) => valid(each, value))) return false;
  if (typeof value === 'number') return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity);
  if (typeof value === 'string') return value.length <= (schema.maxLength ?? Infinity);
  if (Array.isArray(value))
    return value.length <= (schema.maxItems ?? Infinity) && value.every((each) => valid(items, each));
  if (typeof value !== 'object' || value === null) return true;
  return (
    required.every((name) => name in value) &&
    Object.entries(value).every(([name, each]) => valid(properties[name] ?? additionalProperties, each))
  );
}

function ofType(type: string, value: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  return type === 'object'
    ? typeof value === 'object' && value !== null && !Array.isArray(value)
    : typeof value === type;
}

const names = fc.constantFrom('a', 'b');
const small = fc.letrec<{ schema: Small | boolean }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.boolean(),
    fc.record({ type: fc.constantFrom('string', 'boolean', 'null') }),
    fc.record({ type: fc.constant('string'), maxLength: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ type: fc.constant('string'), enum: fc.uniqueArray(fc.constantFrom('', 'x', 'y'), { minLength: 1 }) }),
    fc.record(
      { type: fc.constantFrom('integer', 'number'), minimum: fc.constantFrom(0, 1), maximum: fc.constantFrom(1, 2) },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      { type: fc.constant('array'), items: tie('schema'), maxItems: fc.constantFrom(1, 2) },
      { requiredKeys: ['type'] },
    ),
    fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc
      .record(
        {
          type: fc.constant('object'),
          properties: fc.dictionary(names, tie('schema'), { maxKeys: 2 }),
          additionalProperties: tie('schema'),
        },
        { requiredKeys: ['type'] },
      )
      .chain((schema) =>
        // Of properties that may not be anything: what else is required does not count in the original.
        fc
          .subarray(Object.entries(schema.properties ?? {}).flatMap(([name, of]) => (of === true ? [] : [name])))
          .map((required) => ({ ...schema, required })),
      ),
  ),
})).schema as fc.Arbitrary<Small | boolean>;

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom(null, true, '', 'x', 'xy', 'xyz', 0, 1, 1.5, 2, 3),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(names, tie('value'), { maxKeys: 2 }),
  ),
})).value;

describe('what is told to be compatible', () => {
  it('lets every value through that was let through before', () => {
    let told = 0;
    fc.assert(
      fc.property(small, small, fc.array(value, { minLength: 20, maxLength: 20 }), (before, after, values) => {
        expect(reasons(before, before)).toStrictEqual([]);
        if (reasons(before, after).length > 0) return;
        told++;
        for (const each of values)
          if (valid(before, each))
            expect({ before, after, each, valid: valid(after, each) }).toStrictEqual({
              before,
              after,
              each,
              valid: true,
            });
      }),
      { numRuns: 2_000 },
    );
    expect(told).toBeGreaterThan(100);
  });
});
