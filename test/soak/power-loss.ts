// Power loss: the data folder is written under a journal of its writes and syncs, the program is killed at a random moment, and the
// folder is rebuilt from what was synced plus a random part of what was not. From every such state the program must start by
// itself, catch up, and equal the source, with topics that hold the journal exactly. The source is another machine: it lost nothing.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApp, type App } from '../support/harness/app-process.js';
import {
  compareRows,
  compareVersions,
  sourceRows,
  tableRows,
  tapRecords,
  topicVersions,
} from '../support/harness/checker.js';
import { createDice, type Dice } from '../support/harness/dice.js';
import type { Figures } from '../support/harness/figures.js';
import { requestJson } from '../support/harness/http-client.js';
import { loadTables } from '../support/harness/load-tables.js';
import { LoadWriter } from '../support/harness/load-writer.js';
import { waitForMarks, waitForTables } from '../support/harness/progress.js';
import { openSqliteSource, type SqliteSource } from '../support/harness/sqlite-database.js';
import { journalEnvironment } from '../support/power-loss/preload.js';
import { rebuildAfterPowerLoss } from '../support/power-loss/rebuild.js';

export interface PowerLossOptions {
  readonly seed: number;
  /** Crashes, each after some seconds of load. */
  readonly rounds: number;
  /** States that each crash is tried with. */
  readonly variants: number;
  readonly secondsMax: number;
  readonly tell?: (line: string) => void;
}

const tables = loadTables('sqlite');

export async function runPowerLoss(options: PowerLossOptions): Promise<Figures> {
  const { seed, rounds, variants, tell = () => undefined } = options;
  const folder = mkdtempSync(join(tmpdir(), 'writethrough-power-'));
  const source = openSqliteSource(join(folder, 'shop.db'));
  const dice = createDice(seed);
  const writer = new LoadWriter(source, tables, { dice: dice.fork('load'), initialRows: 200, rate: 200 });
  const app = await openApp({ env: { WRITETHROUGH_SERVICE_ID: 'power' } });
  const count = { dropped: 0, torn: 0, kept: 0 };
  try {
    await writer.prepare();
    for (let round = 0; round < rounds; round++) {
      const before = join(folder, 'before');
      rmSync(before, { recursive: true, force: true });
      cpSync(app.dataDir, before, { recursive: true });
      const journal = join(folder, `journal-${round}`);
      await loadUntilKilled({ app, writer, source, dice, journal, secondsMax: options.secondsMax, first: round === 0 });
      const atCrash = join(folder, 'source-at-crash.db');
      source.replace(() => copyFileSync(source.file, atCrash));
      for (let variant = 0; variant < variants; variant++) {
        source.replace(() => copyFileSync(atCrash, source.file));
        emptyFolder(app.dataDir);
        const report = rebuildAfterPowerLoss({
          journal,
          into: app.dataDir,
          from: before,
          seed: dice.between(1, 2 ** 30),
        });
        for (const kind of ['dropped', 'torn', 'kept'] as const) count[kind] += report[kind];
        tell(
          `round ${round + 1}.${variant + 1}: ${report.entries} entries, ${report.dropped} unsynced changes lost, ${report.torn} torn`,
        );
        await checkState(app, writer, source);
        if (variant < variants - 1) await app.kill();
        else await app.stop();
      }
    }
    return {
      seed,
      crashes: rounds,
      states: rounds * variants,
      transactions: writer.transactions,
      'unsynced changes kept': count.kept,
      'unsynced changes lost': count.dropped,
      'unsynced changes torn': count.torn,
    };
  } catch (error) {
    const tail = app.log().trimEnd().split('\n').slice(-10).join('\n');
    throw new Error(
      `power loss, seed ${seed}: ${error instanceof Error ? error.message : String(error)}\nlast lines of the program:\n${tail}`,
      { cause: error },
    );
  } finally {
    await writer.stop().catch(() => undefined);
    await app.close();
    await source.drop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Round {
  readonly app: App;
  readonly writer: LoadWriter;
  readonly source: SqliteSource;
  readonly dice: Dice;
  readonly journal: string;
  readonly secondsMax: number;
  readonly first: boolean;
}

async function loadUntilKilled({ app, writer, source, dice, journal, secondsMax, first }: Round): Promise<void> {
  await app.start({ env: await journalEnvironment({ folder: app.dataDir, journal }) });
  if (first) {
    const config = {
      ...source.connector,
      'topic.prefix': 'power',
      'table.include.list': tables.all.map(({ name }) => name).join(','),
      'output.shape': 'flat',
      'output.key.shape': 'bare',
      'cleanup.policy': 'delete',
    };
    await requestJson(`${app.url}/connectors`, { body: { name: 'power', config } });
    await waitForTables(app.url, tables.all);
  }
  writer.start();
  await sleep(300 + dice.next() * secondsMax * 1000);
  await app.kill();
  await writer.stop();
}

async function checkState(app: App, writer: LoadWriter, source: SqliteSource): Promise<void> {
  await app.start();
  await waitForTables(app.url, tables.all);
  await waitForMarks(app.url, writer.newest);
  const problems: string[] = [];
  for (const table of tables.all) {
    problems.push(
      ...compareRows(`table ${table.name}`, await sourceRows(source, table), await tableRows(app.url, table)),
    );
    const found = topicVersions(table, await tapRecords(app.url, `power.${source.name}.${table.name}`));
    problems.push(...compareVersions(`topic ${table.name}`, writer.journal.table(table.name), found, 'exact'));
  }
  if (problems.length > 0) throw new Error(`${problems.length} differences:\n${problems.slice(0, 20).join('\n')}`);
}

function emptyFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
}
