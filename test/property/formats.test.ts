// Laws of the formats: what is written reads back as the same row, whoever writes it and whatever way it is read.
import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printType, type DataType, type RowSchema, type Value } from '../../src/core/data-type.js';
import { RecordSet } from '../../src/core/record.js';
import { AppError } from '../../src/core/errors.js';
import { avroKeySchema, avroNames, avroValueSchema } from '../../src/schema/formats/avro-schema.js';
import { createChunkBuilder } from '../../src/schema/formats/chunk-builder.js';
import {
  defaultKeyShape,
  keyFields,
  valueFields,
  type Format,
  type KeyShape,
} from '../../src/schema/formats/format.js';
import { protobufKeySchema, protobufValueSchema } from '../../src/schema/formats/protobuf-schema.js';
import { createRowEncoder } from '../../src/schema/formats/row-encoder.js';
import { createKeyDecoder, createValueDecoder } from '../../src/schema/formats/value-decoder.js';
import { createKeyEncoder, createValueEncoder } from '../../src/schema/formats/value-encoder.js';
import { storable } from '../support/protobuf-values.js';
import {
  anyType,
  feedSink,
  scalarType,
  schemaAndRows,
  sourceTable,
  wellFormedText,
} from '../support/value-arbitraries.js';

const keySchemaId = 7;
const valueSchemaId = 300_000;
const runs = { numRuns: 300 };

const topic = 'p.db.t';

function keyText(format: Format, schema: RowSchema, keyShape: KeyShape): string {
  const fields = keyFields(schema);
  return format === 'PROTOBUF' ? protobufKeySchema({ topic, fields }) : avroKeySchema(topic, fields, keyShape);
}

function valueText(format: Format, schema: RowSchema): string {
  const fields = valueFields(schema);
  return format === 'PROTOBUF' ? protobufValueSchema({ topic, fields }) : avroValueSchema(topic, fields);
}

function schemas(schema: RowSchema, keyShape: KeyShape, format: Format = 'AVRO'): (id: number) => string {
  const texts = new Map([
    [keySchemaId, keyText(format, schema, keyShape)],
    [valueSchemaId, valueText(format, schema)],
  ]);
  return (id) => texts.get(id)!;
}

/** What PROTOBUF has no form for: lists in lists, and NULL in them; an empty one is NULL. */
const protobufType: fc.Arbitrary<DataType> = anyType.filter(
  (type) => !/(ARRAY|MAP)<(STRING, )?(ARRAY|MAP)</.test(printType(type)),
);

/** Avro's UTF-8 cannot hold lone surrogates; their replacement is stated, so the rows are made well formed before. */
function wellFormed(value: Value): Value {
  if (typeof value === 'string') return wellFormedText(value);
  if (value instanceof Map)
    return new Map([...(value as ReadonlyMap<string, Value>)].map(([k, v]) => [wellFormedText(k), wellFormed(v)]));
  if (Array.isArray(value)) return (value as readonly Value[]).map(wellFormed);
  return value;
}

const formats: readonly Format[] = ['JSON', 'AVRO', 'PROTOBUF'];

