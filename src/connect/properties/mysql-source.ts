// Of MySQL and MariaDB: where the server is, what is read of it, and how. Names of Debezium's connectors (1.x to 3.x) and of Confluent's
// managed ones (v1, V2, MariaDbCdcSource).
import { family, group, long, patterns, truth, whole, type PropertyDef, type PropertyFamily } from './property.js';

const source = group('Source');
const filters = group('Filters');
const reading = group('Reading');
const history = group('History');
const signals = group('Signals');
const failures = group('Failures');

const noHistory = 'there is no schema history: the binlog describes itself';
const noSkip = 'a row is never skipped in silence';
const heartbeats = 'heartbeats of the binlog watch the connection';
const noCertificates = 'certificates are not checked yet';
const noSignals = 'signals are not read';
const wayOfSignals =
  'leave it out; a table is read again by `writethrough snapshot TABLE`, or POST /connectors/NAME/snapshot, which takes the data of a signal';
const noGtidFilter = 'transactions of every server in the binlog are read';

const processingFailures = 'event.processing.failure.handling.mode';

/** Of every family. */
export const readingProperties: readonly PropertyDef[] = [
  reading.accepted('max.batch.size', 'chunks are bounded in bytes', whole),
  reading.accepted('max.queue.size', 'queues are bounded in bytes', whole),
  reading.accepted('max.queue.size.in.bytes', 'queues are bounded in bytes', long),
  failures.refused('event.deserialization.failure.handling.mode', noSkip, ['fail'], {
    values: ['fail', 'warn', 'skip', 'ignore'],
  }),
  failures.refused('inconsistent.schema.handling.mode', noSkip, ['fail'], { values: ['fail', 'warn', 'skip'] }),
  failures.refused('event.converting.failure.handling.mode', 'a value is never replaced by NULL', ['fail'], {
    values: ['fail', 'warn', 'skip'],
  }),
];

