// The paths that the clients of ksqlDB and of Kafka Connect use.
import {
  bool,
  cutOptions,
  freshness,
  indifferent,
  type Json,
  ok,
  operation,
  parameter,
  ref,
  text,
  whole,
} from './openapi-build.js';

const connector = parameter('path', 'connector', text, 'name of the connector');
const logger = parameter('path', 'logger', text, '`root`, `connector`, `connector.NAME`, `engine` or `capture`');

const queryResponse: Json = {
  description: 'rows; the form is chosen by Accept',
  headers: freshness,
  content: {
    'application/vnd.ksqlapi.delimited.v1': { schema: text },
    'application/vnd.ksql.v1+json': { schema: { type: 'array' } },
    'application/json': { schema: { type: 'array' } },
  },
};
const task = parameter('path', 'task', whole, 'number of the task, from 0');
const command = parameter('path', 'command', text, 'id of the command, as its answer gave it');
const entityList = ok({ type: 'array', items: { type: 'object' } });
const anyObject = ok({ type: 'object' });

export const ksqlPaths: Json = {
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
      parameters: cutOptions,
      body: ref('KsqlRequest'),
      responses: { 200: queryResponse },
    }),
  },
  '/query-stream': {
    post: operation({
      summary: 'run one SELECT',
      tag: 'ksqlDB',
      parameters: cutOptions,
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
  '/status/{command}': {
    get: operation({
      summary: 'status of a command',
      tag: 'ksqlDB',
      parameters: [command],
      responses: { 200: anyObject },
    }),
  },
  '/clusterStatus': {
    get: operation({ summary: 'always 404: one process is no cluster', tag: 'ksqlDB', responses: {} }),
  },
  '/ksql/terminate': {
    post: operation({ summary: 'always refused: nothing is deleted by this call', tag: 'ksqlDB', responses: {} }),
  },
  '/v1/metadata': {
    get: operation({ summary: 'version and id of the server', tag: 'ksqlDB', responses: { 200: anyObject } }),
  },
  '/v1/metadata/id': {
    get: operation({ summary: 'id of the server', tag: 'ksqlDB', responses: { 200: anyObject } }),
  },
  '/chc/live': { get: operation({ summary: 'the process works', tag: 'ksqlDB', responses: { 200: anyObject } }) },
  '/chc/ready': { get: operation({ summary: 'requests are answered', tag: 'ksqlDB', responses: { 200: anyObject } }) },
  '/is_valid_property/{name}': {
    get: operation({
      summary: 'whether a request property is known',
      tag: 'ksqlDB',
      parameters: [parameter('path', 'name', text, 'name of the property')],
      responses: { 200: ok(bool) },
    }),
  },
};

const plugin = parameter('path', 'plugin', text, 'class of the connector');
const configBody: Json = { type: 'object', additionalProperties: text };

function connectCall(
  summary: string,
  responses: Readonly<Record<string, Json>>,
  body?: Json,
  parameters: readonly Json[] = [connector],
): Json {
  return operation({
    summary,
    tag: 'Kafka Connect',
    parameters,
    responses,
    ...(body === undefined ? {} : { body }),
  });
}

const done = { description: 'done' };
const connectOwn: Readonly<Record<string, Json>> = {
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
    delete: connectCall('delete a connector', { 204: done }, undefined, [
      connector,
      parameter(
        'query',
        'topics',
        bool,
        'also drop its tables with their topics: made again, it begins with a snapshot',
      ),
      parameter('query', 'cascade', bool, 'with topics: also drop what is derived from its tables'),
      parameter('query', 'uninstall', bool, 'also take away what it has added to its source'),
    ]),
  },
  '/connectors/{connector}/config': {
    get: connectCall('its configuration', { 200: ok(configBody) }),
    put: connectCall('create or change it', { 200: ok(ref('Connector')), 201: ok(ref('Connector')) }, configBody),
    patch: connectCall(
      'change some properties; null takes one away',
      { 200: ok(ref('Connector')) },
      {
        type: 'object',
        additionalProperties: { type: ['string', 'null'] },
      },
    ),
  },
  '/connectors/{connector}/status': { get: connectCall('its state and what the source does', { 200: anyObject }) },
  '/connectors/{connector}/tasks': { get: connectCall('its tasks', { 200: entityList }) },
  '/connectors/{connector}/tasks-config': { get: connectCall('settings of its tasks', { 200: anyObject }) },
  '/connectors/{connector}/tasks/{task}/status': {
    get: connectCall('state of a task', { 200: anyObject }, undefined, [connector, task]),
  },
  '/connectors/{connector}/tasks/{task}/restart': {
    post: connectCall('restart a task', { 204: done }, undefined, [connector, task]),
  },
  '/connectors/{connector}/doctor': {
    get: connectCall('what is wrong or risky with its source, each with the statement that repairs it', {
      200: anyObject,
    }),
  },
  '/connectors/{connector}/verify': {
    get: connectCall('how far its newest verification is, and what it has found', { 200: anyObject }),
    post: connectCall(
      'begin to compare tables with their source: {"tables": ["db.t"], "repair": true, "rowsPerSecond": 1000}, none of which has to be given',
      { 202: anyObject },
    ),
  },
  '/connectors/{connector}/snapshot': {
    post: connectCall(
      'read tables of its source again, in place and beside the stream; answered when that is durable',
      { 202: ok(ref('SnapshotAnswer')) },
      ref('SnapshotRequest'),
    ),
  },
  '/connectors/{connector}/topics/reset': {
    put: connectCall('nothing: its topics are those of the tables that it captures', { 202: done }),
  },
  '/connectors/{connector}/topics': { get: connectCall('the topics that it writes', { 200: anyObject }) },
  '/connectors/{connector}/offsets': {
    get: connectCall('its position in the source', { 200: ok(ref('ConnectorOffsets')) }),
    delete: connectCall(
      'give the position of a stopped connector up: at its next start everything is read again in place',
      { 200: anyObject },
      undefined,
      [connector, parameter('query', 'topics', bool, 'true: drops its tables with their topics instead')],
    ),
    patch: connectCall(
      'have a stopped connector go on somewhere else; every table is read again in place there, so that no row is wrong for changes that are left out or told twice',
      { 200: anyObject },
      ref('ConnectorOffsets'),
    ),
  },
  '/connectors/{connector}/pause': { put: connectCall('pause it', { 202: done }) },
  '/connectors/{connector}/resume': { put: connectCall('resume it', { 202: done }) },
  '/connectors/{connector}/stop': { put: connectCall('stop it', { 204: done }) },
  '/connectors/{connector}/restart': {
    post: connectCall('restart it', { 202: anyObject, 204: done }, undefined, [
      connector,
      parameter('query', 'includeTasks', bool, 'true: answered with its state; its task is restarted in any case'),
      parameter('query', 'onlyFailed', bool, 'true: only where it has failed'),
    ]),
  },
  '/admin/loggers': {
    get: operation({
      summary: 'loggers with a level of their own',
      tag: 'Kafka Connect',
      responses: { 200: anyObject },
    }),
  },
  '/admin/loggers/{logger}': {
    get: operation({
      summary: 'the level that holds for a logger',
      tag: 'Kafka Connect',
      parameters: [logger],
      responses: { 200: anyObject },
    }),
    put: operation({
      summary: 'change which of its lines are written, until the process ends',
      tag: 'Kafka Connect',
      parameters: [
        logger,
        parameter('query', 'scope', { type: 'string', enum: ['worker', 'cluster'] }, 'both are this process'),
      ],
      body: { type: 'object', properties: { level: text }, required: ['level'] },
      responses: { 200: ok({ type: 'array', items: text }), 204: done },
    }),
  },
  '/health': {
    get: operation({
      summary: 'health of the worker',
      tag: 'Kafka Connect',
      responses: { 200: anyObject, 503: anyObject },
    }),
  },
  '/connector-plugins': {
    get: operation({
      summary: 'connector classes',
      tag: 'Kafka Connect',
      parameters: [parameter('query', 'connectorsOnly', bool, 'false: converters, transforms and predicates, too')],
      responses: { 200: entityList },
    }),
  },
  '/connector-plugins/{plugin}/config': {
    get: connectCall('settings of a connector class', { 200: entityList }, undefined, [plugin]),
  },
  '/connector-plugins/{plugin}/config/validate': {
    put: operation({
      summary: 'check a configuration',
      tag: 'Kafka Connect',
      parameters: [plugin],
      body: configBody,
      responses: { 200: anyObject },
    }),
  },
};

/** Workers of Kafka Connect pass requests on to one another, and say so. */
const forward = indifferent('forward', bool, 'there is one worker');

export const connectPaths: Json = Object.fromEntries(
  Object.entries(connectOwn).map(([path, methods]) => [
    path,
    Object.fromEntries(
      (Object.entries(methods) as [string, { parameters?: readonly Json[] }][]).map(([method, call]) => [
        method,
        method === 'get' ? call : { ...call, parameters: [...(call.parameters ?? []), forward] },
      ]),
    ),
  ]),
);
