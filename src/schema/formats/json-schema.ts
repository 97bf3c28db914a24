// JSON Schema as Confluent's converter writes it for a schema of Kafka Connect: what JSON cannot say of a type stands in `connect.*`, and
// what is optional is one of null and its type. Made from the very schema that stands in records where nobody registers it.

interface ConnectSchema {
  readonly type: string;
  readonly optional?: boolean;
  readonly field?: string;
  readonly name?: string;
  readonly version?: number;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly default?: unknown;
  readonly items?: ConnectSchema;
  readonly values?: ConnectSchema;
  readonly fields?: readonly ConnectSchema[];
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** `connectSchema`: as JSON text, as the result is. */
export function jsonSchemaOf(connectSchema: string): string {
  return JSON.stringify(schemaOf(JSON.parse(connectSchema) as ConnectSchema));
}

function schemaOf(schema: ConnectSchema): JsonSchema {
  const { name, version, parameters, optional, default: byDefault } = schema;
  const own = {
    ...typeOf(schema),
    ...(name === undefined ? {} : { title: name }),
    ...(version === undefined ? {} : { 'connect.version': version }),
    ...(parameters === undefined ? {} : { 'connect.parameters': parameters }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
  };
  return optional === true ? { oneOf: [{ type: 'null' }, own] } : own;
}

function typeOf({ type, name, items, values, fields = [] }: ConnectSchema): JsonSchema {
  switch (type) {
    case 'int16':
    case 'int32':
    case 'int64':
      return { type: 'integer', 'connect.type': type };
    case 'float':
      return { type: 'number', 'connect.type': 'float32' };
    case 'double':
      return { type: 'number', 'connect.type': 'float64' };
    case 'bytes':
      // Decimals are numbers.
      return { type: name?.endsWith('.Decimal') === true ? 'number' : 'string', 'connect.type': 'bytes' };
    case 'array':
      return { type: 'array', items: schemaOf(items!) };
    case 'map':
      return { type: 'object', 'connect.type': 'map', additionalProperties: schemaOf(values!) };
    case 'struct': {
      const properties = fields.map((field, i) => [field.field!, { ...schemaOf(field), 'connect.index': i }] as const);
      return { type: 'object', properties: Object.fromEntries(properties) };
    }
    default:
      return { type };
  }
}
