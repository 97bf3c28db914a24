// Laws of PROTOBUF: our bytes are those of another implementation, a field keeps its number for good, every version of a schema reads the
// records of every other, and no bytes do harm.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printType, type Column, type DataType, type RowSchema, type Value } from '../../src/core/data-type.js';
import { AppError } from '../../src/core/errors.js';
import { createChunkBuilder } from '../../src/schema/formats/chunk-builder.js';
import { valueFields } from '../../src/schema/formats/format.js';
import { protobufNames } from '../../src/schema/formats/protobuf-names.js';
import { protobufKeySchema, protobufValueSchema } from '../../src/schema/formats/protobuf-schema.js';
import { createRowEncoder } from '../../src/schema/formats/row-encoder.js';
import { tableFields } from '../../src/schema/formats/row-encoder-options.js';
import { createKeyDecoder, createValueDecoder } from '../../src/schema/formats/value-decoder.js';
import { createValueEncoder } from '../../src/schema/formats/value-encoder.js';
import { linkProto } from '../../src/schema/protobuf/descriptors.js';
import { Effort } from '../../src/schema/effort.js';
import { protobufUnreadable } from '../../src/schema/protobuf/differences.js';
import { parseProto } from '../../src/schema/protobuf/proto-parser.js';
import { printProto } from '../../src/schema/protobuf/proto-printer.js';
import { recordSet } from '../support/chunk.js';
import { inJudgeOrder, judgeMessage, judgeType } from '../support/protobuf-judge.js';
import { anyType, feedSink, scalarType, schemaAndRows, sourceTable, valueOf } from '../support/value-arbitraries.js';
import { storable } from '../support/protobuf-values.js';

const topic = 'shop.db.t';
const schemaId = 77;

const protobufType: fc.Arbitrary<DataType> = anyType.filter(
  (type) => !/(ARRAY|MAP)<(STRING, )?(ARRAY|MAP)</.test(printType(type)),
);

/** Its messages are objects, on which what each object has is no field. */
const isForJudge = (schema: object) =>
  !/"(?:__proto__|constructor|toString|hasOwnProperty|__defineGetter__)"/.test(JSON.stringify(schema));

describe('our bytes are those of protobufjs', () => {
  it('for values of every type', () => {
    fc.assert(
      fc.property(schemaAndRows(protobufType), ({ schema, rows }) => {
        fc.pre(isForJudge(schema));
        const fields = valueFields(schema);
        const schemaText = protobufValueSchema({ topic, fields });
        expect(printProto(parseProto(schemaText))).toBe(schemaText);
        const judge = judgeType(schemaText, `${topic}.Value`);
        const encoder = createValueEncoder({ format: 'PROTOBUF', schema, schemaId, schemaText });
        for (const generated of rows) {
          const row = generated.map((value, i) => {
            const { type } = schema.columns[i]!;
            return inJudgeOrder(type, storable(type, value));
          });
          const bytes = encoder.encode(row);
          expect(bytes.subarray(0, 6).toString('hex')).toBe('000000004d00');
          const theirs = judge.encode(judgeMessage(schema.columns, row)).finish();
          expect(bytes.subarray(6).toString('hex')).toBe(Buffer.from(theirs).toString('hex'));
        }
      }),
      { numRuns: 80 },
    );
  });

  it.each(['PROTOBUF', 'JSON'] as const)(
    'for keys, whose defaults are not written, beside values in %s',
    (valueFormat) => {
      const defaults: readonly unknown[] = [0, false, ''];
      const isLeftOut = (value: Value) =>
        defaults.some((each) => Object.is(each, value)) || (value instanceof Buffer && value.length === 0);
      fc.assert(
        fc.property(schemaAndRows(scalarType), fc.boolean(), ({ schema, rows }, zero) => {
          fc.pre(isForJudge(schema));
          const table = sourceTable(schema, false);
          const { key: fields, value } = tableFields(table);
          const keySchema = protobufKeySchema({ topic, fields });
          expect(keySchema).not.toContain('optional');
          const judge = judgeType(keySchema, `${topic}.Key`);
          const chunks = createChunkBuilder({ chunkBytes: 64 });
          const encoder = createRowEncoder({
            table,
            topic,
            partitions: 1,
            keyFormat: 'PROTOBUF',
            valueFormat,
            keyShape: 'object',
            shape: 'flat',
            keySchemaId: schemaId,
            valueSchemaId: schemaId,
            keySchema,
            chunks,
            valueSchema: protobufValueSchema({ topic, fields: value }),
          });
          const stored = rows.map((row) =>
            row.map((each, i) => {
              const { type } = schema.columns[i]!;
              return zero && schema.keyColumns.includes(i) ? zeroOf(type) : storable(type, each);
            }),
          );
          for (const row of stored) {
            const to = encoder.beginRow('c');
            schema.columns.forEach(({ type }, i) => feedSink(to, type, row[i]!));
            encoder.endRow();
          }
          const records = recordSet(chunks.take()!);
          const columns = schema.keyColumns.map((i) => schema.columns[i]!);
          stored.forEach((row, i) => {
            const key = schema.keyColumns.map((at) => row[at]!);
            const shown = key.map((each, at) =>
              isLeftOut(each) && !/DATE|TIME|DECIMAL/.test(columns[at]!.type.kind) ? null : each,
            );
            const theirs = judge.encode(judgeMessage(columns, shown)).finish();
            expect(records.key(i)!.subarray(6).toString('hex')).toBe(Buffer.from(theirs).toString('hex'));
            const bytes = records.key(i)!;
            const decoder = createKeyDecoder({
              format: 'PROTOBUF',
              schema,
              keyShape: 'object',
              resolve: () => keySchema,
            });
            expect(decoder.decode(bytes, 0, bytes.length)).toStrictEqual(key);
          });
        }),
        { numRuns: 40 },
      );
    },
  );
});

