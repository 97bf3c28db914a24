// The converters of keys and values: classes of Kafka Connect that say which format is written, and what they are set to.
import { rawConverters } from '../transforms/event-router.js';
import { group, truth, whole, type PropertyDef } from './property.js';

const converters = group('Converters');

export const jsonConverter = 'org.apache.kafka.connect.json.JsonConverter';
export const avroConverter = 'io.confluent.connect.avro.AvroConverter';
export const protobufConverter = 'io.confluent.connect.protobuf.ProtobufConverter';
export const jsonSchemaConverter = 'io.confluent.connect.json.JsonSchemaConverter';
export const stringConverter = 'org.apache.kafka.connect.storage.StringConverter';

export const converterClasses = [jsonConverter, jsonSchemaConverter, avroConverter, protobufConverter, stringConverter];

const spellings: Readonly<Record<string, string>> = {
  jsonconverter: jsonConverter,
  json: jsonConverter,
  jsonschemaconverter: jsonSchemaConverter,
  avroconverter: avroConverter,
  avro: avroConverter,
  protobufconverter: protobufConverter,
  protobuf: protobufConverter,
  stringconverter: stringConverter,
};

const bytes = 'a key is no single text of bytes';
const refusedClasses: Readonly<Record<string, string>> = {
  'io.debezium.converters.cloudeventsconverter': 'CloudEvents are not written',
  'io.apicurio.registry.utils.converter.avroconverter':
    "the frame of Apicurio is not written; take Confluent's AvroConverter",
};

const bytesRefused = Object.fromEntries(
  rawConverters.filter((name) => name !== stringConverter).map((name) => [name.toLowerCase(), bytes]),
);

const ownRegistry = 'schemas are registered in the registry of this process: consumers read them at its address';
const logins = 'the registry is that of the process';

function converter(side: 'key' | 'value'): readonly PropertyDef[] {
  const at = (name: string) => `${side}.converter.${name}`;
  return [
    converters.implemented(
      `${side}.converter`,
      `format of ${side}s, as ${side === 'key' ? 'output.key.format' : 'output.data.format'} says it`,
      {
        values: side === 'key' ? converterClasses : [...new Set([...converterClasses, ...rawConverters])],
        spellings,
        refusedValues: side === 'key' ? { ...refusedClasses, ...bytesRefused } : refusedClasses,
      },
    ),
    converters.implemented(
      at('schemas.enable'),
      'JSON inside of {"schema", "payload"}; true by default where JsonConverter is named',
      truth,
    ),
    converters.refused(at('decimal.format'), 'decimals are written as number text with their scale', ['NUMERIC'], {
      values: ['BASE64', 'NUMERIC'],
    }),
    converters.accepted(at('schemas.cache.size'), 'the text of a schema is made once', whole),
    converters.accepted(at('schemas.cache.config'), 'the text of a schema is made once', whole),
    converters.accepted(at('max.schemas.per.subject'), 'the text of a schema is made once', whole),
    converters.refused(at('replace.null.with.default'), 'a NULL stays NULL', ['false'], truth),
    converters.accepted(at('schema.registry.url'), ownRegistry),
    converters.accepted(at('basic.auth.credentials.source'), logins),
    converters.accepted(at('basic.auth.user.info'), logins, { type: 'PASSWORD' }),
    converters.accepted(at('schema.registry.basic.auth.user.info'), logins, { type: 'PASSWORD' }),
    converters.accepted(at('schema.registry.basic.auth.credentials.source'), logins),
    converters.refused(at('auto.register.schemas'), 'the connector registers what it writes', ['true'], truth),
    converters.refused(at('use.latest.version'), 'the connector registers what it writes', ['false'], truth),
    converters.accepted(at('latest.compatibility.strict'), 'the connector registers what it writes', truth),
    converters.accepted(at('enhanced.avro.schema.support'), 'the names of Avro schemas are those of topics', truth),
    // Of Protobuf: NULL is told from the default by what is asked for here, in one of the ways that there are.
    converters.refused(at('optional.for.nullables'), 'fields of nullable columns are optional', ['true'], truth),
    converters.refused(at('optional.for.proto2'), 'schemas are proto3', ['true'], truth),
    converters.refused(at('wrapper.for.nullables'), 'fields of nullable columns are optional', ['false'], truth),
    converters.accepted(at('wrapper.for.raw.primitives'), 'a key is a message with its columns', truth),
    converters.refused(at('generate.struct.for.nulls'), 'a NULL is no field', ['false'], truth),
    converters.accepted(at('generate.index.for.unions'), 'no column is a union', truth),
    converters.accepted(at('flatten.unions'), 'no column is a union', truth),
    converters.accepted(at('int.for.enums'), 'an ENUM is text', truth),
    converters.accepted(at('scrub.invalid.names'), 'names are made such as Protobuf takes', truth),
    converters.accepted(at('enhanced.protobuf.schema.support'), 'messages are named after their topic', truth),
    converters.accepted(at('connect.meta.data'), 'schemas hold types and names only', truth),
    converters.refused(at(`${side}.subject.name.strategy`), 'subjects are named after their topic', [
      'TopicNameStrategy',
      'io.confluent.kafka.serializers.subject.TopicNameStrategy',
    ]),
  ];
}

export const converterProperties: readonly PropertyDef[] = [...converter('key'), ...converter('value')];
