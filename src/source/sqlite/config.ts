// The properties of a SqliteCdcSource, read once and checked. What is wrong is an error that names the property; properties
// that are not ours (topic.prefix, formats) belong to connect and are passed over.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { AppError } from '../../core/errors.js';
import { notAPattern, splitPatterns, wholeName } from '../../core/pattern-list.js';
import type { Pattern } from '../../core/pattern.js';
import { retrySettings, type RetrySettings } from '../../core/retries.js';
import type { SourceConfig } from '../source-connector.js';
import { own } from '../../core/own.js';

export type TimestampUnit = 'seconds' | 'milliseconds' | 'microseconds';

export interface SqliteSourceConfig {
  /** The connector's name; what is installed in the file is named after it, so that two connectors do not meet. */
  readonly connector: string;
  readonly file: string;
  /** First part of a table's full name: the file's name without its extension. */
  readonly database: string;
  /** All tables and triggers that we add to the file begin with this. */
  readonly prefix: string;
  readonly topicPrefix: string;
  readonly include: readonly Pattern[];
  /** Entries of the include list as they were written, to tell a table that was named from one that a pattern met. */
  readonly includeTexts: readonly string[];
  readonly exclude: readonly Pattern[];
  readonly excludeColumns: readonly Pattern[];
  readonly readSnapshot: boolean;
  readonly idlePollMs: number;
  readonly retries: RetrySettings;
  readonly setWal: boolean;
  readonly mismatchAsText: boolean;
  readonly textColumns: readonly Pattern[];
  readonly timestampUnit: TimestampUnit;
  /** As it was set; null: tables keep what they were installed with, and new ones get the default. */
  readonly timestampDigits: 3 | 6 | null;
}

/**
 * Digits behind the second of times whose declaration says none. Six is what the common frameworks write into such columns
 * (Django, SQLAlchemy), and a column of six holds all that one of three does.
 */
export const defaultTimestampDigits = 6;

const snapshotModes: Readonly<Record<string, boolean>> = {
  initial: true,
  never: false,
  no_data: false,
  schema_only: false,
};

export function parseConfig(config: SourceConfig): SqliteSourceConfig {
  const file = config['database.file'];
  if (!file) throw bad('database.file', 'is missing', 'give the path of the SQLite file');
  const connector = config['name'] ?? 'sqlite';
  const mode = config['snapshot.mode'] ?? 'initial';
  const readSnapshot = own(snapshotModes, mode);
  if (readSnapshot === undefined) {
    throw bad(
      'snapshot.mode',
      `"${mode}" is not supported for SQLite`,
      `one of ${Object.keys(snapshotModes).join(', ')}`,
    );
  }
  const include = config['table.include.list'] ?? '';
  return {
    connector,
    file,
    database: basename(file).replace(/(?<=.)\.[^.]*$/, ''),
    prefix: `_wt_${identifierOf(connector)}_`,
    topicPrefix: config['topic.prefix'] ?? '',
    include: patterns('table.include.list', include),
    includeTexts: splitPatterns(include),
    exclude: patterns('table.exclude.list', config['table.exclude.list']),
    excludeColumns: patterns('column.exclude.list', config['column.exclude.list']),
    readSnapshot,
    retries: retrySettings(config),
    idlePollMs: integer('poll.interval.ms', config['poll.interval.ms'] ?? '250', 5, 3_600_000),
    setWal: choice(config, 'sqlite.journal.mode.wal', ['false', 'true']) === 'true',
    mismatchAsText: choice(config, 'sqlite.type.mismatch', ['fail', 'text']) === 'text',
    textColumns: patterns('sqlite.text.columns', config['sqlite.text.columns']),
    timestampUnit: choice(config, 'sqlite.timestamp.unit', ['seconds', 'milliseconds', 'microseconds']),
    timestampDigits: digits(config),
  };
}

/** Lower case, digits and underscores; a name that had to be changed gets a piece of its hash, so that no two become one. */
function identifierOf(name: string): string {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
  return plain === name ? plain : `${plain}_${createHash('sha256').update(name).digest('hex').slice(0, 6)}`;
}

/** Anchored and without regard to case, as Debezium's lists are and as SQLite compares names. */
function patterns(property: string, text: string | undefined): Pattern[] {
  return splitPatterns(text ?? '').map((entry) => {
    try {
      return wholeName(entry);
    } catch (cause) {
      throw bad(property, notAPattern(entry, cause), undefined, cause);
    }
  });
}

function integer(property: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw bad(property, `"${text}" is not a whole number from ${min} to ${max}`);
  }
  return value;
}

/** The first value is the default. */
function choice<const T extends string>(config: SourceConfig, property: string, values: readonly [T, ...T[]]): T {
  const text = config[property] ?? values[0];
  const found = values.find((value) => value === text);
  if (found === undefined) throw bad(property, `"${text}" is not a value of it`, `one of ${values.join(', ')}`);
  return found;
}

function digits(config: SourceConfig): 3 | 6 | null {
  if (config['sqlite.timestamp.digits'] === undefined) return null;
  return choice(config, 'sqlite.timestamp.digits', ['6', '3']) === '6' ? 6 : 3;
}

function bad(property: string, message: string, hint?: string, cause?: unknown): AppError {
  return new AppError('bad-connector-config', `${property}: ${message}`, { hint, cause, place: { path: property } });
}
