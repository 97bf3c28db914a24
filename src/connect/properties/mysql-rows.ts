// Of MySQL and MariaDB: snapshots, which columns and values a record has, and the topics beside those of the rows.
import { family, group, long, patterns, truth, whole, type PropertyDef, type PropertyFamily } from './property.js';

const snapshot = group('Snapshot');
const output = group('Output');
const types = group('Types');

const noLocks = 'the snapshot takes no locks';
const wholeTable = 'each thread reads whole tables, so that the rows of one come in the order of their keys';
const wholeTables = 'a snapshot reads all captured tables whole';
const ownClass = 'classes of Java are not loaded';
const asNoData = 'there is no schema history to recover: taken as no_data, so the connector goes on at its position';
const missingRows = 'the tables here would lack rows';

export const mysqlRowProperties: readonly PropertyDef[] = [
  snapshot.implemented('snapshot.mode', 'what to do first', {
    values: ['initial', 'initial_only', 'when_needed', 'never', 'no_data', 'schema_only'],
    spellings: { recovery: 'no_data', schema_only_recovery: 'no_data' },
    notedValues: { recovery: asNoData, schema_only_recovery: asNoData },
    refusedValues: {
      always: 'a snapshot is read once, and goes on where it was; set "initial"',
      configuration_based: 'set the mode that does what the five settings say',
      custom: ownClass,
    },
    default: 'initial',
  }),
  snapshot.implemented('snapshot.fetch.size', 'rows per chunk', { ...whole, min: 1, max: 1_000_000 }),
  snapshot.accepted('snapshot.locking.mode', noLocks, {
    values: [
      'minimal',
      'minimal_at_least_once',
      'minimal_percona',
      'minimal_percona_no_table_locks',
      'extended',
      'none',
    ],
    refusedValues: { custom: ownClass },
  }),
  snapshot.accepted('snapshot.lock.timeout.ms', noLocks, long),
  snapshot.accepted('snapshot.new.tables', 'a table that is created later is read, and captured from then on', {
    values: ['off', 'parallel'],
  }),
  snapshot.implemented(
    'snapshot.max.threads',
    'how many tables a first snapshot reads at once, each on a connection of its own (fewer where the server admits no more); tables that follow others by foreign keys are read from one view, and those of a server without GTIDs behind each other',
    { ...whole, min: 1, max: 256, default: '4' },
  ),
  snapshot.accepted('snapshot.max.threads.multiplier', wholeTable, whole),
  snapshot.accepted('legacy.snapshot.max.threads', wholeTable, truth),
  snapshot.accepted('snapshot.delay.ms', 'the snapshot begins at once', long),
  snapshot.accepted('snapshot.tables.order.by.row.count', 'the tables of a snapshot become visible together', {
    values: ['disabled', 'ascending', 'descending'],
  }),
  snapshot.refused('snapshot.include.collection.list', wholeTables, [''], {
    way: 'make a second connector with snapshot.mode "no_data" for the tables that need no rows from before',
  }),
  snapshot.refused('snapshot.select.statement.overrides', wholeTables, [''], {
    way: 'leave rows out by a query: CREATE TABLE ... AS SELECT ... WHERE',
  }),
  snapshot.refused('snapshot.query.mode', wholeTables, ['select_all']),
  output.implemented('skipped.operations', 'TRUNCATE is always followed: it deletes the rows here, too', {
    type: 'LIST',
    values: ['t', 'none'],
    refusedValues: { c: missingRows, u: missingRows, d: 'the tables here would keep rows that are gone' },
    notedValues: {
      t: 'TRUNCATE deletes the rows here, one by one',
      none: 'TRUNCATE is a delete of each row, and no event `t`: a record without a key is none of a compacted topic. The statement is on the topic of include.schema.changes',
    },
  }),
  output.implemented(
    'provide.transaction.metadata',
    'a topic of transactions with the number of their events, and the place of each event in its envelope',
    { ...truth, default: 'false' },
  ),
  output.implemented('topic.transaction', 'last part of the name of that topic; "transaction" by default', {
    ofTopics: true,
  }),
  output.implemented('transaction.topic', 'whole name of that topic, as Debezium 1.x has it', { ofTopics: true }),
  output.refused('transaction.metadata.factory', ownClass, [
    'io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory',
  ]),
  output.implemented(
    'include.schema.changes',
    "a topic of the statements that change captured tables and their databases, named by topic.prefix. The default is `true` with Debezium's own classes where values are envelopes, else `false`",
    truth,
  ),
  output.implemented(
    'include.query',
    'the text of statements in envelopes, as far as the server logs it (binlog_rows_query_log_events, MariaDB: binlog_annotate_row_events)',
    { ...truth, default: 'false' },
  ),
  output.implemented(
    'skip.messages.without.change',
    'of envelopes: an update that changes no captured column is no record',
    {
      ...truth,
      default: 'false',
    },
  ),
  output.implemented(
    'message.key.columns',
    'other keys than the primary keys: `database.table:column,column;...`, regular expressions for whole names; a key holds the whole primary key and columns beside it that are NOT NULL, else rows would overwrite one another, and the table is refused',
  ),
  output.refused('json.output.decimal.format', 'decimals are written as number text with their scale', ['NUMERIC'], {
    values: ['BASE64', 'NUMERIC'],
  }),
  output.refused('topic.naming.strategy', ownClass, [
    'io.debezium.schema.SchemaTopicNamingStrategy',
    'io.debezium.schema.DefaultTopicNamingStrategy',
  ]),
  output.refused('topic.delimiter', 'a dot stands between the parts of a topic name', ['.'], {
    way: 'leave it out, and rename the topics by the transform RegexRouter',
  }),
  output.accepted('topic.cache.size', 'the name of a topic is made once', whole),
  output.refused('schema.name.adjustment.mode', 'schemas are named as Avro allows', ['none', 'avro'], {
    values: ['none', 'avro', 'avro_unicode'],
  }),
  output.refused('field.name.adjustment.mode', 'fields are named as columns, in AVRO as it allows', ['none'], {
    values: ['none', 'avro', 'avro_unicode'],
    way: 'leave it out, or rename fields by the transform ReplaceField',
  }),
  output.refused('sanitize.field.names', 'fields are named as columns, in AVRO as it allows', ['false'], {
    ...truth,
    way: 'leave it out, or rename fields by the transform ReplaceField',
  }),
  output.accepted('unavailable.value.placeholder', 'a row image is whole, or the connector stops'),
  output.refused('extended.headers.enabled', 'no headers tell connector and task', ['false'], truth),
  output.refused('converters', ownClass, [''], {
    type: 'LIST',
    way: 'use transforms, or a query: CREATE TABLE ... AS SELECT',
  }),
  output.refused('post.processors', ownClass, [''], { type: 'LIST' }),
  output.refused('column.include.list', 'columns are named by what is left out', [''], {
    ...patterns,
    aliases: ['column.whitelist'],
    way: 'name the other columns in column.exclude.list, where `(?!...)` excludes',
  }),
  types.implemented(
    'zero.date.handling.mode',
    'of 0000-00-00 and dates that are no day: stop aloud, NULL, or dates as text',
    {
      values: ['stop', 'null', 'text'],
      default: 'stop',
    },
  ),
  types.implemented(
    'time.range.handling.mode',
    'of TIME below 0 and from 24 hours on: exact as a number, stop aloud, NULL, or TIME as text',
    {
      values: ['exact', 'stop', 'null', 'text'],
      default: 'exact',
    },
  ),
  types.implemented('geometry.handling.mode', 'struct: {wkb, srid}, as Debezium has it; geojson: text', {
    values: ['struct', 'geojson'],
    default: 'struct',
  }),
  types.implemented('decimal.handling.mode', 'of DECIMAL; double is inexact', {
    values: ['precise', 'double', 'string'],
    default: 'precise',
  }),
  types.implemented('binary.handling.mode', 'of BINARY, VARBINARY and BLOB; BIT stays bytes', {
    values: ['bytes', 'base64', 'base64-url-safe', 'hex'],
    default: 'bytes',
  }),
  types.implemented(
    'time.precision.mode',
    'unit of TIME, DATETIME and TIMESTAMP in records: adaptive, as precise as the column; adaptive_time_microseconds, the same, and TIME always microseconds; connect cuts off microseconds. With the classes of Debezium, MySqlCdcSourceV2 and MariaDbCdcSource the default is `adaptive_time_microseconds`, and TIMESTAMP is text in UTC in every mode (`io.debezium.time.ZonedTimestamp`); else it is `adaptive`',
    {
      values: ['adaptive', 'adaptive_time_microseconds', 'connect', 'microseconds'],
      refusedValues: {
        isostring: 'times are numbers; a query prints them: FORMAT_TIMESTAMP',
        nanoseconds: 'no source has nanoseconds',
        structured: 'rows are flat',
      },
    },
  ),
  types.implemented('bigint.unsigned.handling.mode', 'of BIGINT UNSIGNED; long makes values from 2^63 on negative', {
    values: ['long', 'precise'],
    default: 'precise',
  }),
];

const sourceTypes = 'schemas carry no types of the source';
export const mysqlRowFamilies: readonly PropertyFamily[] = [
  family('snapshot.mode.configuration.based.*', 'refused', 'snapshot.mode "configuration_based" is not covered'),
  family('snapshot.*.custom.name', 'refused', ownClass),
  family('snapshot.select.statement.overrides.*', 'refused', wholeTables, {
    way: 'leave rows out by a query: CREATE TABLE ... AS SELECT ... WHERE',
  }),
  family(
    'column.mask.hash.*',
    'implemented',
    'text of these columns as its hash: column.mask.hash.ALGORITHM.with.salt.SALT, or column.mask.hash.v2. and so on; MD5, SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512; whole, whatever the length of the column',
  ),
  family(
    'column.mask.with.*.chars',
    'implemented',
    'so many asterisks instead of the text of these columns, and instead of NULL',
  ),
  family('column.truncate.to.*.chars', 'implemented', 'text of these columns is cut to so many characters'),
  family('column.propagate.source.type', 'refused', sourceTypes),
  family('datatype.propagate.source.type', 'refused', sourceTypes),
];
