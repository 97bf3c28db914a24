// Every connector property that Debezium's and Confluent's MySQL, MariaDB and our SQLite connectors know, in one table: what it
// is here (used, accepted with the reason why it needs nothing here, or refused with the reason), its default and its aliases.
// Validation, the answer of .../config/validate and the manual come from it. Sources: Debezium's MySQL connector reference and
// Confluent's managed connector property lists (v1 and V2).
import {
  defaultCleanup,
  groupNames,
  groupsProperty,
  retentionBytesDoc,
  retentionMsDoc,
  topicPrefix,
} from './topic-creation.js';

export type PropertyUse =
  /** Read by the connector or by connect. */
  | 'used'
  /** Valid and without effect here; `note` says why it is not needed. */
  | 'accepted'
  /** An error when set to anything but one of `harmless`. */
  | 'refused';

export interface PropertyDef {
  readonly name: string;
  readonly type: 'STRING' | 'INT' | 'LONG' | 'BOOLEAN' | 'LIST' | 'PASSWORD';
  readonly use: PropertyUse;
  readonly default?: string;
  readonly required?: boolean;
  readonly values?: readonly string[];
  /** Of a number. */
  readonly min?: number;
  /** For refused properties: values that ask for nothing we do not do. */
  readonly harmless?: readonly string[];
  readonly aliases?: readonly string[];
  readonly group: string;
  readonly doc: string;
}

type Rest = Partial<Omit<PropertyDef, 'name' | 'use' | 'group' | 'doc'>>;
const used = (group: string, name: string, doc: string, rest: Rest = {}): PropertyDef => ({
  type: 'STRING',
  ...rest,
  name,
  use: 'used',
  group,
  doc,
});
const accepted = (group: string, name: string, doc: string, rest: Rest = {}): PropertyDef => ({
  type: 'STRING',
  ...rest,
  name,
  use: 'accepted',
  group,
  doc,
});
const refused = (
  group: string,
  name: string,
  doc: string,
  harmless: readonly string[],
  rest: Rest = {},
): PropertyDef => ({
  type: 'STRING',
  ...rest,
  name,
  use: 'refused',
  harmless,
  group,
  doc,
});

