// An SQLite file of a test's own, written by a connection as an application would, and the captures of it that the test starts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../src/core/logger.js';
import { createSqliteSource } from '../../src/source/sqlite/sqlite-source.js';
import type { SourceConnector } from '../../src/source/source-connector.js';
import { runSource, type SourceRun, type SourceRunOptions } from './source-run.js';
import { Database } from './sqlite-driver.js';

export class CapturedFile {
  readonly folder = mkdtempSync(join(tmpdir(), 'wt-captured-'));
  readonly file = join(this.folder, 'shop.db');
  readonly app: Database = new Database(this.file);
  readonly #runs: SourceRun[] = [];

  /** Of the connector `shop`. */
  source(config: Readonly<Record<string, string>> = {}): SourceConnector {
    return createSqliteSource({ name: 'shop', 'database.file': this.file, ...config }, silentLogger);
  }

  start(
    config: Readonly<Record<string, string>> = {},
    position: string | null = null,
    options: SourceRunOptions = {},
  ): { readonly connector: SourceConnector; readonly run: SourceRun } {
    const connector = this.source(config);
    const run = runSource(connector, position, { after: this.#upTo(position), ...options });
    this.#runs.push(run);
    return { connector, run };
  }

  /** What is held where a run goes on: everything that earlier ones have handed over up to there. */
  #upTo(position: string | null): Pick<SourceRun, 'appends' | 'tables'> {
    if (position === null) return { appends: [], tables: new Map() };
    const appends = this.#runs.flatMap((run) => run.appends);
    const last = appends.findLastIndex((append) => append.position === position);
    return {
      appends: last < 0 ? appends : appends.slice(0, last + 1),
      tables: new Map(this.#runs.flatMap((run) => [...run.tables])),
    };
  }

  /** Ends what was started, and removes the file. */
  async close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop()));
    this.app.close();
    rmSync(this.folder, { recursive: true });
  }
}
