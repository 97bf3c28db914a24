// What stands in the way of capturing a file, found without changing it. Installing writes into the file (tables and triggers of
// our own), so validate says that too: the operator is asked before it happens.
import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { SourceFinding } from '../source-connector.js';
import { adviseOnTopics } from '../topic-advice.js';
import { adviseOnCapture, adviseOnTables } from './advice.js';
import type { SqliteSourceConfig } from './config.js';
import { selectTables } from './filter.js';
import { asInstalled, readInstallation } from './install.js';
import { inReadTransaction, journalMode, openForReading, refuseServiceFile, walStatement } from './session.js';

/** Rejects only when the file cannot be read at all. */
export function validateFile(config: SqliteSourceConfig): readonly SourceFinding[] {
  const database = openForReading(config);
  try {
    refuseServiceFile(database, config);
    const { tables, findings, captured, named } = inReadTransaction(database, () => {
      const installed = asInstalled(database, config) ?? config;
      const selection = selectTables(database, installed);
      return {
        ...selection,
        captured: adviseOnCapture(database, config),
        named: selection.tables.map(({ name }) => ({ database: installed.database, table: name })),
      };
    });
    const all: SourceFinding[] = [...captured, ...findings];
    if (journalMode(database) !== 'wal') all.push(config.setWal ? walWillBeSet : walMissing);
    for (const path of [config.file, dirname(config.file)]) {
      if (!isWritable(path)) all.push(notWritable(path));
    }
    if (tables.length > 0) {
      all.push({
        severity: 'note',
        code: 'writes-to-source',
        object: config.file,
        message: `triggers will be added to ${tables.map((table) => table.name).join(', ')}, and tables named ${config.prefix}...`,
        hint: '`writethrough connect delete NAME --uninstall` removes all of it',
      });
    }
    all.push(...adviseOnTables(tables), ...adviseOnTopics({ ...config, topicForm: 'dotted' }, named));
    return all;
  } finally {
    database.close();
  }
}

/**
 * Id of the connector's capture in the file, where there is one, and whether it can go on under this name of the file: its tables would
 * else have other topics.
 */
export function captureOf(config: SqliteSourceConfig): {
  readonly id: string | undefined;
  readonly keepsName: boolean;
} {
  const database = openForReading(config);
  try {
    return inReadTransaction(database, () => ({
      id: readInstallation(database, config)?.capture,
      keepsName: asInstalled(database, config) !== undefined,
    }));
  } finally {
    database.close();
  }
}

const walMissing: SourceFinding = {
  severity: 'error',
  code: 'source-misconfigured',
  property: 'sqlite.journal.mode.wal',
  object: 'journal_mode',
  message: 'the file is not in WAL mode, where reading would block its writers',
  hint: `run ${walStatement} on it once, or set sqlite.journal.mode.wal=true`,
};

const walWillBeSet: SourceFinding = {
  severity: 'note',
  code: 'source-misconfigured',
  property: 'sqlite.journal.mode.wal',
  object: 'journal_mode',
  message: 'the file will be switched to WAL mode, which it keeps',
};

function notWritable(path: string): SourceFinding {
  return {
    severity: 'error',
    code: 'source-access-denied',
    property: 'database.file',
    object: path,
    message: `${path} cannot be written, which capture by triggers needs`,
    hint: 'give the user that runs writethrough write access to the file and its folder',
  };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