const common: readonly PropertyDef[] = [
  used('Connector', 'name', 'name of the connector', { required: true }),
  used('Connector', 'connector.class', 'the plug-in', { required: true }),
  accepted('Connector', 'tasks.max', 'a source here is one task, as in Debezium', { type: 'INT', default: '1' }),
  used('Output', 'topic.prefix', 'first part of every topic name', { aliases: ['database.server.name'] }),
  used('Output', 'output.data.format', 'format of values', { values: ['JSON', 'AVRO'], default: 'JSON' }),
  used('Output', 'output.key.format', 'format of keys', { values: ['JSON', 'AVRO'] }),
  used('Output', 'after.state.only', 'flat rows with `__deleted` instead of the envelope', {
    type: 'BOOLEAN',
    values: ['true', 'false'],
  }),
  used('Output', 'output.shape', 'flat: the row as it is, a delete only a tombstone; overrides after.state.only', {
    values: ['flat', 'flat-with-deleted'],
  }),
  used('Output', 'output.key.shape', 'bare: one key column stands alone; object: always {"column": value}', {
    values: ['bare', 'object'],
  }),
  used('Output', 'topic.partitions', 'partitions of a new topic', {
    type: 'INT',
    min: 1,
    default: '1',
    aliases: ['topic.creation.default.partitions'],
  }),
  used('Output', 'table.create', 'make each captured table queryable; else only its topic is written', {
    type: 'BOOLEAN',
    values: ['true', 'false'],
    default: 'true',
  }),
  used('Output', 'cleanup.policy', 'of a new topic', {
    values: ['compact', 'delete'],
    default: defaultCleanup,
    aliases: ['topic.creation.default.cleanup.policy'],
  }),
  used('Output', 'topic.creation.default.retention.ms', retentionMsDoc, { type: 'LONG', min: -1 }),
  used('Output', 'topic.creation.default.retention.bytes', retentionBytesDoc, { type: 'LONG', min: -1 }),
  used(
    'Output',
    groupsProperty,
    'groups of topics with settings of their own: topic.creation.GROUP.include, exclude, partitions, cleanup.policy, retention.ms, retention.bytes',
    { type: 'LIST' },
  ),
  accepted('Output', 'topic.creation.default.replication.factor', 'the broker default is used', { type: 'INT' }),
  refused(
    'Output',
    'tombstones.on.delete',
    'without tombstones a compacted topic keeps deleted rows for ever',
    ['true'],
    { type: 'BOOLEAN' },
  ),
  accepted('Kafka', 'kafka.auth.mode', 'the stream of the process carries its own credentials'),
  accepted(
    'Kafka',
    'kafka.api.key',
    'used by the managed service; the stream of the process carries its own credentials',
  ),
  accepted('Kafka', 'kafka.api.secret', 'as kafka.api.key', { type: 'PASSWORD' }),
  accepted('Kafka', 'kafka.service.account.id', 'as kafka.api.key'),
  used('Filters', 'table.include.list', 'anchored regular expressions over `database.table`', {
    type: 'LIST',
    aliases: ['table.whitelist', 'table.includelist'],
  }),
  used('Filters', 'table.exclude.list', 'anchored regular expressions over `database.table`', {
    type: 'LIST',
    aliases: ['table.blacklist'],
  }),
  used('Filters', 'column.exclude.list', 'anchored regular expressions over `database.table.column`', {
    type: 'LIST',
    aliases: ['column.blacklist'],
  }),
  used('Snapshot', 'snapshot.mode', 'what to do first', {
    values: [
      'initial',
      'initial_only',
      'when_needed',
      'never',
      'no_data',
      'schema_only',
      'always',
      'recovery',
      'schema_only_recovery',
    ],
    default: 'initial',
  }),
  used('Snapshot', 'snapshot.fetch.size', 'rows per chunk', { type: 'INT' }),
  accepted('Limits', 'max.batch.size', 'chunks are bounded in bytes', { type: 'INT' }),
  accepted('Limits', 'max.queue.size', 'queues are bounded in bytes', { type: 'INT' }),
  accepted('Limits', 'max.queue.size.in.bytes', 'queues are bounded in bytes', { type: 'LONG' }),
  accepted('Failures', 'errors.tolerance', 'a bad value stops the task with its column named', {
    values: ['none', 'all'],
  }),
  accepted('Failures', 'errors.max.retries', 'lost connections are retried for ever', { type: 'INT' }),
  accepted('Failures', 'auto.restart.on.user.error', 'failed tasks are restarted where it can help', {
    type: 'BOOLEAN',
  }),
  refused('Failures', 'event.processing.failure.handling.mode', 'a row is never skipped in silence', ['fail'], {
    values: ['fail', 'warn', 'skip', 'ignore'],
  }),
  accepted('Failures', 'event.deserialization.failure.handling.mode', 'fail is the only mode'),
  refused('Failures', 'inconsistent.schema.handling.mode', 'a row is never skipped in silence', ['fail'], {
    values: ['fail', 'warn', 'skip'],
  }),
  refused('Failures', 'event.converting.failure.handling.mode', 'a value is never replaced by NULL', ['fail'], {
    values: ['fail', 'warn', 'skip'],
  }),
];

