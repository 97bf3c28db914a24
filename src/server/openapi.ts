// GET /openapi.json: the OpenAPI 3.1 description of every path that this server has. Built from a compact table of operations;
// a test asks each of them of a running server, so that the description stays true.
import { openApiSchemas } from './openapi-schemas.js';

type Json = Readonly<Record<string, unknown>>;
type ParameterPlace = 'path' | 'query' | 'header';

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const text: Json = { type: 'string' };
const whole: Json = { type: 'integer', minimum: 0 };

function parameter(place: ParameterPlace, name: string, schema: Json, description: string): Json {
  return { name, in: place, required: place === 'path', schema, description };
}

const table = parameter('path', 'table', text, 'name of the table, without regard to case');
const key = parameter(
  'path',
  'key',
  text,
  'key of the row; several key columns: parts separated by commas, each percent-encoded',
);
const connector = parameter('path', 'connector', text, 'name of the connector');
const subject = parameter('path', 'subject', text, 'name of the subject');
const version = parameter('path', 'version', text, 'a version number or "latest"');
const readOptions: readonly Json[] = [
  parameter('query', 'atLeast', text, 'wait until this version (`logId:seq`) is applied'),
  parameter('query', 'waitMs', { ...whole, maximum: 60_000, default: 10_000 }, 'longest wait for atLeast'),
  parameter('query', 'stale', { type: 'string', enum: ['ok'] }, 'allow tables that stand at different versions'),
  parameter(
    'query',
    'numbers',
    { type: 'string', enum: ['strings', 'literals'], default: 'strings' },
    'how BIGINT and DECIMAL are written',
  ),
];

const freshness: Json = {
  'Writethrough-Version': { schema: text, description: 'version of the cut that was read, `logId:seq`' },
  'Writethrough-Lag-Ms': { schema: whole, description: 'how far behind the source the answer is' },
  'Writethrough-Position': { schema: text, description: 'source positions contained in the answer' },
};

const problem: Json = { description: 'error', content: { 'application/problem+json': { schema: ref('Problem') } } };
const ksqlError: Json = { description: 'error', content: { 'application/json': { schema: ref('KsqlError') } } };
const connectError: Json = { description: 'error', content: { 'application/json': { schema: ref('ConnectError') } } };
const registryError: Json = {
  description: 'error',
  content: { 'application/vnd.schemaregistry.v1+json': { schema: ref('ConnectError') } },
};

function ok(schema: Json, headers?: Json, type = 'application/json'): Json {
  return { description: 'answer', ...(headers === undefined ? {} : { headers }), content: { [type]: { schema } } };
}

interface Operation {
  readonly summary: string;
  readonly tag: 'v1' | 'service' | 'ksqlDB' | 'Kafka Connect' | 'Schema Registry';
  readonly parameters?: readonly Json[];
  readonly body?: Json;
  readonly responses: Readonly<Record<string, Json>>;
}

function operation({ summary, tag, parameters, body, responses }: Operation): Json {
  const error = {
    v1: problem,
    service: problem,
    ksqlDB: ksqlError,
    'Kafka Connect': connectError,
    'Schema Registry': registryError,
  }[tag];
  return {
    summary,
    tags: [tag],
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: { ...responses, default: error },
  };
}

const notModified: Json = { description: 'the client has this representation', headers: freshness };
const ifNoneMatch = parameter('header', 'If-None-Match', text, 'ETag of the representation that the client has');

