// `writethrough check` of a data folder, from this process: the file is opened for reading, whether a server has it open or not.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CheckRequest, CheckResult } from '../cli/check.js';
import { defaults } from '../cli/start.js';
import { CheckReport } from '../core/check-report.js';
import { AppError } from '../core/errors.js';
import { checkStructure, findingsOf } from '../sqlite/check-file.js';
import { openDatabase, type SqliteDatabase } from '../sqlite/database.js';
import { checkStore, tableNames } from '../store/sqlite/check-store.js';
import { checkLog } from '../stream/embedded/check-log.js';

export async function runCheck({ data, onProgress }: CheckRequest): Promise<CheckResult> {
  const folder = resolve(data ?? process.env['WRITETHROUGH_DATA'] ?? defaults.data);
  const file = join(folder, 'writethrough.db');
  if (!existsSync(file)) {
    throw new AppError('data-folder-unusable', `there is no data file ${file}`, {
      hint: '--data says where the data folder is',
    });
  }
  const report = new CheckReport(onProgress);
  const database = openDatabase(file, { readonly: true });
  try {
    checkFile(database, report);
  } finally {
    database.close();
  }
  return { file, damaged: report.damaged, parts: report.parts, findings: report.findings };
}

function checkFile(database: SqliteDatabase, report: CheckReport): void {
  checkStructure(database, report, (name) => nameOf(database, name));
  findingsOf(report, 'the data file', () => {
    checkStore(database, report);
    checkLog(database, report);
  });
}

/** As it is called in the file where the catalogue cannot be read. */
function nameOf(database: SqliteDatabase, name: string): string {
  try {
    return tableNames(database)(name);
  } catch {
    return name;
  }
}
