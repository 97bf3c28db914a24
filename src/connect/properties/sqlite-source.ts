// Of SQLite files.
import { group, patterns, truth, whole, type PropertyDef } from './property.js';

const source = group('Source');
const types = group('Types');
const snapshot = group('Snapshot');
const failures = group('Failures');

export const sqliteProperties: readonly PropertyDef[] = [
  source.implemented('database.file', 'path of the SQLite file', { required: true }),
  source.implemented('poll.interval.ms', 'longest pause between two looks at an idle file', {
    ...whole,
    min: 5,
    max: 3_600_000,
    default: '250',
  }),
  source.implemented('sqlite.journal.mode.wal', 'switch the file to WAL mode when it is not', {
    ...truth,
    default: 'false',
  }),
  source.implemented(
    'sqlite.type.mismatch',
    'a value that does not fit its column: its table stands still aloud until that is corrected, or the column is declared as text',
    { values: ['fail', 'text'], default: 'fail' },
  ),
  snapshot.implemented('snapshot.mode', 'what to do first', {
    values: ['initial', 'never', 'no_data', 'schema_only'],
    default: 'initial',
  }),
  failures.refused('event.processing.failure.handling.mode', 'a row is never skipped in silence', ['fail'], {
    values: ['fail', 'warn', 'skip', 'ignore'],
  }),
  snapshot.accepted('snapshot.fetch.size', 'rows are read one by one', whole),
  types.implemented(
    'sqlite.text.columns',
    'columns that are read as STRING whatever they hold: anchored regular expressions over `table.column`',
    patterns,
  ),
  types.implemented('sqlite.timestamp.unit', 'of an integer in a TIMESTAMP or DATETIME column', {
    values: ['seconds', 'milliseconds', 'microseconds'],
    default: 'seconds',
  }),
  // No default here: unset lets a captured table keep what it has.
  types.implemented(
    'sqlite.timestamp.digits',
    'digits behind the second of TIMESTAMP and TIME columns that declare none: 6 in tables that are captured anew (microseconds in the records), or 3; a captured table keeps what it has until this says otherwise, and is then read again',
    { values: ['6', '3'] },
  ),
];
