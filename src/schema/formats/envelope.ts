// Debezium's envelope around a row: `before`, `after`, `source` (where the change comes from), `transaction`, `op` and the time at which
// it was encoded. Here are its parts besides the columns, in the order of the wire, and the schemas of the whole in Connect's JSON and in
// Avro under Debezium's names (`<topic>.Envelope`, `<topic>.Value`, `io.debezium.connector.mysql.Source`, `event.block`).
import { connectFields, type JsonSchemas } from './connect-json.js';
import { avroNamespace, valueRecord, type AvroField, type AvroSchema } from './avro-schema.js';
import type { WireField } from './format.js';

/** What a reader has to know of an envelope. */
export interface EnvelopeForm {
  /** As Debezium calls it: `mysql` or `mariadb`. */
  readonly connector: string;
}

/** What stands in `source` and is the same in all records of a connector. */
export interface EnvelopeSource extends EnvelopeForm {
  /** The prefix of its topics. */
  readonly server: string;
  readonly version: string;
}

/** A field of `source`, `transaction` or of the envelope. */
export interface EnvelopeField {
  readonly name: string;
  readonly type: 'string' | 'int32' | 'int64' | 'snapshot';
  readonly optional: boolean;
}

const field = (name: string, type: EnvelopeField['type'], optional: boolean): EnvelopeField => ({
  name,
  type,
  optional,
});
const required = (name: string, type: EnvelopeField['type']) => field(name, type, false);
const optional = (name: string, type: EnvelopeField['type']) => field(name, type, true);

export const sourceFields: readonly EnvelopeField[] = [
  required('version', 'string'),
  required('connector', 'string'),
  required('name', 'string'),
  required('ts_ms', 'int64'),
  optional('snapshot', 'snapshot'),
  required('db', 'string'),
  optional('sequence', 'string'),
  optional('ts_us', 'int64'),
  optional('ts_ns', 'int64'),
  optional('table', 'string'),
  required('server_id', 'int64'),
  optional('gtid', 'string'),
  required('file', 'string'),
  required('pos', 'int64'),
  required('row', 'int32'),
  optional('thread', 'int64'),
  optional('query', 'string'),
];

export const transactionFields: readonly EnvelopeField[] = [
  required('id', 'string'),
  required('total_order', 'int64'),
  required('data_collection_order', 'int64'),
];

/** Behind `transaction`. */
export const timeFields: readonly EnvelopeField[] = [
  required('op', 'string'),
  optional('ts_ms', 'int64'),
  optional('ts_us', 'int64'),
  optional('ts_ns', 'int64'),
];

const snapshotValues = 'true,first,first_in_data_collection,last_in_data_collection,last,false,incremental';
const enumName = 'io.debezium.data.Enum';
const sourceName = ({ connector }: EnvelopeForm) => `io.debezium.connector.${connector}.Source`;

export function connectEnvelopeSchema(
  topic: string,
  fields: readonly WireField[],
  times: JsonSchemas['times'],
  form: EnvelopeForm,
): string {
  const row = { type: 'struct', fields: connectFields(fields, times), optional: true, name: `${topic}.Value` };
  const struct = (of: readonly EnvelopeField[], name: string, isOptional: boolean) => ({
    type: 'struct',
    fields: of.map(connectField),
    optional: isOptional,
    name,
    version: 1,
  });
  return JSON.stringify({
    type: 'struct',
    fields: [
      { ...row, field: 'before' },
      { ...row, field: 'after' },
      { ...struct(sourceFields, sourceName(form), false), field: 'source' },
      { ...struct(transactionFields, 'event.block', true), field: 'transaction' },
      ...timeFields.map(connectField),
    ],
    optional: false,
    name: `${topic}.Envelope`,
    version: 2,
  });
}

function connectField({ name, type, optional: isOptional }: EnvelopeField): Readonly<Record<string, unknown>> {
  if (type !== 'snapshot') return { type, optional: isOptional, field: name };
  const parameters = { allowed: snapshotValues };
  return { type: 'string', optional: true, name: enumName, version: 1, parameters, default: 'false', field: name };
}

export function avroEnvelopeSchema(topic: string, fields: readonly WireField[], form: EnvelopeForm): string {
  const namespace = avroNamespace(topic);
  const row = { ...valueRecord(topic, fields), 'connect.name': `${namespace}.Value` };
  const block = (of: readonly EnvelopeField[], fullName: string) => {
    const dot = fullName.lastIndexOf('.');
    return {
      type: 'record',
      name: fullName.slice(dot + 1),
      namespace: fullName.slice(0, dot),
      fields: of.map(avroField),
      'connect.version': 1,
      'connect.name': fullName,
    };
  };
  return JSON.stringify({
    type: 'record',
    name: 'Envelope',
    namespace,
    fields: [
      { name: 'before', type: ['null', row], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
      { name: 'source', type: block(sourceFields, sourceName(form)) },
      { name: 'transaction', type: ['null', block(transactionFields, 'event.block')], default: null },
      ...timeFields.map(avroField),
    ],
    'connect.version': 2,
    'connect.name': `${namespace}.Envelope`,
  });
}

function avroField({ name, type, optional: isOptional }: EnvelopeField): AvroField {
  if (type === 'snapshot') {
    const own: AvroSchema = {
      type: 'string',
      'connect.version': 1,
      'connect.parameters': { allowed: snapshotValues },
      'connect.default': 'false',
      'connect.name': enumName,
    };
    // The branch of the default comes first.
    return { name, type: [own, 'null'], default: 'false' };
  }
  const own = type === 'int64' ? 'long' : type === 'int32' ? 'int' : type;
  return isOptional ? { name, type: ['null', own], default: null } : { name, type: own };
}