const v1Paths: Json = {
  '/v1/tables': {
    get: operation({ summary: 'list the tables', tag: 'v1', responses: { 200: ok(ref('Tables'), freshness) } }),
  },
  '/v1/tables/{table}': {
    get: operation({
      summary: 'columns and row count of a table',
      tag: 'v1',
      parameters: [table],
      responses: { 200: ok(ref('Table'), freshness) },
    }),
  },
  '/v1/tables/{table}/rows': {
    get: operation({
      summary: 'a page of rows in key order',
      tag: 'v1',
      parameters: [
        table,
        parameter('query', 'limit', { ...whole, maximum: 100_000, default: 1_000 }, 'rows of the page'),
        parameter('query', 'after', text, 'go on behind this key'),
        ...readOptions,
      ],
      responses: { 200: ok(ref('Rows'), freshness) },
    }),
  },
  '/v1/tables/{table}/rows/{key}': {
    get: operation({
      summary: 'one row by its key',
      tag: 'v1',
      parameters: [table, key, ifNoneMatch, ...readOptions],
      responses: {
        200: ok(ref('Row'), { ...freshness, ETag: { schema: text } }),
        304: notModified,
        404: { ...problem, headers: freshness },
      },
    }),
  },
  '/v1/tables/{table}/changes': {
    get: operation({
      summary: 'changes of a table as server-sent events or NDJSON',
      tag: 'v1',
      parameters: [
        table,
        parameter('query', 'snapshot', { type: 'boolean', default: false }, 'current rows first, as op r'),
        parameter('query', 'after', text, 'go on behind this event id or version'),
        parameter('query', 'format', { type: 'string', enum: ['sse', 'ndjson'] }, 'instead of Accept'),
        parameter('header', 'Last-Event-ID', text, 'as `after`; goes before it'),
        readOptions[3]!,
      ],
      responses: {
        200: {
          description: 'the changes, until the client or the server ends the stream',
          content: { 'text/event-stream': { schema: text }, 'application/x-ndjson': { schema: ref('Change') } },
        },
        410: problem,
      },
    }),
  },
  '/v1/tables/{table}/rebuild': {
    post: operation({
      summary: 'derive the table again from the log',
      tag: 'v1',
      parameters: [table],
      responses: { 202: ok(ref('Rebuild')) },
    }),
  },
  '/v1/rebuilds': {
    get: operation({ summary: 'running and recent rebuilds', tag: 'v1', responses: { 200: ok(ref('Rebuilds')) } }),
  },
  '/v1/read': {
    post: operation({
      summary: 'several reads of one consistent cut',
      tag: 'v1',
      body: ref('ReadRequest'),
      responses: { 200: ok(ref('ReadAnswer'), freshness) },
    }),
  },
  '/v1/topics': { get: operation({ summary: 'topics of the log', tag: 'v1', responses: { 200: ok(ref('Topics')) } }) },
  '/v1/topics/{topic}/records': {
    get: operation({
      summary: 'records of a topic as they lie in the log',
      tag: 'v1',
      parameters: [
        parameter('path', 'topic', text, 'name of the topic'),
        parameter('query', 'partition', { ...whole, default: 0 }, 'partition'),
        parameter('query', 'offset', text, 'first offset; negative counts from the end'),
        parameter('query', 'limit', { ...whole, maximum: 10_000, default: 100 }, 'number of records'),
      ],
      responses: { 200: ok(ref('Records')) },
    }),
  },
  '/v1/status': {
    get: operation({ summary: 'how the service stands', tag: 'v1', responses: { 200: ok(ref('Status'), freshness) } }),
  },
};

const servicePaths: Json = {
  '/livez': {
    get: operation({ summary: 'the process works', tag: 'service', responses: { 200: ok({ type: 'object' }) } }),
  },
  '/readyz': {
    get: operation({
      summary: 'reads can be served',
      tag: 'service',
      responses: { 200: ok({ type: 'object' }), 503: ok({ type: 'object' }) },
    }),
  },
  '/metrics': {
    get: operation({
      summary: 'Prometheus metrics',
      tag: 'service',
      responses: { 200: ok(text, undefined, 'text/plain') },
    }),
  },
  '/openapi.json': {
    get: operation({ summary: 'this description', tag: 'service', responses: { 200: ok({ type: 'object' }) } }),
  },
  '/errors': {
    get: operation({ summary: 'all error codes', tag: 'service', responses: { 200: ok({ type: 'object' }) } }),
  },
  '/errors/{code}': {
    get: operation({
      summary: 'what an error code means',
      tag: 'service',
      parameters: [parameter('path', 'code', text, 'the code of a problem')],
      responses: { 200: ok({ type: 'object' }) },
    }),
  },
};