function zeroOf({ kind }: DataType): Value {
  if (kind === 'STRING') return '';
  if (kind === 'BYTES') return Buffer.alloc(0);
  return kind === 'BOOLEAN' ? false : 0;
}

describe('a schema that changes', () => {
  const names = ['a', 'b', 'c', 'd', 'e_f', 'eF'];
  const types = [
    { kind: 'INTEGER' },
    { kind: 'BIGINT' },
    { kind: 'STRING' },
    { kind: 'DATE' },
    { kind: 'DECIMAL', precision: 9, scale: 2 },
    { kind: 'ARRAY', element: { kind: 'DOUBLE' } },
    { kind: 'STRUCT', fields: [{ name: 'x', type: { kind: 'INTEGER' } }] },
    {
      kind: 'STRUCT',
      fields: [
        { name: 'y', type: { kind: 'STRING' } },
        { name: 'x', type: { kind: 'BIGINT' } },
      ],
    },
  ] as const satisfies readonly DataType[];
  const version: fc.Arbitrary<Column[]> = fc
    .shuffledSubarray(names, { minLength: 1 })
    .chain((chosen) =>
      fc.tuple(...chosen.map((name) => fc.constantFrom<DataType>(...types).map((type) => ({ name, type })))),
    );

  it('gives no number to two fields, and each version reads what the others wrote', () => {
    fc.assert(
      fc.property(fc.array(version, { minLength: 2, maxLength: 6 }), (versions) => {
        const texts: string[] = [];
        for (const columns of versions) {
          const schema: RowSchema = { columns, keyColumns: [0] };
          texts.push(protobufValueSchema({ topic, fields: valueFields(schema), previous: texts.at(-1) }));
        }
        const owners = new Map<number, string>();
        for (const text of texts) {
          expect(printProto(parseProto(text))).toBe(text);
          for (const { name, number, type, label } of parseProto(text).messages[0]!.fields) {
            const owner = `${name} ${label === 'repeated' ? 'repeated ' : ''}${type.replace(/^int.*/, 'int')}`;
            expect(owners.get(number) ?? owner).toBe(owner);
            owners.set(number, owner);
          }
        }
        const linked = texts.map((text) => linkProto(text));
        for (const one of linked)
          for (const other of linked)
            expect(onlyGone(protobufUnreadable(one, other, new Effort()).join(', '))).toBe('');
        versions.forEach((columns, i) => {
          const schema: RowSchema = { columns, keyColumns: [0] };
          const row = columns.map(({ type }) => sample(type));
          const schemaText = texts[i]!;
          const bytes = createValueEncoder({ format: 'PROTOBUF', schema, schemaId, schemaText }).encode(row);
          for (const other of versions) {
            const reader: RowSchema = { columns: other, keyColumns: [0] };
            const decoder = createValueDecoder({
              format: 'PROTOBUF',
              schema: reader,
              resolve: () => schemaText,
              listsAreNull: true,
            });
            // Read by the schema of the writer: a column of one name and type has the value, another type is refused or read.
            const foreign = other.some(({ name, type }) =>
              columns.some((each) => each.name === name && printType(each.type) !== printType(type)),
            );
            if (foreign) continue;
            const read = decoder.decode(bytes, 0, bytes.length)!;
            other.forEach(({ name, type }, at) => {
              const writer = protobufNames(columns.map((c) => c.name))[columns.findIndex((c) => c.name === name)];
              if (writer === protobufNames(other.map((c) => c.name))[at]) expect(read[at]).toStrictEqual(sample(type));
            });
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  /** Without messages of STRUCT columns that one version does not have. */
  function onlyGone(breach: string | undefined): string {
    return (breach ?? '')
      .split(/, (?=[A-Z_]+ at )/)
      .filter((each) => each !== '' && !each.startsWith('MESSAGE_REMOVED'))
      .join();
  }

  it('is the schema that it was where its columns are', () => {
    fc.assert(
      fc.property(version, version, (one, other) => {
        const make = (columns: Column[], previous?: string) =>
          protobufValueSchema({ topic, fields: valueFields({ columns, keyColumns: [0] }), previous });
        const first = make(one);
        expect(make(one, first)).toBe(first);
        const second = make(other, first);
        expect(make(other, second)).toBe(second);
      }),
    );
  });

  function sample(type: DataType): Value {
    return fc
      .sample(valueOf(type, 'format'), { seed: 7, numRuns: 20 })
      .map((value) => storable(type, value))
      .find((value) => value !== null)!;
  }
});

it('any damage to a record is a row or a bad record', () => {
  const columns: Column[] = [
    { name: 'id', type: { kind: 'BIGINT' } },
    { name: 'at', type: { kind: 'TIMESTAMP', digits: 6 } },
    { name: 'day', type: { kind: 'DATE' } },
    { name: 'pay', type: { kind: 'DECIMAL', precision: 30, scale: 4 } },
    { name: 'tags', type: { kind: 'MAP', key: { kind: 'STRING' }, value: { kind: 'TIME', digits: 6 } } },
    { name: 'list', type: { kind: 'ARRAY', element: { kind: 'INTEGER' } } },
    { name: 'part', type: { kind: 'STRUCT', fields: [{ name: 'x', type: { kind: 'STRING' } }] } },
  ];
  const schema: RowSchema = { columns, keyColumns: [0] };
  const schemaText = protobufValueSchema({ topic, fields: valueFields(schema) });
  const row = [7, 1_700_000_000_123_456, 19_000, 10n ** 20n, new Map([['a', 5_000_000]]), [1, -2, 300], ['text']];
  const good = createValueEncoder({ format: 'PROTOBUF', schema, schemaId, schemaText }).encode(row);
  const decoder = createValueDecoder({ format: 'PROTOBUF', schema, resolve: () => schemaText });
  expect(decoder.decode(good, 0, good.length)).toStrictEqual(row);
  const edits = fc.array(fc.tuple(fc.integer({ min: 5, max: good.length - 1 }), fc.nat(255)), { maxLength: 4 });
  const inserted = fc.tuple(fc.integer({ min: 5, max: good.length }), fc.uint8Array({ maxLength: 12 }));
  fc.assert(
    fc.property(edits, inserted, fc.nat(good.length), (changes, [at, more], cut) => {
      const changed = Buffer.from(good);
      for (const [place, byte] of changes) changed[place] = byte;
      const bytes = Buffer.concat([changed.subarray(0, at), more, changed.subarray(at)]);
      try {
        const read = decoder.decode(bytes, 0, bytes.length - (cut % 7 === 0 ? cut : 0));
        expect(read).toHaveLength(columns.length);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        expect((error as AppError).code).toBe('bad-record');
      }
    }),
    { numRuns: 2000 },
  );
});
