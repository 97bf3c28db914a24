// Whatever is done to a table, the topic of its envelopes and that of its flat rows fold to the same rows, in every format.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row, RowSchema, Value } from '../../src/core/data-type.js';
import { RecordSet } from '../../src/core/record.js';
import type { RowEncoder, ValueWriter } from '../../src/core/row-encoder.js';
import { avroKeySchema, avroValueSchema } from '../../src/schema/formats/avro-schema.js';
import { createChunkBuilder } from '../../src/schema/formats/chunk-builder.js';
import type { SchemaPlace } from '../../src/schema/formats/connect-json.js';
import { avroEnvelopeSchema } from '../../src/schema/formats/envelope.js';
import { defaultKeyShape, keyFields, type Format } from '../../src/schema/formats/format.js';
import { protobufEnvelopeSchema } from '../../src/schema/formats/protobuf-envelope.js';
import { protobufKeySchema, protobufValueSchema } from '../../src/schema/formats/protobuf-schema.js';
import { createRowEncoder } from '../../src/schema/formats/row-encoder.js';
import { tableFields } from '../../src/schema/formats/row-encoder-options.js';
import { createKeyDecoder, createValueDecoder } from '../../src/schema/formats/value-decoder.js';
import { feedSink, scalarType, schemaAndRows, sourceTable } from '../support/value-arbitraries.js';

const topic = 'p.db.t';
const keySchemaId = 7;
const valueSchemaId = 8;
const times = 'debezium';

interface Change {
  readonly from: number;
  /** A delete, or an update to the row at `to`. */
  readonly to: number | null;
}
const changes = fc.array(
  fc.record({ from: fc.nat(7), to: fc.option(fc.nat(7), { nil: null }) }) satisfies fc.Arbitrary<Change>,
  { maxLength: 20 },
);

/** What a source does: rows are there by their key, and whoever takes another's key has deleted that row before. */
function play(encoder: RowEncoder, schema: RowSchema, rows: readonly Row[], script: readonly Change[]): void {
  const feed = (to: ValueWriter, columns: Iterable<number>, row: Row) => {
    for (const i of columns) feedSink(to, schema.columns[i]!.type, row[i]!, false);
  };
  const all = [...schema.columns.keys()];
  const keyOf = (row: Row) => JSON.stringify(schema.keyColumns.map((i) => printed(row[i]!)));
  const there = new Map<string, Row>();
  const remove = (row: Row) => {
    feed(encoder.beginDelete(), encoder.oldRow === 'key' ? schema.keyColumns : all, row);
    encoder.endDelete();
    there.delete(keyOf(row));
  };
  const put = (row: Row, op: 'c' | 'u') => {
    feed(encoder.beginRow(op), all, row);
    encoder.endRow();
    there.set(keyOf(row), row);
  };
  for (const { from, to } of script) {
    const row = rows[from % rows.length]!;
    const before = there.get(keyOf(row));
    if (before === undefined) put(row, 'c');
    else if (to === null) remove(before);
    else {
      const after = rows[to % rows.length]!;
      const displaced = there.get(keyOf(after));
      if (displaced !== undefined && displaced !== before) remove(displaced);
      feed(encoder.beginOld(), encoder.oldRow === 'key' ? schema.keyColumns : all, before);
      encoder.endOld();
      there.delete(keyOf(before));
      put(after, 'u');
    }
  }
}

function printed(value: Value): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
}

describe.each<readonly [value: 'JSON' | 'AVRO' | 'PROTOBUF', key: Format, schemas: SchemaPlace]>([
  ['JSON', 'JSON', false],
  ['JSON', 'JSON', true],
  ['JSON', 'JSON', 'registered'],
  ['JSON', 'AVRO', false],
  ['AVRO', 'AVRO', false],
  ['AVRO', 'JSON', false],
  ['PROTOBUF', 'PROTOBUF', false],
  ['PROTOBUF', 'JSON', false],
  ['AVRO', 'PROTOBUF', false],
])('%s with keys in %s (schemas in records: %s)', (valueFormat, keyFormat, withSchemas) => {
  it.each([true, false])('fold as flat rows do (tombstones: %s)', (tombstones) => {
    fc.assert(
      fc.property(schemaAndRows(scalarType), changes, ({ schema, rows }, script) => {
        const table = sourceTable(schema);
        const keyShape = defaultKeyShape(schema, keyFormat);
        const envelope = { connector: 'mysql', server: 'p', version: '1', transactions: false };
        const fields = tableFields(table);
        const fold = (shape: 'flat' | 'envelope') => {
          const chunks = createChunkBuilder({ chunkBytes: 64 });
          const keySchema =
            keyFormat === 'PROTOBUF'
              ? protobufKeySchema({ topic, fields: fields.key })
              : avroKeySchema(topic, keyFields(schema), keyShape);
          const valueSchema =
            valueFormat === 'PROTOBUF'
              ? (shape === 'flat' ? protobufValueSchema : protobufEnvelopeSchema)({ topic, fields: fields.value })
              : shape === 'flat'
                ? avroValueSchema(topic, fields.value)
                : avroEnvelopeSchema(topic, fields.value, envelope);
          const encoder = createRowEncoder({
            table,
            topic,
            partitions: 1,
            keyFormat,
            valueFormat,
            keyShape,
            shape,
            envelope,
            tombstones,
            keySchemaId,
            valueSchemaId,
            keySchema,
            valueSchema,
            ...(withSchemas === false ? {} : { schemas: { key: withSchemas, value: withSchemas, times } }),
            chunks,
          });
          play(encoder, schema, rows, script);
          const resolve = (id: number): string => (id === keySchemaId ? keySchema : valueSchema);
          const state = new Map<string, Row>();
          const chunk = chunks.take();
          if (chunk === null) return state;
          const { data, topics, extents, recordCount: count } = chunk;
          const buffers = [Buffer.from(data.buffer, data.byteOffset, data.length)];
          const records = new RecordSet({ buffers, topics, extents, count });
          const key = createKeyDecoder({
            format: keyFormat,
            schema,
            keyShape,
            resolve,
            framed: withSchemas === 'registered',
            hasSchema: withSchemas === true,
          });
          const value = createValueDecoder({
            format: valueFormat,
            schema,
            wrapping: shape,
            resolve,
            framed: withSchemas === 'registered',
            hasSchema: withSchemas === true,
          });
          for (let i = 0; i < count; i++) {
            const keyBytes = records.key(i)!;
            const at = JSON.stringify(key.decode(keyBytes, 0, keyBytes.length).map(printed));
            const bytes = records.value(i);
            const row = bytes && value.decode(bytes, 0, bytes.length);
            if (row === null) state.delete(at);
            else state.set(at, row);
          }
          return state;
        };
        expect(fold('envelope')).toStrictEqual(fold('flat'));
      }),
      { numRuns: 60 },
    );
  });
});
