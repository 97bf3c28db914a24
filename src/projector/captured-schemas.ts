// The schemas of a captured table's records: those that the registry has, and those that stand in records.
import type { CapturedFrom } from '../catalog/catalog.js';
import type { Registry } from '../registry/registry.js';
import { avroKeySchema, avroValueSchema } from '../schema/formats/avro-schema.js';
import { connectKeySchema, connectValueSchema, type JsonSchemas } from '../schema/formats/connect-json.js';
import { avroEnvelopeSchema, connectEnvelopeSchema } from '../schema/formats/envelope.js';
import { deletedField, type WireField } from '../schema/formats/format.js';
import { jsonSchemaOf } from '../schema/formats/json-schema.js';
import { protobufEnvelopeSchema } from '../schema/formats/protobuf-envelope.js';
import { protobufKeySchema, protobufValueSchema } from '../schema/formats/protobuf-schema.js';
import type { CapturedTable } from './definition.js';
import { grownText, type RegisteredText } from './grown-text.js';

/** Undefined: it is not registered. */
export function registeredKey(
  registry: Registry,
  topic: string,
  { key, keyFormat, keyShape, schemas }: CapturedTable,
): RegisteredText | undefined {
  if (keyFormat === 'AVRO') return { text: avroKeySchema(topic, key, keyShape), type: 'AVRO' };
  if (keyFormat === 'PROTOBUF') {
    const make = (previous?: string) => protobufKeySchema({ topic, fields: key, previous });
    return { text: grownText(registry, `${topic}-key`, make), type: 'PROTOBUF' };
  }
  if (schemas?.key !== 'registered') return undefined;
  return { text: jsonSchemaOf(connectKeySchema(topic, key, schemas.times, keyShape)), type: 'JSON' };
}

export function registeredValue(
  registry: Registry,
  topic: string,
  definition: CapturedTable,
): RegisteredText | undefined {
  const { value, valueFormat, envelope, schemas, deletedField: marked } = definition;
  if (valueFormat === 'AVRO') {
    const text = envelope
      ? avroEnvelopeSchema(topic, value, envelope)
      : avroValueSchema(topic, value, marked ? [deletedField] : []);
    return { text, type: 'AVRO' };
  }
  if (valueFormat === 'PROTOBUF') {
    const extra = marked ? [deletedField] : [];
    const make = (previous?: string) =>
      envelope
        ? protobufEnvelopeSchema({ topic, fields: value, previous })
        : protobufValueSchema({ topic, fields: value, extra, previous });
    return { text: grownText(registry, `${topic}-value`, make), type: 'PROTOBUF' };
  }
  if (schemas?.value !== 'registered') return undefined;
  return { text: jsonSchemaOf(connectSchemaOf(topic, value, schemas.times, definition)), type: 'JSON' };
}

/** Of values, as Kafka Connect writes it. */
function connectSchemaOf(
  topic: string,
  fields: readonly WireField[],
  times: JsonSchemas['times'],
  { envelope, deletedField: marked }: Pick<CapturedFrom, 'envelope' | 'deletedField'>,
): string {
  if (envelope) return connectEnvelopeSchema(topic, fields, times, envelope);
  return connectValueSchema(topic, fields, times, marked ? [deletedField] : []);
}