const queryResponse: Json = {
  description: 'rows; the form is chosen by Accept',
  headers: freshness,
  content: {
    'application/vnd.ksqlapi.delimited.v1': { schema: text },
    'application/vnd.ksql.v1+json': { schema: { type: 'array' } },
    'application/json': { schema: { type: 'array' } },
  },
};
const entityList = ok({ type: 'array', items: { type: 'object' } });
const anyObject = ok({ type: 'object' });

const ksqlPaths: Json = {
  '/ksql': {
    post: operation({
      summary: 'run statements',
      tag: 'ksqlDB',
      body: ref('KsqlRequest'),
      responses: { 200: entityList },
    }),
  },
  '/query': {
    post: operation({
      summary: 'run one SELECT',
      tag: 'ksqlDB',
      body: ref('KsqlRequest'),
      responses: { 200: queryResponse },
    }),
  },
  '/query-stream': {
    post: operation({
      summary: 'run one SELECT',
      tag: 'ksqlDB',
      body: ref('QueryStreamRequest'),
      responses: { 200: queryResponse },
    }),
  },
  '/close-query': {
    post: operation({
      summary: 'end a push query',
      tag: 'ksqlDB',
      body: ref('CloseQueryRequest'),
      responses: { 200: { description: 'ended' } },
    }),
  },
  '/inserts-stream': {
    post: operation({
      summary: 'insert rows (HTTP/2 only)',
      tag: 'ksqlDB',
      body: text,
      responses: { 200: ok(text, undefined, 'application/vnd.ksqlapi.delimited.v1') },
    }),
  },
  '/info': {
    get: operation({ summary: 'version and names of the server', tag: 'ksqlDB', responses: { 200: anyObject } }),
  },
  '/healthcheck': { get: operation({ summary: 'health', tag: 'ksqlDB', responses: { 200: anyObject } }) },
  '/status': {
    get: operation({ summary: 'status of the last commands', tag: 'ksqlDB', responses: { 200: anyObject } }),
  },
  '/is_valid_property/{name}': {
    get: operation({
      summary: 'whether a request property is known',
      tag: 'ksqlDB',
      parameters: [parameter('path', 'name', text, 'name of the property')],
      responses: { 200: ok({ type: 'boolean' }) },
    }),
  },
};

const configBody: Json = { type: 'object', additionalProperties: text };

function connectCall(summary: string, responses: Readonly<Record<string, Json>>, body?: Json): Json {
  return operation({
    summary,
    tag: 'Kafka Connect',
    parameters: [connector],
    responses,
    ...(body === undefined ? {} : { body }),
  });
}

