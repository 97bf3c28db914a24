// Which formats a configuration asks for: by the names of Confluent's managed connectors, or by converters of Kafka Connect. A value
// default of a converter that would lose something is replaced, with a note.
import type { SourceFinding } from '../source/source-connector.js';
import type { SchemaPlace } from '../schema/formats/connect-json.js';
import { noteOf, problemOf } from './findings.js';
import { rawConverters } from './transforms/event-router.js';
import { readTransforms } from './transforms/read-transforms.js';
import {
  avroConverter,
  jsonConverter,
  jsonSchemaConverter,
  protobufConverter,
  stringConverter,
} from './properties/converters.js';

export interface Formats {
  readonly value: 'JSON' | 'AVRO' | 'PROTOBUF';
  /** TEXT: the key's one column as text. */
  readonly key: 'JSON' | 'AVRO' | 'PROTOBUF' | 'TEXT';
  /** JSON inside of {"schema", "payload"}. */
  readonly schemas: { readonly key: SchemaPlace; readonly value: SchemaPlace };
}

type Values = ReadonlyMap<string, string>;

const named = { value: 'output.data.format', key: 'output.key.format' } as const;
const classes: Readonly<Record<string, 'JSON' | 'JSON_SR' | 'AVRO' | 'PROTOBUF' | 'TEXT'>> = {
  [jsonConverter]: 'JSON',
  [jsonSchemaConverter]: 'JSON_SR',
  [avroConverter]: 'AVRO',
  [protobufConverter]: 'PROTOBUF',
  [stringConverter]: 'TEXT',
};

export function formatsOf(values: Values): Formats {
  const asked = (side: 'key' | 'value') => classes[values.get(`${side}.converter`) ?? ''];
  const value = asked('value') ?? values.get(named.value) ?? 'JSON';
  // Confluent's v1 connector writes JSON keys whatever the values are; that is its documented default.
  const key = asked('key') ?? values.get(named.key) ?? 'JSON';
  return {
    value: (value === 'JSON_SR' ? 'JSON' : value) as Formats['value'],
    key: (key === 'JSON_SR' ? 'JSON' : key) as Formats['key'],
    schemas: {
      key: placeOf(key, values, 'key'),
      value: placeOf(value, values, 'value'),
    },
  };
}

function placeOf(format: string, values: Values, side: 'key' | 'value'): SchemaPlace {
  if (format === 'JSON_SR') return 'registered';
  return format === 'JSON' && hasSchemas(values, side);
}

function hasSchemas(values: Values, side: 'key' | 'value'): boolean {
  const byDefault = values.get(`${side}.converter`) === jsonConverter ? 'true' : 'false';
  return (values.get(`${side}.converter.schemas.enable`) ?? byDefault) === 'true';
}

export function checkFormats(values: Values): readonly SourceFinding[] {
  const findings: SourceFinding[] = [...checkEvents(values)];
  if (formatsOf(values).key === 'PROTOBUF' && values.get('output.key.shape') === 'bare') {
    findings.push(
      problemOf(
        'output.key.shape',
        'a key in PROTOBUF is a message with its columns, never a bare value',
        'leave it out',
      ),
    );
  }
  for (const side of ['key', 'value'] as const) {
    const property = `${side}.converter`;
    const converter = values.get(property);
    if (converter === undefined) continue;
    const format = classes[converter];
    const other = values.get(named[side]);
    if (format !== undefined && other !== undefined && format !== other)
      findings.push(
        problemOf(property, `${converter} writes ${format}, and ${named[side]} says ${other}`, 'leave one out'),
      );
    if (format === 'PROTOBUF' && !values.has(`${property}.optional.for.nullables`)) {
      findings.push(
        noteOf(
          property,
          'fields are optional (optional.for.nullables true): NULL is not the 0 or the empty text of the default',
        ),
      );
    }
    if ((format === 'JSON' || format === 'JSON_SR') && !values.has(`${property}.decimal.format`)) {
      findings.push(
        noteOf(
          property,
          'decimals are number text with their scale (decimal.format NUMERIC), not the BASE64 of the default',
        ),
      );
    }
  }
  return findings;
}

/** Events have the form of their payload; what is a row has no text of its own. */
function checkEvents(values: Values): readonly SourceFinding[] {
  const routers = readTransforms(values).transforms.filter(({ steps }) =>
    steps.some(({ kind }) => kind === 'route-events'),
  );
  const converter = values.get('value.converter') ?? '';
  const isRaw = rawConverters.includes(converter);
  if (isRaw && !routers.some(({ when }) => when === undefined)) {
    const [property, reason] = [
      'value.converter',
      'the text of a row names a class of Java; JSON is its readable form',
    ];
    const way = 'it is for payloads of an outbox: the transform EventRouter without a predicate';
    return [problemOf(property, `${property}=${converter} is not supported: ${reason}`, way)];
  }
  if (routers.length === 0) return [];
  const { key, value, schemas } = formatsOf(values);
  const wrong = (side: 'key' | 'value', hint: string) =>
    problemOf(
      values.has(`${side}.converter`) ? `${side}.converter` : named[side],
      `${side}s of events are JSON without schemas, or the text as it is`,
      hint,
    );
  const findings: SourceFinding[] = [];
  const binary: readonly string[] = ['AVRO', 'PROTOBUF'];
  if (binary.includes(key) || schemas.key !== false)
    findings.push(wrong('key', 'use StringConverter for keys, or set key.converter.schemas.enable to "false"'));
  if (!isRaw && (binary.includes(value) || schemas.value !== false))
    findings.push(
      wrong('value', 'use StringConverter for values, or JsonConverter with value.converter.schemas.enable=false'),
    );
  return findings;
}