describe.each(formats)('%s', (format) => {
  it('decodes an encoded row to the same row, for every type', () => {
    fc.assert(
      fc.property(schemaAndRows(format === 'PROTOBUF' ? protobufType : anyType), ({ schema, rows }) => {
        const keyShape = defaultKeyShape(schema, format);
        const resolve = schemas(schema, keyShape, format);
        const [schemaText, keySchema] = [valueText(format, schema), keyText(format, schema, keyShape)];
        const value = createValueEncoder({ format, schema, schemaId: valueSchemaId, schemaText });
        const key = createKeyEncoder({ format, schema, keyShape, schemaId: keySchemaId, schemaText: keySchema });
        const valueDecoder = createValueDecoder({ format, schema, resolve, listsAreNull: true });
        const keyDecoder = createKeyDecoder({ format, schema, keyShape, resolve });
        for (const generated of rows) {
          const stored = (value: Value, i: number) => storable(schema.columns[i]!.type, value);
          const row =
            format === 'PROTOBUF'
              ? generated.map(stored)
              : format === 'AVRO'
                ? (wellFormed(generated) as Value[])
                : generated;
          const framed = Buffer.concat([Buffer.from('"x'), value.encode(row), Buffer.from('0y')]);
          expect(valueDecoder.decode(framed, 2, framed.length - 2)).toStrictEqual(row);
          // In a key a list that is empty stays one.
          if (
            format === 'PROTOBUF' &&
            schema.keyColumns.some((i) => /ARRAY|MAP/.test(printType(schema.columns[i]!.type)))
          )
            continue;
          const keyBytes = key.encodeRow(row)!;
          expect(keyDecoder.decode(keyBytes, 0, keyBytes.length)).toStrictEqual(schema.keyColumns.map((i) => row[i]));
        }
      }),
      runs,
    );
  });

  it('reads nothing of what lies behind a record', () => {
    fc.assert(
      fc.property(schemaAndRows(scalarType), fc.nat(), ({ schema, rows }, at) => {
        const keyShape = defaultKeyShape(schema, format);
        const resolve = schemas(schema, keyShape, format);
        const schemaText = valueText(format, schema);
        const encoder = createValueEncoder({ format, schema, schemaId: valueSchemaId, schemaText });
        const decoder = createValueDecoder({ format, schema, resolve, listsAreNull: true });
        const read = (bytes: Buffer, end: number) => {
          try {
            return decoder.decode(bytes, 0, end);
          } catch (error) {
            return (error as AppError).code;
          }
        };
        for (const row of rows) {
          const bytes = encoder.encode(format === 'AVRO' ? (wellFormed(row) as Value[]) : row);
          const cut = at % bytes.length;
          expect(read(bytes, cut)).toStrictEqual(read(Buffer.from(bytes.subarray(0, cut)), cut));
        }
      }),
      runs,
    );
  });

  it.each(formats)('writes the same bytes from a source as from memory, with keys in %s', (keyFormat) => {
    fc.assert(
      fc.property(
        schemaAndRows(scalarType),
        fc.boolean(),
        fc.integer({ min: 1, max: 5 }),
        ({ schema, rows }, odd, partitions) => {
          const keyShape = defaultKeyShape(schema, keyFormat);
          const chunks = createChunkBuilder({ chunkBytes: 64 });
          const [keySchema, valueSchema] = [keyText(keyFormat, schema, keyShape), valueText(format, schema)];
          const table = sourceTable(schema);
          const encoder = createRowEncoder({
            table,
            topic: 't',
            partitions,
            keyFormat,
            valueFormat: format,
            keyShape,
            shape: 'flat',
            keySchemaId,
            valueSchemaId,
            keySchema,
            valueSchema,
            chunks,
          });
          for (const row of rows) {
            const oldKey = encoder.beginOld();
            for (const i of schema.keyColumns) feedSink(oldKey, schema.columns[i]!.type, rows[0]![i]!, odd);
            encoder.endOld();
            const sink = encoder.beginRow('u');
            schema.columns.forEach((column, i) => feedSink(sink, column.type, row[i]!, odd));
            encoder.endRow();
            const deleted = encoder.beginDelete();
            for (const i of schema.keyColumns) feedSink(deleted, schema.columns[i]!.type, row[i]!, odd);
            encoder.endDelete();
          }
          const records = recordsOf(chunks.take()!);
          const value = createValueEncoder({ format, schema, schemaId: valueSchemaId, schemaText: valueSchema });
          const forKey = { schema, keyShape, schemaId: keySchemaId, schemaText: keySchema };
          const key = createKeyEncoder({ format: keyFormat, ...forKey });
          let at = 0;
          for (const row of rows) {
            const keyBytes = key.encodeRow(row)!;
            const oldKeyBytes = key.encodeRow(rows[0]!)!;
            const moves = !keyBytes.equals(oldKeyBytes);
            if (moves) {
              expect([records.op(at), records.key(at), records.value(at)]).toStrictEqual(['d', oldKeyBytes, null]);
              at++;
            }
            expect([records.op(at), records.key(at), records.value(at)]).toStrictEqual([
              moves ? 'c' : 'u',
              keyBytes,
              value.encode(row),
            ]);
            at++;
            expect([records.op(at), records.key(at), records.value(at)]).toStrictEqual(['d', keyBytes, null]);
            expect(records.partition(at)).toBe(records.partition(at - 1));
            at++;
          }
          expect(at).toBe(records.count);
        },
      ),
      runs,
    );
  });

  it('takes arbitrary bytes as a row or refuses them as a bad record', () => {
    const schema: RowSchema = {
      columns: [
        { name: 'a', type: { kind: 'BIGINT' } },
        { name: 'b', type: { kind: 'STRING' } },
        { name: 'c', type: { kind: 'ARRAY', element: { kind: 'DECIMAL', precision: 9, scale: 2 } } },
      ],
      keyColumns: [0],
    };
    const schemaText = valueText(format, schema);
    const items = format === 'PROTOBUF' ? [1, -70, 250] : [1, null, 250];
    const good = createValueEncoder({ format, schema, schemaId: valueSchemaId, schemaText }).encode([1, 'text', items]);
    const decoder = createValueDecoder({ format, schema, resolve: schemas(schema, 'bare', format) });
    const changed = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 3 })
      .chain((edits) => fc.nat(good.length).map((end) => ({ edits, end })));
    fc.assert(
      fc.property(changed, ({ edits, end }) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of edits) if (format === 'JSON' || at >= 5) bytes[at] = byte;
        try {
          const row = decoder.decode(bytes, 0, end);
          expect(row === null || row.length === 3).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect((error as AppError).code).toBe('bad-record');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

it('reads JSON in any order, case and spacing as it reads its own', () => {
  fc.assert(
    fc.property(schemaAndRows(anyType), fc.constantFrom('', ' ', '\n\t'), ({ schema, rows }, space) => {
      const encoder = createValueEncoder({ format: 'JSON', schema });
      const decoder = createValueDecoder({ format: 'JSON', schema });
      for (const row of rows) {
        const fields = schema.columns.map((column, i) => {
          const alone = createValueEncoder({ format: 'JSON', schema: { columns: [column], keyColumns: [0] } })
            .encode([row[i]!])
            .toString();
          return alone.slice(1, -1);
        });
        const text = `${space}{${space}${[...fields.toReversed(), `"\\u0000 unknown":${space}{"x":[1e9, "\\""]}`].join(`${space},${space}`)}${space}}${space}`;
        const bytes = Buffer.from(text);
        expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual(row);
        const own = encoder.encode(row);
        expect(() => JSON.parse(own.toString()) as unknown).not.toThrow();
      }
    }),
    runs,
  );
});

it('writes Avro that avsc reads, and reads what avsc writes', () => {
  const plain = fc.constantFrom(
    { kind: 'BOOLEAN' as const },
    { kind: 'INTEGER' as const },
    { kind: 'DOUBLE' as const },
    { kind: 'STRING' as const },
    { kind: 'BYTES' as const },
  );
  fc.assert(
    fc.property(schemaAndRows(plain), ({ schema, rows }) => {
      // Its records are objects, on which such a field is none.
      fc.pre(!JSON.stringify(schema).includes('__proto__'));
      const resolve = schemas(schema, 'bare');
      const type = avro.Type.forSchema(
        JSON.parse(resolve(valueSchemaId)) as avro.Schema,
        { wrapUnions: 'never' } as object,
      );
      const fieldNames = avroNames(schema.columns.map((c) => c.name));
      const encoder = createValueEncoder({ format: 'AVRO', schema, schemaId: valueSchemaId });
      const decoder = createValueDecoder({ format: 'AVRO', schema, resolve });
      for (const generated of rows) {
        const row = wellFormed(generated) as Value[];
        const bytes = encoder.encode(row);
        const read = type.fromBuffer(bytes.subarray(5)) as Record<string, Value>;
        expect(fieldNames.map((name) => read[name])).toStrictEqual(row);
        const theirs = type.toBuffer(Object.fromEntries(fieldNames.map((name, i) => [name, row[i]])));
        expect(theirs).toStrictEqual(bytes.subarray(5));
        expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual(row);
      }
    }),
    runs,
  );
});

function recordsOf(chunk: NonNullable<ReturnType<ReturnType<typeof createChunkBuilder>['take']>>): RecordSet {
  const { data, topics, extents, recordCount } = chunk;
  return new RecordSet({
    buffers: [Buffer.from(data.buffer, data.byteOffset, data.length)],
    topics,
    extents,
    count: recordCount,
  });
}
