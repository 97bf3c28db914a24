// The checker of Avro schemas says what avsc's resolver says, over schemas and changes of them made at random: two programs by different
// hands from one specification. Where avsc is known to be wrong or not to say, schemas are not made.
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroUnreadable } from '../../src/schema/avro/avro-compatibility.js';
import { parseAvro } from '../../src/schema/avro/avro-parser.js';
import { Effort } from '../../src/schema/effort.js';

type Schema = string | readonly Schema[] | Readonly<Record<string, unknown>>;

const primitive = fc.constantFrom('null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string');
const simple = ['A', 'B', 'C', 'D', 'E', 'F'];

/** Names of types and fields are few, so that what comes from two schemas meets. */
const shape = fc.letrec<{ type: Schema; named: Schema; union: Schema }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'type' },
    primitive,
    tie('named'),
    tie('union'),
    fc.record({ type: fc.constant('array'), items: tie('type') }),
    fc.record({ type: fc.constant('map'), values: tie('type') }),
  ),
  union: fc.uniqueArray(fc.oneof(primitive, tie('named')), { minLength: 1, maxLength: 4, selector: kindOf }),
  named: fc.oneof(
    fc.record({ type: fc.constant('fixed'), size: fc.integer({ min: 1, max: 2 }) }),
    fc.record(
      {
        type: fc.constant('enum'),
        symbols: fc.uniqueArray(fc.constantFrom('X', 'Y', 'Z'), { minLength: 1, maxLength: 3 }),
      },
      { requiredKeys: ['type', 'symbols'] },
    ),
    fc.record({
      type: fc.constant('record'),
      fields: fc.uniqueArray(
        fc.oneof(
          fc.record({ name: fc.constantFrom('a', 'b', 'c'), type: tie('type') }),
          fc.record({
            name: fc.constantFrom('a', 'b', 'c'),
            type: fc.constant(['null', 'long']),
            default: fc.constant(null),
          }),
          fc.record({ name: fc.constantFrom('a', 'b', 'c'), type: fc.constant('self') }),
        ),
        { maxLength: 3, selector: ({ name }) => name },
      ),
    }),
  ),
}));

function kindOf(schema: Schema): string {
  return typeof schema === 'string' ? schema : String((schema as { type?: unknown }).type);
}

/** Types get their names by the order in which they stand, so two schemas of one shape have the same ones. */
function named(schema: Schema): Schema {
  let count = 0;
  const name = (each: Schema, around: string): Schema => {
    if (each === 'self') return around === '' ? 'null' : ['null', around];
    if (typeof each === 'string') return each;
    if (Array.isArray(each)) return each.map((branch) => name(branch as Schema, around));
    const object = each as Readonly<Record<string, unknown>>;
    if (object['type'] === 'array') return { ...object, items: name(object['items'] as Schema, around) };
    if (object['type'] === 'map') return { ...object, values: name(object['values'] as Schema, around) };
    const index = count++;
    const own = `${simple[index % simple.length]}${Math.floor(index / simple.length) || ''}`;
    if (object['type'] !== 'record') return { ...object, name: own };
    const fields = (object['fields'] as { type: Schema }[]).map((f) => ({ ...f, type: name(f.type, own) }));
    return { type: 'record', name: own, fields };
  };
  return name(schema, '');
}

function byAvsc(reader: string, writer: string): boolean {
  const readerType = avro.Type.forSchema(JSON.parse(reader) as avro.Schema, { wrapUnions: true });
  const writerType = avro.Type.forSchema(JSON.parse(writer) as avro.Schema, { wrapUnions: true });
  try {
    readerType.createResolver(writerType, { ignoreNamespaces: true });
    return true;
  } catch {
    return false;
  }
}

function byUs(reader: string, writer: string): readonly string[] {
  return avroUnreadable(parseAvro(reader), parseAvro(writer), new Effort());
}

describe('whether one Avro schema reads what another one wrote', () => {
  it('is what avsc says of it', () => {
    let [readable, not] = [0, 0];
    fc.assert(
      fc.property(shape.type, shape.type, fc.boolean(), (one, other, same) => {
        const reader = JSON.stringify(named(one));
        const writer = JSON.stringify(named(same ? one : other));
        const expected = byAvsc(reader, writer);
        if (expected) readable++;
        else not++;
        expect({ reader, writer, readable: byUs(reader, writer).length === 0 }).toStrictEqual({
          reader,
          writer,
          readable: expected,
        });
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(readable, not)).toBeGreaterThan(200);
  });

  it('is yes for every schema and itself', () => {
    fc.assert(
      fc.property(shape.type, (one) => {
        const text = JSON.stringify(named(one));
        expect(byUs(text, text)).toStrictEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
