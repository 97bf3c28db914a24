// A file that is put back to an older state and then written again: its numbers fit, its changes are others.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CapturedFile } from '../../../support/captured-file.js';
import { type SourceRun } from '../../../support/source-run.js';
import { Database } from '../../../support/sqlite-driver.js';

let captured: CapturedFile;
let folder: string;
let file: string;
let app: Database;
let copy: string;

beforeEach(() => {
  captured = new CapturedFile();
  ({ folder, file, app } = captured);
  copy = join(folder, 'copy.db');
  app.pragma('journal_mode = WAL');
  app.exec('CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT)');
});

afterEach(() => captured.close());

interface Position {
  readonly capture: string;
  readonly sequence: number;
  readonly change?: string;
}

const start = (position: string | null = null) => captured.start({}, position);

const positionOf = (run: SourceRun) => JSON.parse(run.appends.at(-1)?.position ?? '{"sequence":-1}') as Position;
const reached = (run: SourceRun, sequence: number) =>
  run.until(() => positionOf(run).sequence >= sequence, `change ${sequence}`);

/** Captures change 1, copies the file, captures changes 2 and 3. */
async function captureAndCopy() {
  const started = start();
  await started.run.until(
    (appends) => appends.some((append) => append.control?.kind === 'snapshot-completed'),
    'the snapshot',
  );
  app.exec("INSERT INTO a VALUES (1, 'in the copy')");
  await reached(started.run, 1);
  await app.backup(copy);
  app.exec("INSERT INTO a VALUES (2, 'behind the copy'); INSERT INTO a VALUES (3, 'behind the copy')");
  await reached(started.run, 3);
  return started;
}

function putCopyBack(): void {
  app.close();
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
  copyFileSync(copy, file);
  app = new Database(file);
  app.pragma('journal_mode = WAL');
}

function write(ids: readonly number[]): void {
  for (const id of ids) app.prepare("INSERT INTO a VALUES (?, 'after')").run(id);
}

it.each([
  ['fewer', [10]],
  ['as many', [10, 11]],
  ['more', [10, 11, 12, 13, 14]],
])('is refused at the start when it was written since, %s changes than were lost', async (_name, ids) => {
  const { run } = await captureAndCopy();
  await run.stop();
  putCopyBack();
  write(ids);
  expect(await start(run.appends.at(-1)!.position).run.failure()).toMatchObject({ code: 'source-rewound' });
});

it('is refused while it is captured, when the copy is written into the same file at once with new changes', async () => {
  const { run } = await captureAndCopy();
  const older = new Database(copy);
  older.pragma('journal_mode = DELETE');
  for (const id of [10, 11, 12]) older.prepare("INSERT INTO a VALUES (?, 'after')").run(id);
  await older.backup(file);
  older.close();
  expect(await run.failure()).toMatchObject({ code: 'source-rewound' });
  // The state of before is not mixed with that of the copy.
  expect(positionOf(run).sequence).toBe(3);
});

it('is read on when nothing was lost, also with a table that the copy did not have', async () => {
  const { run } = await captureAndCopy();
  app.exec('CREATE TABLE b (id INTEGER PRIMARY KEY)');
  await run.stop();
  await app.backup(copy);
  putCopyBack();
  write([4]);
  const again = start(run.appends.at(-1)!.position).run;
  await reached(again, 4);
  expect(again.appends.flatMap((append) => append.records.map((record) => record.key))).toEqual(['{"id":4}']);
});

it('is known again by a position whose change is the newest confirmed one, behind pruning', async () => {
  const { connector, run } = await captureAndCopy();
  const position = run.appends.at(-1)!.position;
  await run.stop();
  write([4, 5]);
  const second = start(position);
  second.connector.confirmed(position!);
  await expect.poll(() => app.prepare("SELECT value FROM _wt_shop_meta WHERE name = 'pruned'").pluck().get()).toBe(3);
  await second.run.stop();
  const third = start(position).run;
  await reached(third, 5);
  await connector.close();
});

it('is read on from a position that was stored without the identity of its change', async () => {
  const { run } = await captureAndCopy();
  await run.stop();
  const { change, ...before } = positionOf(run);
  expect(change).toBeTypeOf('string');
  write([4]);
  const again = start(JSON.stringify(before)).run;
  await reached(again, 4);
  expect(positionOf(again).change).toBeTypeOf('string');
});