const done = { description: 'done' };
const connectPaths: Json = {
  '/connectors': {
    get: operation({
      summary: 'list the connectors',
      tag: 'Kafka Connect',
      parameters: [
        parameter(
          'query',
          'expand',
          { type: 'array', items: { type: 'string', enum: ['status', 'info'] } },
          'objects instead of names',
        ),
      ],
      responses: { 200: ok({ type: ['array', 'object'] }) },
    }),
    post: operation({
      summary: 'create a connector',
      tag: 'Kafka Connect',
      body: ref('ConnectorCreate'),
      responses: { 201: ok(ref('Connector')) },
    }),
  },
  '/connectors/{connector}': {
    get: connectCall('describe a connector', { 200: ok(ref('Connector')) }),
    delete: connectCall('delete a connector', { 204: done }),
  },
  '/connectors/{connector}/config': {
    get: connectCall('its configuration', { 200: ok(configBody) }),
    put: connectCall('create or change it', { 200: ok(ref('Connector')), 201: ok(ref('Connector')) }, configBody),
  },
  '/connectors/{connector}/status': { get: connectCall('its state and what the source does', { 200: anyObject }) },
  '/connectors/{connector}/tasks': { get: connectCall('its tasks', { 200: entityList }) },
  '/connectors/{connector}/topics': { get: connectCall('the topics that it writes', { 200: anyObject }) },
  '/connectors/{connector}/offsets': { get: connectCall('its position in the source', { 200: anyObject }) },
  '/connectors/{connector}/pause': { put: connectCall('pause it', { 202: done }) },
  '/connectors/{connector}/resume': { put: connectCall('resume it', { 202: done }) },
  '/connectors/{connector}/stop': { put: connectCall('stop it', { 204: done }) },
  '/connectors/{connector}/restart': { post: connectCall('restart it', { 202: anyObject, 204: done }) },
  '/connector-plugins': {
    get: operation({ summary: 'connector classes', tag: 'Kafka Connect', responses: { 200: entityList } }),
  },
  '/connector-plugins/{plugin}/config/validate': {
    put: operation({
      summary: 'check a configuration',
      tag: 'Kafka Connect',
      parameters: [parameter('path', 'plugin', text, 'class of the connector')],
      body: configBody,
      responses: { 200: anyObject },
    }),
  },
};

const registryOk = (schema: Json): Json => ok(schema, undefined, 'application/vnd.schemaregistry.v1+json');

function registryCall(summary: string, parameters: readonly Json[], schema: Json, body?: Json): Json {
  return operation({
    summary,
    tag: 'Schema Registry',
    parameters,
    responses: { 200: registryOk(schema) },
    ...(body === undefined ? {} : { body }),
  });
}

const schemaId = parameter('path', 'id', whole, 'id of a schema');
const registryPaths: Json = {
  '/subjects': { get: registryCall('list the subjects', [], { type: 'array', items: text }) },
  '/subjects/{subject}': {
    post: registryCall('find a schema under the subject', [subject], ref('RegisteredSchema'), ref('SchemaBody')),
    delete: registryCall('delete the subject', [subject], { type: 'array', items: whole }),
  },
  '/subjects/{subject}/versions': {
    get: registryCall('versions of the subject', [subject], { type: 'array', items: whole }),
    post: registryCall(
      'register a schema',
      [subject],
      { type: 'object', properties: { id: whole } },
      ref('SchemaBody'),
    ),
  },
  '/subjects/{subject}/versions/{version}': {
    get: registryCall('one version', [subject, version], ref('RegisteredSchema')),
  },
  '/schemas/types': { get: registryCall('kinds of schemas', [], { type: 'array', items: text }) },
  '/schemas/ids/{id}': { get: registryCall('a schema by its id', [schemaId], ref('SchemaBody')) },
  '/compatibility/subjects/{subject}/versions/{version}': {
    post: registryCall(
      'check a schema against a version',
      [subject, version],
      { type: 'object', properties: { is_compatible: { type: 'boolean' } } },
      ref('SchemaBody'),
    ),
  },
  '/config': {
    get: registryCall('compatibility level', [], { type: 'object' }),
    put: registryCall('set the compatibility level', [], { type: 'object' }, ref('Compatibility')),
  },
  '/config/{subject}': {
    get: registryCall('compatibility level of a subject', [subject], { type: 'object' }),
    put: registryCall('set the compatibility level of a subject', [subject], { type: 'object' }, ref('Compatibility')),
  },
};

export function openApi(serviceVersion: string): Json {
  return {
    openapi: '3.1.0',
    info: {
      title: 'writethrough',
      version: serviceVersion,
      description:
        'Rows of a database as an event stream and as tables to query; with the interfaces of ksqlDB, Kafka Connect and the Schema Registry.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths: { ...v1Paths, ...servicePaths, ...ksqlPaths, ...connectPaths, ...registryPaths },
    components: { schemas: openApiSchemas },
  };
}
