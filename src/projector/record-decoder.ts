// The decoder of a stream's or table's records, from the formats of its definition.
import type { CapturedFrom, SourceEntry } from '../catalog/catalog.js';
import type { Row } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { RecordDecoder } from '../runtime/source-node.js';
import type { ResolveSchema } from '../schema/formats/avro-decoder.js';
import { defaultKeyShape } from '../schema/formats/format.js';
import { createKeyDecoder, createValueDecoder } from '../schema/formats/value-decoder.js';

/** What the records of a topic are read by. */
export interface RecordReading extends Pick<SourceEntry, 'schema' | 'sourceKind'> {
  readonly properties: Pick<SourceEntry['properties'], 'keyFormat' | 'valueFormat'>;
  readonly captured: Pick<CapturedFrom, 'schemas' | 'keyShape' | 'envelope' | 'deletedField'> | null;
}

export function createRecordDecoder(entry: RecordReading, resolve: ResolveSchema): RecordDecoder {
  const { schema, properties, captured } = entry;
  const schemas = captured?.schemas;
  const keyShape = captured?.keyShape ?? defaultKeyShape(schema, properties.keyFormat);
  const { keyColumns } = schema;
  const hasKey = keyColumns.length > 0;
  const decodeKey = hasKey
    ? createKeyDecoder({
        format: properties.keyFormat,
        schema,
        keyShape,
        resolve,
        framed: schemas?.key === 'registered',
        hasSchema: schemas?.key === true,
      })
    : undefined;
  const isKey = new Set(keyColumns);
  // A captured row repeats its key columns, and reading all columns in the order they were written is the decoder's fast path.
  const valueColumns = captured ? undefined : schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
  const decodeValue = createValueDecoder({
    format: properties.valueFormat,
    schema,
    valueColumns,
    wrapping: captured?.envelope ? 'envelope' : captured?.deletedField ? 'flat-with-deleted' : 'flat',
    resolve,
    listsAreNull: captured !== null,
    framed: schemas?.value === 'registered',
    hasSchema: schemas?.value === true,
  });
  return {
    key(range): Row {
      if (decodeKey === undefined) return [];
      if (range === null) {
        if (entry.sourceKind === 'stream') return keyColumns.map(() => null);
        throw new AppError('bad-record', 'a record of a table has no key');
      }
      return decodeKey.decode(range.buffer, range.start, range.end);
    },
    row(key, { buffer, start, end }): Row | null {
      const row = decodeValue.decode(buffer, start, end);
      if (row === null) return null;
      // The key is what identifies the row, whatever the value repeats.
      for (let i = 0; i < keyColumns.length; i++) row[keyColumns[i]!] = key[i]!;
      return row;
    },
  };
}
