// Every batch and commit of the embedded log, and what they say of each other. On a connection that only reads, beside a process that writes.
import type { CheckReport } from '../../core/check-report.js';
import { restoreHint } from '../../core/seal.js';
import { checkGuarded, findingsOf, isThere, toFinding } from '../../sqlite/check-file.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import { decodeBatch } from './batch-codec.js';
import { decodeCommit } from './commit-codec.js';
import { guardedFolder, guardedLog } from './guarded-log.js';
import { batchColumns, openBatch, type BatchRow } from './stored-batch.js';

export function checkLog(database: SqliteDatabase, report: CheckReport): void {
  if (!isThere(database, 'wt_batch')) return;
  report.begin('topics, positions and epochs of the log');
  checkGuarded(database, report, [...Object.values(guardedLog), guardedFolder]);
  checkCommits(database, report);
  checkBatches(database, report);
}

function checkCommits(database: SqliteDatabase, report: CheckReport): void {
  report.begin('appends of the log');
  findingsOf(report, 'the appends of the log', () => {
    const commits = database.prepare(
      `SELECT first_seq, last_seq, control, appends, batches,
         (SELECT count(*) FROM wt_batch WHERE first_seq BETWEEN c.first_seq AND c.last_seq AND derived = 0)
       FROM wt_commit c ORDER BY first_seq`,
    );
    for (const [firstSeq, lastSeq, control, appends, batches, found] of commits.iterate()) {
      const commit = {
        firstSeq: Number(firstSeq),
        lastSeq: Number(lastSeq),
        control: Number(control),
        appends: appends as Buffer,
      };
      const what = `the log, the appends from seq ${commit.firstSeq} to ${commit.lastSeq}`;
      try {
        const decoded = decodeCommit(commit);
        if (decoded.appends.length === commit.lastSeq - commit.firstSeq + 1) report.row(decoded.sealed);
        else report.finding({ what: `${what}, of which ${decoded.appends.length} are there`, repair: restoreHint });
      } catch (error) {
        report.finding(toFinding(error, what));
        continue;
      }
      if (batches !== found) {
        report.finding({
          what: `${what}, of whose ${String(batches)} batches of records ${String(found)} are there`,
          repair: restoreHint,
        });
      }
    }
  });
}

function checkBatches(database: SqliteDatabase, report: CheckReport): void {
  report.begin('records of the log');
  findingsOf(report, 'the records of the log', () => {
    const names = new Map(
      database
        .prepare('SELECT id, name FROM wt_topic')
        .all()
        .map(([id, name]) => [Number(id), String(name)]),
    );
    const batches = database.prepare(`SELECT ${batchColumns} FROM wt_batch ORDER BY id`).iterate();
    for (const row of batches as unknown as Iterable<BatchRow>) {
      const name = names.get(row[1]);
      try {
        const batch = openBatch(row, name);
        // What has no checksum may still be no batch at all.
        if (!batch.sealed) decodeBatch(batch, { topic: 0, partition: batch.partition, buffer: 0 });
        report.row(batch.sealed);
      } catch (error) {
        report.finding(toFinding(error, `topic "${name ?? row[1]}", partition ${row[2]}, offset ${row[3]}`));
      }
    }
  });
}