const mysql: readonly PropertyDef[] = [
  used('Source', 'database.hostname', 'host of the server', { required: true }),
  used('Source', 'database.port', 'port of the server', { type: 'INT', default: '3306' }),
  used('Source', 'database.user', 'user with REPLICATION SLAVE, REPLICATION CLIENT and SELECT', { required: true }),
  used('Source', 'database.password', 'its password', { type: 'PASSWORD', default: '' }),
  used('Source', 'database.ssl.mode', 'encryption of the connection', {
    values: ['disabled', 'preferred', 'required', 'verify_ca', 'verify_identity'],
    default: 'preferred',
  }),
  used('Source', 'database.server.id', 'our id as a replica; random by default', { type: 'LONG' }),
  used('Source', 'connect.timeout.ms', 'to connect and log in, and for short questions', {
    type: 'INT',
    default: '30000',
  }),
  used('Source', 'database.query.timeout.ms', 'for a statement that reads or waits; 0: no limit', {
    type: 'INT',
    default: '600000',
  }),
  accepted('Source', 'connect.keep.alive', 'heartbeats watch the connection', { type: 'BOOLEAN' }),
  accepted('Source', 'connect.keep.alive.interval.ms', 'heartbeats watch the connection', { type: 'INT' }),
  accepted('Source', 'database.connectionTimeZone', 'times are read as UTC on both paths'),
  used('Filters', 'database.include.list', 'anchored regular expressions over databases', {
    type: 'LIST',
    aliases: ['database.whitelist'],
  }),
  used('Filters', 'database.exclude.list', 'anchored regular expressions over databases', {
    type: 'LIST',
    aliases: ['database.blacklist'],
  }),
  accepted('Snapshot', 'snapshot.locking.mode', 'the snapshot takes no locks', {
    values: ['minimal', 'minimal_percona', 'extended', 'none', 'custom'],
  }),
  accepted('Snapshot', 'snapshot.max.threads', 'one thread reads the snapshot', { type: 'INT' }),
  accepted('Snapshot', 'signal.data.collection', 'signals come over HTTP'),
  accepted('Reading', 'poll.interval.ms', 'changes are passed on at once', { type: 'INT' }),
  accepted('Reading', 'streaming.delay.ms', 'streaming starts at once', { type: 'INT' }),
  refused(
    'Reading',
    'heartbeat.interval.ms',
    'positions move without heartbeats; a heartbeat topic does not exist yet',
    ['0'],
    { type: 'INT' },
  ),
  refused('Output', 'provide.transaction.metadata', 'the transaction topic does not exist yet', ['false'], {
    type: 'BOOLEAN',
  }),
  refused('Output', 'include.schema.changes', 'the schema change topic does not exist yet', ['false'], {
    type: 'BOOLEAN',
  }),
  refused('Output', 'include.query', 'SQL text is not captured yet', ['false'], { type: 'BOOLEAN' }),
  refused('Output', 'skip.messages.without.change', 'no-op updates are kept yet', ['false'], { type: 'BOOLEAN' }),
  refused('Output', 'message.key.columns', 'keys are primary keys yet', [''], { type: 'LIST' }),
  refused('Output', 'json.output.decimal.format', 'decimals are written as number text with their scale', ['NUMERIC'], {
    values: ['BASE64', 'NUMERIC'],
  }),
  refused('Types', 'decimal.handling.mode', 'decimals are exact', ['precise'], {
    values: ['precise', 'double', 'string'],
  }),
  refused('Types', 'binary.handling.mode', 'bytes stay bytes', ['bytes'], {
    values: ['bytes', 'base64', 'base64-url-safe', 'hex'],
  }),
  refused(
    'Types',
    'time.precision.mode',
    'times keep the precision of their column',
    ['adaptive_time_microseconds', 'adaptive'],
    {
      values: ['adaptive', 'adaptive_time_microseconds', 'connect', 'isostring', 'microseconds', 'nanoseconds'],
    },
  ),
  refused('Types', 'bigint.unsigned.handling.mode', 'BIGINT UNSIGNED is exact', ['precise'], {
    values: ['long', 'precise'],
  }),
  accepted('Types', 'enable.time.adjuster', 'the server has completed two-digit years already', { type: 'BOOLEAN' }),
  accepted(
    'History',
    'database.history.skip.unparseable.ddl',
    'there is no schema history: the binlog describes itself',
    { type: 'BOOLEAN' },
  ),
  accepted(
    'History',
    'database.history.store.only.captured.tables.ddl',
    'there is no schema history: the binlog describes itself',
    { type: 'BOOLEAN' },
  ),
];

