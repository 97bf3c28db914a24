// The registered schemas of a derived stream's or table's topic.
import type { SchemaIds } from '../catalog/catalog.js';
import type { RowSchema } from '../core/data-type.js';
import type { Registry } from '../registry/registry.js';
import { avroKeySchema, avroValueSchema } from '../schema/formats/avro-schema.js';
import { defaultKeyShape, keyFields, valueFields, type Format } from '../schema/formats/format.js';
import { protobufKeySchema, protobufValueSchema } from '../schema/formats/protobuf-schema.js';
import type { SourceProperties } from '../sql/plan.js';
import { grownText, type RegisteredText } from './grown-text.js';

export interface SinkForm {
  readonly schema: RowSchema;
  readonly properties: Pick<SourceProperties, 'topic' | 'keyFormat' | 'valueFormat'>;
}

/** Null: its formats have none. `followsSource`: the columns come from a source's table that has changed. */
export function registerSinkSchemas(
  registry: Registry,
  form: SinkForm,
  options: { readonly followsSource?: boolean } = {},
): SchemaIds | null {
  const { topic } = form.properties;
  const register = (part: 'key' | 'value', text: RegisteredText | null) =>
    text && registry.registerNow(`${topic}-${part}`, text.text, text.type, options);
  const key = register('key', keyText(registry, form));
  const value = register('value', valueText(registry, form));
  return key === null && value === null ? null : { key, value };
}

function keyText(registry: Registry, { schema, properties }: SinkForm): RegisteredText | null {
  const { topic, keyFormat } = properties;
  if (schema.keyColumns.length === 0) return null;
  const fields = keyFields(schema);
  return textOf(keyFormat, {
    avro: () => avroKeySchema(topic, fields, defaultKeyShape(schema)),
    protobuf: () => grownText(registry, `${topic}-key`, (previous) => protobufKeySchema({ topic, fields, previous })),
  });
}

function valueText(registry: Registry, { schema, properties }: SinkForm): RegisteredText | null {
  const { topic, valueFormat } = properties;
  const isKey = new Set(schema.keyColumns);
  const valueColumns = schema.columns.map((_, i) => i).filter((i) => !isKey.has(i));
  const fields = valueFields(schema, valueColumns);
  return textOf(valueFormat, {
    avro: () => avroValueSchema(topic, fields),
    protobuf: () =>
      grownText(registry, `${topic}-value`, (previous) => protobufValueSchema({ topic, fields, previous })),
  });
}

function textOf(
  format: Format,
  texts: { readonly avro: () => string; readonly protobuf: () => string },
): RegisteredText | null {
  if (format === 'AVRO') return { text: texts.avro(), type: format };
  return format === 'PROTOBUF' ? { text: texts.protobuf(), type: format } : null;
}
