// `writethrough demo`: a sample database in an SQLite file, a writer that keeps changing it, and the service on both with the shipped
// queries. The next start goes on where this one was.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder, shippedQueries } from '../app.js';
import type { DemoOptions } from '../cli/demo.js';
import { loadConfig } from '../config.js';
import { runApp } from '../process/run-start.js';
import { seedDemo } from './seed.js';
import { startDemoWriter, type DemoWriter } from './start-writer.js';

const firstSnapshotMs = 60_000;
/** What the greeting proposes to ask. */
const greetedTables = ['employees', 'department_payroll'];

export async function runDemo(options: DemoOptions): Promise<void> {
  const folder = openDataFolder(options.data ?? process.env['WRITETHROUGH_DATA'] ?? './writethrough-data');
  const file = join(folder, 'company.db');
  const config = await loadConfig({
    flags: {
      data: folder,
      port: options.port,
      source: `sqlite:${file}`,
      queries: shippedQueries(),
      'log.level': options.logLevel ?? (process.env['WRITETHROUGH_LOG_LEVEL'] ? undefined : 'warn'),
    },
    env: process.env,
    file: undefined,
  });
  let writer: DemoWriter | undefined;
  await runApp(config, {
    prepare() {
      if (!existsSync(file)) seedWhole(file);
    },
    async onStarted(app) {
      // What the greeting proposes is to work at once: the first snapshot of the sample takes about a second.
      for (const table of greetedTables) await app.whenReadable(table, firstSnapshotMs);
      if (options.writer) {
        writer = startDemoWriter(file);
        writer.ended.catch((error: Error) => process.stderr.write(`${error.message}; the service goes on\n`));
      }
      process.stdout.write(hello(app.url, file, options.writer));
    },
    beforeStop: async () => writer?.stop(),
  });
}

/** The file appears under its name when it is complete: a start that is interrupted leaves no half of it. */
function seedWhole(file: string): void {
  const unfinished = `${file}.new`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(unfinished + suffix, { force: true });
  seedDemo(unfinished);
  renameSync(unfinished, file);
}

function hello(url: string, file: string, writes: boolean): string {
  return `
  writethrough runs at ${url}

  A sample company in ${file}
  ${writes ? 'is changed by a writer about five times a second' : 'is left as it is (--no-writer)'}; every change goes to the embedded log and to the tables
  employees, departments, and those of queries/*.sql.

  A row:      curl ${url}/v1/tables/employees/rows/7
  SQL:        curl ${url}/query -d '{"ksql":"SELECT * FROM department_payroll;"}'
  Changes:    curl -N ${url}/v1/tables/employees/changes

  Ctrl-C stops; the next start goes on where this one was.

`;
}
