// The JSON Schemas of bodies that /openapi.json refers to.
import { standings } from '../core/freshness.js';
type Json = Readonly<Record<string, unknown>>;

const text: Json = { type: 'string' };
const whole: Json = { type: 'integer', minimum: 0 };
const limit: Json = { type: 'integer', minimum: -1, description: '-1: without limit' };
const list = (items: Json): Json => ({ type: 'array', items });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

function object(
  properties: Readonly<Record<string, Json>>,
  required: readonly string[] = Object.keys(properties),
): Json {
  return { type: 'object', properties, required };
}

function withOptional(name: string, properties: Readonly<Record<string, Json>>): Json {
  return object(
    properties,
    Object.keys(properties).filter((key) => key !== name),
  );
}

const row: Json = {
  type: 'object',
  description:
    'columns by name; BIGINT (format int64) and DECIMAL (format decimal) as strings unless ?numbers=literals',
};

export const openApiSchemas: Json = {
  Problem: object(
    {
      type: { type: 'string', format: 'uri-reference' },
      title: text,
      status: whole,
      code: text,
      detail: text,
      hint: text,
      place: { type: 'object', properties: { file: text, line: whole, column: whole, path: text } },
    },
    ['type', 'title', 'status', 'code', 'detail'],
  ),
  KsqlError: object({ '@type': text, error_code: whole, message: text, statementText: text }, [
    '@type',
    'error_code',
    'message',
  ]),
  ConnectError: object({ error_code: whole, message: text }),
  Row: row,
  Rows: object(
    { rows: list(ref('Row')), next: { type: ['string', 'null'], description: '`after` of the next page' } },
    ['rows'],
  ),
  Table: object({
    name: text,
    rowCount: whole,
    visible: { type: 'boolean', description: 'false while its first snapshot runs' },
    stoppedAt: { ...text, description: 'only of a table that stands still: the version that its rows are of' },
    columns: list(object({ name: text, type: text, key: { type: 'boolean' } })),
    keyColumns: list(text),
  }),
  Tables: object({ tables: list(ref('Table')) }),
  Change: object(
    {
      id: text,
      op: { type: 'string', enum: ['c', 'u', 'd', 'r', 'rebuilt', 'schema', 'caught-up', 'behind', 'stopped'] },
      key: {},
      before: { type: ['object', 'null'] },
      after: { type: ['object', 'null'] },
      commitTime: {},
      columns: {
        ...list(object({ name: text, type: text, key: { type: 'boolean' } })),
        description: 'of `schema`: the columns that the table has from here on',
      },
      version: { ...text, description: 'of `stopped`: nothing newer comes, and the rows are of this version' },
      cause: {
        type: 'string',
        enum: standings,
        description:
          'of `behind` and `stopped`: how the source of the table stands; absent where the table itself stands still',
      },
      lagMs: { ...whole, description: 'of `behind` and `stopped`: how old the rows may be at most, in ms' },
    },
    ['id', 'op'],
  ),
  ReadRequest: object(
    {
      reads: { ...list(object({ table: text, key: text, limit: whole, after: text }, ['table'])), minItems: 1 },
      atLeast: text,
      waitMs: whole,
      stale: { type: 'string', enum: ['ok'] },
      numbers: { type: 'string', enum: ['strings', 'literals'] },
      position: { type: 'string', enum: ['token', 'full'] },
    },
    ['reads'],
  ),
  ReadAnswer: object({ results: list(ref('Rows')) }),
  Rebuild: object(
    {
      table: text,
      state: { type: 'string', enum: ['building', 'catching-up', 'swapping', 'done', 'failed'] },
      rows: whole,
      seq: whole,
      headSeq: whole,
      rowsPerSecond: { type: 'number' },
      etaSeconds: { type: ['number', 'null'] },
      pauseMs: { type: 'number' },
      error: text,
      code: text,
      hint: text,
    },
    ['table', 'state', 'rows', 'seq', 'headSeq', 'rowsPerSecond', 'etaSeconds'],
  ),
  Rebuilds: object({ rebuilds: list(ref('Rebuild')) }),
  Topics: object({
    topics: list(
      object({
        name: text,
        cleanupPolicy: text,
        retentionMs: limit,
        retentionBytes: limit,
        partitions: list(object({ partition: whole, start: text, end: text })),
      }),
    ),
  }),
  TopicConfig: object({
    kind: text,
    metadata: object({ self: text }),
    cluster_id: text,
    topic_name: text,
    name: { type: 'string', enum: ['cleanup.policy', 'retention.ms', 'retention.bytes'] },
    value: text,
    is_default: { type: 'boolean' },
    is_read_only: { type: 'boolean' },
    is_sensitive: { type: 'boolean' },
    source: text,
    synonyms: list({ type: 'object' }),
  }),
  TopicConfigs: object({
    kind: text,
    metadata: object({ self: text, next: { type: 'null' } }),
    data: list(ref('TopicConfig')),
  }),
  Records: object({
    records: list(
      object(
        {
          offset: text,
          timestamp: whole,
          key: { type: ['string', 'null'] },
          keyEncoding: { type: 'string', enum: ['base64'] },
          value: { type: ['string', 'null'] },
          valueEncoding: { type: 'string', enum: ['base64'] },
          headers: { type: 'object', additionalProperties: text },
        },
        ['offset', 'timestamp', 'key', 'value', 'headers'],
      ),
    ),
    nextOffset: text,
    endOffset: text,
  }),
  Status: withOptional('outbox', {
    role: { type: 'string', enum: ['leader', 'follower'] },
    leader: { type: ['string', 'null'], description: 'address of the process that takes changes' },
    serviceVersion: text,
    uptimeSeconds: { type: 'number' },
    state: { type: 'string', enum: ['starting', 'running', 'degraded', 'stopping'] },
    reasons: list(text),
    version: text,
    lagMs: whole,
    stale: { type: 'string', enum: standings },
    position: text,
    positions: { type: 'object', additionalProperties: text },
    connectors: list({ type: 'object' }),
    tables: list(
      object(
        {
          name: text,
          rows: whole,
          visible: { type: 'boolean' },
          lagMs: { ...whole, description: 'how old its rows may be at most' },
          standing: { type: 'string', enum: standings, description: 'how the sources behind it stand' },
          containsUpTo: { ...text, description: 'the same age as a time of our clock' },
          reason: { ...text, description: 'why nothing newer comes, in words' },
        },
        ['name', 'rows', 'visible', 'lagMs', 'standing', 'containsUpTo'],
      ),
    ),
    queries: list({ type: 'object' }),
    rebuilds: list(ref('Rebuild')),
    outbox: object({ entries: whole, bytes: whole, bytesMax: whole, full: { type: 'boolean' }, ageMs: whole }),
    memory: object({ rssBytes: { type: ['integer', 'null'] }, heapBytes: whole, dataBytes: whole }),
  }),
  KsqlRequest: object(
    {
      ksql: text,
      streamsProperties: { type: 'object' },
      sessionVariables: { type: 'object', additionalProperties: text },
    },
    ['ksql'],
  ),
  QueryStreamRequest: object(
    { sql: text, properties: { type: 'object' }, sessionVariables: { type: 'object', additionalProperties: text } },
    ['sql'],
  ),
  CloseQueryRequest: object({ queryId: text }),
  ConnectorCreate: object(
    {
      name: text,
      config: { type: 'object', additionalProperties: text },
      initial_state: { type: 'string', enum: ['RUNNING', 'PAUSED', 'STOPPED'] },
      initial_offsets: { type: 'array', items: ref('ConnectorOffset'), description: 'where it begins' },
    },
    ['name', 'config'],
  ),
  SnapshotRequest: object({
    tables: {
      type: 'array',
      items: text,
      description: '`database.table`, a table alone, or regular expressions over whole names; none: all tables',
    },
    where: { ...text, description: 'only rows that meet it, in SQL of the source' },
  }),
  ConnectorOffset: object(
    {
      partition: { type: 'object', description: '{"server": topic.prefix}' },
      offset: {
        type: ['object', 'null'],
        description:
          'as it is shown, or as Debezium keeps it: {"gtids": ...}, {"file": ..., "pos": ...}; null: it is given up',
      },
    },
    ['partition', 'offset'],
  ),
  ConnectorOffsets: object({ offsets: { type: 'array', items: ref('ConnectorOffset') } }, ['offsets']),
  SnapshotAnswer: object({
    name: text,
    tables: { type: 'array', items: text, description: '`database.table` of each that is read again' },
  }),
  Connector: object({
    name: text,
    config: { type: 'object', additionalProperties: text },
    tasks: list(object({ connector: text, task: whole })),
    type: { type: 'string', enum: ['source'] },
  }),
  SchemaBody: object(
    {
      schema: text,
      schemaType: { type: 'string', enum: ['AVRO', 'JSON', 'PROTOBUF'] },
      references: list(object({ name: text, subject: text, version: { type: 'integer', minimum: -1 } })),
      id: { type: 'integer', description: 'in mode IMPORT: what it gets' },
      version: { type: 'integer', description: 'in mode IMPORT: what it gets; else the next one' },
    },
    ['schema'],
  ),
  RegistryMode: object({
    mode: { type: 'string', enum: ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT'] },
  }),
  RegisteredSchema: object({ subject: text, version: whole, id: whole, schemaType: text, schema: text }, [
    'subject',
    'version',
    'id',
    'schema',
  ]),
  Compatibility: object({
    compatibility: {
      type: 'string',
      enum: ['NONE', 'BACKWARD', 'BACKWARD_TRANSITIVE', 'FORWARD', 'FORWARD_TRANSITIVE', 'FULL', 'FULL_TRANSITIVE'],
    },
  }),
};