/** Families that are valid under any name behind the prefix. */
export const acceptedPrefixes: readonly { readonly prefix: string; readonly doc: string }[] = [
  { prefix: 'schema.history.internal.', doc: 'there is no schema history: the binlog describes itself' },
  { prefix: 'database.history.', doc: 'there is no schema history: the binlog describes itself' },
];

const sqlite: readonly PropertyDef[] = [
  used('Source', 'database.file', 'path of the SQLite file', { required: true }),
  used('Source', 'poll.interval.ms', 'longest pause between two looks at an idle file', {
    type: 'INT',
    default: '250',
  }),
  used('Source', 'sqlite.journal.mode.wal', 'switch the file to WAL mode when it is not', {
    type: 'BOOLEAN',
    values: ['true', 'false'],
    default: 'false',
  }),
  used(
    'Source',
    'sqlite.type.mismatch',
    'a value that does not fit its column: stop aloud, or declare the column as text',
    { values: ['fail', 'text'], default: 'fail' },
  ),
  used(
    'Types',
    'sqlite.text.columns',
    'columns that are read as STRING whatever they hold: anchored regular expressions over `table.column`',
    { type: 'LIST' },
  ),
  used('Types', 'sqlite.timestamp.unit', 'of an integer in a TIMESTAMP or DATETIME column', {
    values: ['seconds', 'milliseconds', 'microseconds'],
    default: 'seconds',
  }),
  // No default here: unset lets a captured table keep what it has.
  used(
    'Types',
    'sqlite.timestamp.digits',
    'digits behind the second of TIMESTAMP and TIME columns that declare none: 6 in tables that are captured anew (microseconds in the records), or 3; a captured table keeps what it has',
    { values: ['6', '3'] },
  ),
];

export type PluginFamily = 'mysql' | 'sqlite';
export const propertyDefs: Readonly<Record<PluginFamily, readonly PropertyDef[]>> = {
  mysql: [...common, ...mysql],
  sqlite: [...common, ...sqlite],
};

/** What the groups that the configuration names can say. */
function groupDefs(groups: unknown): readonly PropertyDef[] {
  const names = new Set(groupNames(groups).filter((name) => name !== 'default'));
  return [...names].flatMap((group) => {
    const def = (name: string, doc: string, rest: Partial<PropertyDef>): PropertyDef => ({
      type: 'STRING',
      use: 'used',
      ...rest,
      name: `${topicPrefix}${group}.${name}`,
      group: 'Output',
      doc,
    });
    return [
      def('include', `topics of group ${group}: regular expressions for whole names`, { type: 'LIST', required: true }),
      def('exclude', `topics that are not of group ${group}`, { type: 'LIST' }),
      def('partitions', 'partitions of a new topic; by default those of the default group', { type: 'INT', min: 1 }),
      def('replication.factor', 'the broker default is used', { type: 'INT', use: 'accepted' }),
      def('cleanup.policy', `of a new topic; ${defaultCleanup} by default`, { values: ['compact', 'delete'] }),
      def('retention.ms', retentionMsDoc, { type: 'LONG', min: -1 }),
      def('retention.bytes', retentionBytesDoc, { type: 'LONG', min: -1 }),
    ];
  });
}

/** All properties of a connector: the groups that it names have properties of their own. */
export function propertiesOf(family: PluginFamily, config: Readonly<Record<string, unknown>>): readonly PropertyDef[] {
  return [...propertyDefs[family], ...groupDefs(config[groupsProperty])];
}
