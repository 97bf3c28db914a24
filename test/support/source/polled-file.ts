// An SQLite file of a test's own that is polled, and what its runs have handed over.
import { silentLogger } from '../../../src/core/logger.js';
import { createPollingSource } from '../../../src/source/polling/polling-source.js';
import type { SourceConnector } from '../../../src/source/source-connector.js';
import { CapturedFile } from '../captured-file.js';
import { runSource, type SourceRun } from '../source-run.js';

type Config = Readonly<Record<string, string>>;

/** A file that the test writes as an application would, and the runs that poll it. */
export class PolledFile {
  readonly #captured = new CapturedFile();
  readonly app = this.#captured.app;
  readonly #runs: SourceRun[] = [];

  /** Two rows are a page. */
  source(config: Config): SourceConnector {
    return createPollingSource(
      {
        name: 'poll',
        'connection.url': `jdbc:sqlite:${this.#captured.file}`,
        'poll.interval.ms': '10',
        'batch.max.rows': '2',
        'topic.prefix': 'polled',
        ...config,
      },
      silentLogger,
    );
  }

  /** Behind what the runs before have handed over, or, of that, the first `kept` appends. */
  start(config: Config, kept?: number): SourceRun {
    const appends = this.#runs.flatMap((run) => run.appends).slice(0, kept);
    const after = { appends, tables: new Map(this.#runs.flatMap((run) => [...run.tables])) };
    const run = runSource(this.source(config), appends.at(-1)?.position ?? null, { after });
    this.#runs.push(run);
    return run;
  }

  async close(): Promise<void> {
    await Promise.all(this.#runs.map((run) => run.stop()));
    await this.#captured.close();
  }
}

/** Every record that a run has handed over: its row, or the key where that is gone. */
export function recordTexts(run: SourceRun): string[] {
  return run.appends.flatMap(({ records }) => records.map(({ key, value }) => value ?? key));
}

/** Waits until it has handed these over. */
export function handsOver(run: SourceRun, ...expected: readonly string[]): Promise<void> {
  return run.until(() => expected.every((row) => recordTexts(run).includes(row)), expected.join());
}