export const mysqlSourceProperties: readonly PropertyDef[] = [
  filters.implemented(
    'table.new.handling.mode',
    'of a table that matches the lists and was never captured: capture it, let it wait until `writethrough snapshot TABLE` or another list lets it in (the status shows it), or ignore it likewise in silence',
    { values: ['capture', 'ask', 'ignore'], default: 'capture' },
  ),
  failures.implemented(
    processingFailures,
    'what a value stops that has no form here: its table alone, which stands still until it is read again, or the whole connector',
    { values: ['table', 'fail'], refusedValues: { warn: noSkip, skip: noSkip, ignore: noSkip }, default: 'table' },
  ),
  source.implemented('database.hostname', 'host of the server', { required: true }),
  source.implemented('database.port', 'port of the server', { ...whole, min: 1, max: 65_535, default: '3306' }),
  source.implemented('database.user', 'user with REPLICATION SLAVE, REPLICATION CLIENT and SELECT', { required: true }),
  source.implemented('database.password', 'its password', { type: 'PASSWORD', default: '' }),
  source.implemented('database.ssl.mode', 'encryption of the connection', {
    values: ['disabled', 'preferred', 'required'],
    spellings: { disable: 'disabled', trust: 'required' },
    refusedValues: {
      verify_ca: noCertificates,
      verify_identity: noCertificates,
      'verify-ca': noCertificates,
      'verify-full': noCertificates,
    },
    default: 'preferred',
  }),
  source.refused('database.ssl.truststore', noCertificates, ['']),
  source.refused('database.ssl.truststore.password', noCertificates, [''], { type: 'PASSWORD' }),
  source.refused('database.ssl.keystore', 'the client has no certificate', ['']),
  source.refused('database.ssl.keystore.password', 'the client has no certificate', [''], { type: 'PASSWORD' }),
  source.refused('ssl.truststorefile', noCertificates, [''], { type: 'PASSWORD' }),
  source.refused('ssl.truststorepassword', noCertificates, [''], { type: 'PASSWORD' }),
  source.implemented('database.server.id', 'our id as a replica; random by default', {
    ...long,
    min: 0,
    max: 4_294_967_295,
  }),
  source.implemented('connect.timeout.ms', 'to connect and log in, and for short questions', {
    ...whole,
    min: 1,
    max: 3_600_000,
    default: '30000',
  }),
  source.implemented('database.query.timeout.ms', 'for a statement that reads or waits; 0: no limit', {
    ...whole,
    min: 0,
    max: 86_400_000,
    default: '600000',
  }),
  source.implemented('database.packet.bytes.max', 'largest row or event that is taken from the server', {
    ...whole,
    min: 1_048_576,
    max: 1_073_741_824,
    default: '134217728',
  }),
  source.accepted('connect.keep.alive', heartbeats, truth),
  source.accepted('connect.keep.alive.interval.ms', heartbeats, whole),
  source.accepted('connection.validation.timeout.ms', heartbeats, whole),
  source.accepted('use.nongraceful.disconnect', 'a connection that does not end in time is cut', truth),
  source.accepted('executor.shutdown.timeout.ms', 'stopping waits for nothing outside', long),
  source.accepted('connector.adapter', 'the server itself tells which it is', { values: ['mysql', 'mariadb'] }),
  source.accepted('database.connectionTimeZone', 'times are read as UTC on both paths'),
  source.accepted('database.serverTimezone', 'times are read as UTC on both paths'),
  source.implemented(
    'database.allowPublicKeyRetrieval',
    'without TLS a password that is new to the server (caching_sha2_password, sha256_password) is encrypted by a key that the server sends, which whoever sits between could replace: the key is asked for where this is true, or, as long as it is not set, where the server is on this machine (localhost, 127.*, ::1). The URL of --source takes it, too',
    { ...truth, aliases: ['driver.allowPublicKeyRetrieval', 'allowPublicKeyRetrieval'] },
  ),
  source.accepted('database.useSSL', 'database.ssl.mode says it', truth),
  source.accepted('database.jdbc.driver', 'there is no JDBC driver here'),
  source.accepted('database.jdbc.protocol', 'there is no JDBC driver here'),
  source.accepted('database.protocol', 'there is no JDBC driver here'),
  source.refused('database.initial.statements', 'sessions set what they rely on themselves', ['']),
  filters.implemented(
    'database.include.list',
    'anchored regular expressions over databases; case does not count, but behind `(?-i)`',
    {
      ...patterns,
      aliases: ['database.whitelist'],
    },
  ),
  filters.implemented(
    'database.exclude.list',
    'anchored regular expressions over databases; case does not count, but behind `(?-i)`',
    {
      ...patterns,
      aliases: ['database.blacklist'],
    },
  ),
  filters.refused('table.ignore.builtin', 'system tables have no rows in the binlog', ['true'], truth),
  filters.refused('guardrail.collections.max', 'the number of tables is not limited', ['0'], {
    ...whole,
    way: 'name the tables in table.include.list',
  }),
  filters.accepted('guardrail.collections.limit.action', 'the number of tables is not limited', {
    values: ['warn', 'fail'],
  }),
  reading.implemented(
    'cascades',
    'foreign keys that change rows inside the server, unlogged: emulate changes them here, refuse stops, ignore lets rows grow stale',
    { values: ['emulate', 'refuse', 'ignore'], default: 'emulate' },
  ),
  reading.accepted('poll.interval.ms', 'changes are passed on at once', long),
  reading.accepted('streaming.delay.ms', 'streaming begins at once', long),
  reading.accepted('binlog.buffer.size', 'what is rolled back in the binlog is dropped without it', whole),
  reading.accepted('enable.time.adjuster', 'the server has completed years that were written with two digits', truth),
  reading.accepted('read.only', 'nothing is ever written to the server', truth),
  reading.accepted('min.row.count.to.stream.results', 'all results are streamed', whole),
  reading.implemented('heartbeat.interval.ms', 'between records of the heartbeat topic; 0: there is none', {
    ...whole,
    min: 0,
    max: 2_147_483_647,
    default: '0',
  }),
  reading.implemented('topic.heartbeat.prefix', 'first part of its name; "__debezium-heartbeat" by default', {
    aliases: ['heartbeat.topics.prefix'],
    ofTopics: true,
  }),
  reading.accepted('heartbeat.action.query', 'the position moves without it; nothing is written to the server'),
  reading.refused('gtid.source.includes', noGtidFilter, ['', '.*']),
  reading.refused('gtid.source.excludes', noGtidFilter, ['']),
  reading.accepted('gtid.source.filter.dml.events', noGtidFilter, truth),
  reading.accepted('gtid.new.channel.position', 'a position is a set of GTIDs: what it lacks is read', {
    values: ['earliest', 'latest'],
  }),
  reading.refused(
    'gtid.ignore.on.recovery',
    'a position is a set of GTIDs where the server has them',
    ['false'],
    truth,
  ),
  signals.refused('signal.data.collection', noSignals, [''], { way: wayOfSignals }),
  signals.refused('signal.enabled.channels', noSignals, ['', 'source'], { way: wayOfSignals }),
  signals.refused('signal.file', noSignals, [''], { way: wayOfSignals }),
  signals.accepted('signal.poll.interval.ms', noSignals, long),
  signals.accepted('incremental.snapshot.chunk.size', noSignals, whole),
  signals.accepted('incremental.snapshot.allow.schema.changes', noSignals, truth),
  signals.accepted('incremental.snapshot.watermarking.strategy', noSignals),
  signals.refused('notification.enabled.channels', 'there are no notifications', [''], {
    way: 'leave it out; GET /connectors/NAME/status tells the progress of a snapshot',
  }),
  signals.accepted('notification.sink.topic.name', 'there are no notifications'),
  signals.accepted('custom.metric.tags', 'metrics have the connector as their label: GET /metrics'),
  signals.accepted('advanced.metrics.enable', 'metrics are at GET /metrics', truth),
  history.accepted('database.history', noHistory),
  history.accepted('schema.history.internal', noHistory),
  history.accepted('include.schema.comments', noHistory, truth),
  history.accepted('ddl.parser.type', 'DDL is not parsed to follow columns'),
  history.accepted('ddl.parser.mode', 'DDL is not parsed to follow columns'),
];

export const mysqlSourceFamilies: readonly PropertyFamily[] = [
  family('schema.history.internal.*', 'accepted', noHistory),
  family('database.history.*', 'accepted', noHistory),
  {
    ...family('driver.*', 'accepted', 'there is no JDBC driver here'),
    pattern: /^driver\.(?!allowPublicKeyRetrieval$).+$/,
  },
  family('signal.kafka.*', 'refused', noSignals, { way: wayOfSignals }),
  family('signal.consumer.*', 'refused', noSignals, { way: wayOfSignals }),
  family('openlineage.*', 'refused', 'OpenLineage hears nothing', { way: 'leave it out' }),
  family('internal.*', 'refused', 'settings of the inside of Debezium', { way: 'leave it out' }),
];
