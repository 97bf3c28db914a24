// GET /openapi.json: the OpenAPI 3.1 description of every path that this server has. Built from a compact table of operations;
// a test asks each of them of a running server, so that the description stays true.
import {
  cutOptions,
  freshness,
  type Json,
  ok,
  operation,
  parameter,
  position,
  problem,
  ref,
  text,
  whole,
} from './openapi-build.js';
import { connectPaths, ksqlPaths } from './openapi-clients.js';
import { kafkaPaths } from './openapi-kafka.js';
import { registryPaths } from './openapi-registry.js';
import { openApiSchemas } from './openapi-schemas.js';

const table = parameter('path', 'table', text, 'name of the table, without regard to case');
const key = parameter(
  'path',
  'key',
  text,
  'key of the row; several key columns: parts separated by commas, each percent-encoded',
);
const numbers = parameter(
  'query',
  'numbers',
  { type: 'string', enum: ['strings', 'literals'], default: 'strings' },
  'how BIGINT and DECIMAL are written',
);
const readOptions: readonly Json[] = [...cutOptions, numbers];

const notModified: Json = { description: 'the client has this representation', headers: freshness };
const ifNoneMatch = parameter('header', 'If-None-Match', text, 'ETag of the representation that the client has');

const format = parameter('query', 'format', { type: 'string', enum: ['json', 'ndjson'] }, 'instead of Accept');

const v1Paths: Json = {
  '/v1/tables': {
    get: operation({
      summary: 'list the tables',
      tag: 'v1',
      parameters: [position],
      responses: { 200: ok(ref('Tables'), freshness) },
    }),
  },
  '/v1/tables/{table}': {
    get: operation({
      summary: 'columns and row count of a table',
      tag: 'v1',
      parameters: [table, position],
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
        {
          ...parameter('query', 'snapshot', { type: 'boolean', default: false }, 'current rows first, as op r'),
          allowEmptyValue: true,
        },
        parameter('query', 'after', text, 'go on behind this event id or version'),
        parameter('query', 'format', { type: 'string', enum: ['sse', 'ndjson'] }, 'instead of Accept'),
        parameter('header', 'Last-Event-ID', text, 'as `after`; goes before it'),
        numbers,
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
      parameters: readOptions,
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
        parameter(
          'query',
          'limit',
          { ...whole, maximum: 10_000, default: 100 },
          'number of records at most; a page also ends after 4 MB, and nextOffset says where to go on',
        ),
        format,
      ],
      responses: { 200: ok(ref('Records')) },
    }),
  },
  '/v1/status': {
    get: operation({ summary: 'how the service stands', tag: 'v1', responses: { 200: ok(ref('Status'), freshness) } }),
  },
};

const servicePaths: Json = {
  '/': {
    get: operation({
      summary: 'a page for people, and the way to /info for programs',
      tag: 'service',
      responses: { 200: ok(text, undefined, 'text/html'), 307: { description: 'to /info' } },
    }),
  },
  '/livez': {
    get: operation({ summary: 'the process works', tag: 'service', responses: { 200: ok({ type: 'object' }) } }),
  },
  '/readyz': {
    get: operation({
      summary:
        'reads can be served: the first snapshots are complete, no source has failed or was never reached, and no table is older than ready.lag-ms; 503 with the reason otherwise',
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

/** Every path; requests are checked against it, so that what is not declared here is refused. */
export const describedPaths: Json = {
  ...v1Paths,
  ...servicePaths,
  ...ksqlPaths,
  ...connectPaths,
  ...registryPaths,
  ...kafkaPaths,
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
    paths: describedPaths,
    components: { schemas: openApiSchemas },
  };
}
