// Of sources that are asked again and again: Confluent's JDBC source, and its managed form for MySQL.
import { mysqlRowProperties } from './mysql-rows.js';
import { group, long, truth, whole, type PropertyDef } from './property.js';

const source = group('Source');
const mode = group('Mode');
const types = group('Types');
const exact = 'numbers keep their exact type: DECIMAL(p,s) of the database is the same here';

/** Of the readers of MySQL and MariaDB. */
const rowModes = ['zero.date.handling.mode', 'time.range.handling.mode', 'geometry.handling.mode'];

export const pollingProperties: readonly PropertyDef[] = [
  source.implemented(
    'connection.url',
    'jdbc:mysql://HOST:PORT/DATABASE, jdbc:mariadb://HOST:PORT/DATABASE or jdbc:sqlite:FILE',
  ),
  source.implemented('connection.host', 'host of the server, where there is no connection.url'),
  source.implemented('connection.port', 'its port', { ...whole, min: 1, max: 65_535, default: '3306' }),
  source.implemented('db.name', 'its database'),
  source.implemented('connection.user', 'a user with SELECT'),
  source.implemented('connection.password', 'its password', { type: 'PASSWORD' }),
  source.implemented('ssl.mode', 'encryption of the connection', {
    values: ['disabled', 'preferred', 'required'],
    spellings: { disable: 'disabled', prefer: 'preferred', require: 'required' },
    refusedValues: {
      'verify-ca': 'certificates are not verified',
      'verify-full': 'certificates are not verified',
    },
    default: 'preferred',
  }),
  source.implemented(
    'connection.allowPublicKeyRetrieval',
    'as `database.allowPublicKeyRetrieval` of MySqlCdcSource; `allowPublicKeyRetrieval` in connection.url says the same',
    truth,
  ),
  source.implemented('connect.timeout.ms', 'deadline of a connection and of short questions', {
    ...whole,
    min: 1,
    max: 3_600_000,
    default: '30000',
  }),
  source.implemented('database.query.timeout.ms', 'how long rows may fail to come; 0: for ever', {
    ...whole,
    min: 0,
    max: 86_400_000,
    default: '600000',
  }),
  source.implemented('database.packet.bytes.max', 'largest row that is taken from a server', {
    ...whole,
    min: 1_048_576,
    max: 1_073_741_824,
    default: '134217728',
  }),
  source.accepted('connection.attempts', 'lost connections are tried again for ever', whole),
  source.accepted('connection.backoff.ms', 'the pause between tries grows to 30 s', long),
  source.accepted('query.retry.attempts', 'lost connections are tried again for ever', { ...whole, min: -1 }),
  source.accepted('dialect.name', 'the URL says which database it is'),
  source.accepted('catalog.pattern', 'tables of the database in the URL are read'),
  source.accepted('schema.pattern', 'tables of the database in the URL are read'),
  source.implemented(
    'table.types',
    'TABLE, VIEW, or both. Rows of a view have the key that ValueToKey states, or the incrementing column; they are read by one statement at each poll',
    { type: 'LIST', values: ['TABLE', 'VIEW'], default: 'TABLE' },
  ),
  source.accepted('quote.sql.identifiers', 'names are always quoted, and lists compare them without quotes', {
    values: ['ALWAYS', 'NEVER', 'always', 'never'],
  }),
  source.accepted('transaction.isolation.mode', 'each page is one statement, which sees what was committed before it'),
  source.accepted('table.monitoring.startup.polling.limit.ms', 'the first list of tables is waited for', long),
  mode.implemented(
    'mode',
    'bulk: all rows at each poll; incrementing: rows with a higher number; timestamp: rows with a later time; both. Deletes are not seen in any',
    { required: true, values: ['bulk', 'incrementing', 'timestamp', 'timestamp+incrementing'] },
  ),
  mode.implemented(
    'incrementing.column.name',
    'the column that counts; AUTO_INCREMENT, or the INTEGER PRIMARY KEY, where it is not set',
  ),
  mode.implemented(
    'timestamp.column.name',
    'the one column (DATE, DATETIME, TIMESTAMP) that tells when a row was changed',
  ),
  mode.implemented('timestamp.initial', 'only rows from this time on, in ms since 1970', { ...long, min: 0 }),
  mode.implemented(
    'timestamp.delay.interval.ms',
    'rows are read so long behind their time, for transactions that commit late; a time that is not over is never read',
    { ...long, min: 0, default: '0' },
  ),
  mode.implemented('validate.non.null', 'the columns of the mode have to be NOT NULL', { ...truth, default: 'true' }),
  mode.implemented('poll.interval.ms', 'pause between two polls', {
    ...whole,
    min: 1,
    max: 86_400_000,
    default: '5000',
  }),
  mode.implemented('table.poll.interval.ms', 'pause between two looks for new tables', {
    ...long,
    min: 1,
    max: 86_400_000,
    default: '60000',
  }),
  mode.implemented('batch.max.rows', 'rows of one page, which is one append', {
    ...whole,
    min: 1,
    max: 100_000,
    default: '1000',
  }),
  source.implemented(
    'query',
    'one SELECT that is asked instead of tables, at each poll; what the mode looks for is asked of its result, so it may have conditions. Its topic is topic.prefix; its rows have the key that ValueToKey states, or the incrementing column',
  ),
  source.implemented(
    'query.suffix',
    'text behind the statement that is made of the query, such as a LIMIT; its table is shown after its first result',
  ),
  mode.refused('incrementing.initial', 'all rows are read first', ['-1', '']),
  mode.refused('timestamp.columns.mapping', 'one column is named for all tables', [''], {
    way: 'make a connector for the tables of each column',
  }),
  mode.refused('incrementing.column.mapping', 'one column is named for all tables', [''], {
    way: 'make a connector for the tables of each column',
  }),
  types.accepted('numeric.mapping', exact, { values: ['none', 'precision_only', 'best_fit', 'best_fit_eager_double'] }),
  types.accepted('numeric.precision.mapping', exact, truth),
  types.accepted('timestamp.granularity', 'times keep all digits that their column has'),
  types.implemented(
    'db.timezone',
    'zone in which DATE and DATETIME columns tell when a row was changed; values stay as they are',
    {
      default: 'UTC',
    },
  ),
  ...mysqlRowProperties.filter(({ name }) => rowModes.includes(name)),
  types.implemented(
    'sqlite.type.mismatch',
    'a value of SQLite that does not fit its column: its table stands still aloud, or the column is declared as text',
    {
      values: ['fail', 'text'],
      default: 'fail',
    },
  ),
  types.implemented(
    'sqlite.text.columns',
    'columns of SQLite that are read as STRING whatever they hold: anchored regular expressions over `table.column`',
    {
      type: 'LIST',
      patterns: true,
    },
  ),
  types.implemented('sqlite.timestamp.unit', 'of an integer in a column of times of SQLite', {
    values: ['seconds', 'milliseconds', 'microseconds'],
    default: 'seconds',
  }),
];
