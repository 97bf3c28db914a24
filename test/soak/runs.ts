// The long runs by name, and how their values become options.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runFlips } from '../support/damage/flips.js';
import { failpointPlans } from '../support/harness/failpoint-walk.js';
import { openMysqlSource } from '../support/harness/mysql-database.js';
import type { SourceDatabase } from '../support/harness/source-database.js';
import { openSqliteSource } from '../support/harness/sqlite-database.js';
import { startKafka } from '../support/servers/kafka.js';
import { startMariadb } from '../support/servers/mariadb.js';
import { startMysql } from '../support/servers/mysql.js';
import type { ServerPool } from '../support/servers/pool.js';
import { runBacklog } from './backlog.js';
import { runBank } from './bank.js';
import { runChaos } from './chaos/chaos.js';
import { runCorrectness, type CorrectnessOptions } from './correctness.js';
import { runDebezium } from './debezium/debezium.js';
import { runHostile } from './hostile/hostile.js';
import { runLimits } from './limits.js';
import { runMigrations } from './migrations.js';
import { runPowerLoss } from './power-loss.js';
import { runRebuild } from './rebuild.js';
import { runLargeSnapshot } from './samples/large-snapshot.js';
import { music } from './samples/music.js';
import { rental } from './samples/rental.js';
import type { Sample } from './samples/sample.js';
import { runSample } from './samples/samples.js';
import { staff } from './samples/staff.js';
import { runSimulation } from './simulation.js';
import { runStatements } from './statements.js';
import { runTypes } from './types.js';
import type { SoakRun } from './main.js';

const samples: readonly Sample[] = [rental, music, staff];

type Values = Readonly<Record<string, string>>;

export const soakRuns: Readonly<Record<string, SoakRun>> = {
  simulation: {
    summary:
      'seeds of the deterministic simulation, with kills and power losses; a failing one is told as small as it gets',
    values: { seed: '', seconds: '1800', steps: '600' },
    run: async (values) => [
      {
        name: 'simulation',
        figures: await runSimulation({
          seed: Number(values['seed']),
          seconds: Number(values['seconds']),
          steps: Number(values['steps']),
          tell,
        }),
      },
    ],
  },
  damage: {
    summary: 'bits of a data file, flipped one at a time: read as they were, or an error; the check names the damage',
    values: { seed: '', flips: '1000' },
    run: async (values) => {
      const folder = mkdtempSync(join(tmpdir(), 'wt-damage-'));
      try {
        const figures = await runFlips({ folder, seed: Number(values['seed']), flips: Number(values['flips']) });
        return [{ name: 'damage', figures }];
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
  migrations: {
    summary:
      'random migrations and changes together, with kills; all tables compared with the server; product: mysql, mariadb',
    values: { seed: '', product: 'mysql', runs: '1', steps: '300', kills: '10' },
    run: async (values, pool) => [
      {
        name: `migrations on ${values['product']}`,
        figures: await runMigrations({
          seed: Number(values['seed']),
          server: await pool.get(values['product'] === 'mariadb' ? 'mariadb' : 'mysql'),
          runs: Number(values['runs']),
          steps: Number(values['steps']),
          kills: Number(values['kills']),
          tell,
        }),
      },
    ],
  },
  chaos: {
    summary:
      'rounds of kills, cuts, stalls, purges and failovers while everything is written; verify at each end; product: mysql, mariadb',
    values: { seed: '', product: 'mysql', rounds: '50', seconds: '0', only: '' },
    run: async (values) => [
      {
        name: `chaos on ${values['product']}`,
        figures: await runChaos({
          seed: Number(values['seed']),
          product: values['product'] === 'mariadb' ? 'mariadb' : 'mysql',
          rounds: Number(values['rounds']),
          seconds: Number(values['seconds']),
          only: values['only']!,
          tell,
        }),
      },
    ],
  },
  samples: {
    summary:
      'sample databases whole, with procedures, migrations of four tools and kills; sample: rental, music, staff or all',
    values: { seed: '', sample: 'all', product: 'mysql', size: '1', migrations: '200', kills: '5' },
    run: runSamples,
  },
  'large-snapshot': {
    summary: 'six tables of 3.9 million rows (size=1000) are read while they are written, with kills; peak memory',
    values: { seed: '', product: 'mysql', size: '1000', kills: '2' },
    run: async (values, pool) => [
      {
        name: `large snapshot on ${values['product']}`,
        figures: await runLargeSnapshot({
          seed: Number(values['seed']),
          server: await pool.get(values['product'] === 'mariadb' ? 'mariadb' : 'mysql'),
          size: Number(values['size']),
          kills: Number(values['kills']),
          tell,
        }),
      },
    ],
  },
  debezium: {
    summary:
      "connector files given to this program and to a worker with Debezium, topics compared; jars: folder of the worker's jars; files: names of some",
    values: { product: 'mysql', jars: '', files: '' },
    run: async (values, pool) => [
      {
        name: `Debezium's files on ${values['product']}`,
        figures: await runDebezium({
          server: await pool.get(values['product'] === 'mariadb' ? 'mariadb' : 'mysql'),
          brokers: (await pool.get('kafka')).brokers,
          jars: values['jars']!,
          only: values['files']!.split(',').filter((file) => file !== ''),
          tell,
        }),
      },
    ],
  },
  correctness: {
    summary: 'random transactions, every table and topic compared with the source; cell: SOURCE-LOG or all',
    values: {
      seed: '',
      cell: 'all',
      seconds: '60',
      kills: '30',
      failpoints: 'true',
      restarts: 'true',
      rate: '200',
      rows: '300',
      during: 'false',
    },
    run: runCells,
  },
  followers: {
    summary: 'a leader and two followers on Kafka; the leader is killed again and again, the next takes over',
    values: { seed: '', seconds: '60', kills: '20', sleeps: '3', rate: '100', rows: '300', processes: '3' },
    run: runFollowers,
  },
  statements: {
    summary: 'statements of many clients over few names, with kills; log: embedded, kafka or all',
    values: { seed: '', log: 'all', clients: '8', sequences: '5000', kills: '20', stops: '5', seconds: '900' },
    run: runStatementLogs,
  },
  types: {
    summary: "every column type and character set against the server's own casts; server: mysql, mariadb or all",
    values: { seed: '', server: 'all', values: '100000' },
    run: runTypesOf,
  },
  backlog: {
    summary: 'a follower that is many appends behind catches up; reads of two processes against one',
    values: { seed: '', appends: '1000000' },
    run: async (values, pool) => [
      {
        name: 'backlog',
        figures: await runBacklog({
          seed: Number(values['seed']),
          appends: Number(values['appends']),
          kafka: await pool.get('kafka'),
          tell,
        }),
      },
    ],
  },
  bank: {
    summary: 'transfers between two tables; every answer holds the whole amount; how old answers are',
    values: {
      seed: '',
      cell: 'sqlite-embedded',
      seconds: '60',
      kills: '0',
      rebuilds: '5',
      restarts: '2',
      rate: '150',
      filler: '100000',
      versions: '1000',
    },
    run: runBankCell,
  },
  limits: {
    summary: 'full load with small limits of feed, topics and file: none is passed by more than a fifth at any time',
    values: { seed: '', seconds: '600', kills: '0' },
    run: runLimitsOf,
  },
  hostile: {
    summary:
      'hostile requests, statements, connectors, schemas and bytes, with a small heap and few file descriptors; log: embedded, kafka; keep: a folder for requests that failed',
    values: { seed: '', log: 'embedded', requests: '100000', kills: '9', heap: '256', files: '128', keep: '' },
    run: async (values, pool) => [
      {
        name: `hostile requests, ${values['log']}`,
        figures: await runHostile({
          seed: Number(values['seed']),
          requests: Number(values['requests']),
          kills: Number(values['kills']),
          heapMb: Number(values['heap']),
          files: Number(values['files']),
          kafka: values['log'] === 'kafka' ? await pool.get('kafka') : undefined,
          keep: values['keep'] || undefined,
          tell,
        }),
      },
    ],
  },
  rebuild: {
    summary: 'a large projection rebuilt under load: pause, gaps, lag, rows/s, equality',
    values: { seed: '', source: 'sqlite', rows: '1000000', rate: '100', quiet: '10', rebuilds: '2' },
    run: runRebuildOf,
  },
  'power-loss': {
    summary: 'the data folder cut as a power failure would, states compared with the source',
    values: { seed: '', rounds: '10', variants: '5', seconds: '3' },
    run: async (values) => [
      {
        name: 'power-loss sqlite-embedded',
        figures: await runPowerLoss({
          seed: Number(values['seed']),
          rounds: Number(values['rounds']),
          variants: Number(values['variants']),
          secondsMax: Number(values['seconds']),
          tell,
        }),
      },
    ],
  },
};

/** With a folder of its own, which goes with it. */
async function inFolder<T>(name: string, run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), `writethrough-${name}-`));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(line: string): void {
  console.error(`  ${line}`);
}

async function runLimitsOf(values: Values) {
  return inFolder('limits', async (folder) => {
    const figures = await runLimits({
      source: openSqliteSource(join(folder, 'shop.db')),
      seed: Number(values['seed']),
      seconds: Number(values['seconds']),
      kills: Number(values['kills']),
      tell,
    });
    return [{ name: 'limits', figures }];
  });
}

async function runRebuildOf(values: Values, pool: ServerPool) {
  const { source: product } = values;
  return inFolder('rebuild', async (folder) => {
    const source =
      product === 'mysql' || product === 'mariadb'
        ? await openMysqlSource(await pool.get(product))
        : openSqliteSource(join(folder, 'facts.db'));
    const figures = await runRebuild({
      source,
      seed: Number(values['seed']),
      rows: Number(values['rows']),
      rate: Number(values['rate']),
      quietSeconds: Number(values['quiet']),
      rebuilds: Number(values['rebuilds']),
      tell,
    });
    return [{ name: `rebuild ${product}`, figures }];
  });
}

async function runTypesOf(values: Values, pool: ServerPool) {
  const results = [];
  for (const product of ['mysql', 'mariadb'] as const) {
    if (values['server'] !== 'all' && values['server'] !== product) continue;
    const server = await pool.get(product);
    const figures = await runTypes({ server, seed: Number(values['seed']), values: Number(values['values']), tell });
    results.push({ name: `types ${product}`, figures });
  }
  return results;
}

async function runBankCell(values: Values, pool: ServerPool) {
  const [product, log] = (values['cell'] ?? '').split('-');
  return inFolder('bank', async (folder) => {
    const source =
      product === 'mysql' || product === 'mariadb'
        ? await openMysqlSource(await pool.get(product))
        : openSqliteSource(join(folder, 'bank.db'));
    const figures = await runBank({
      source,
      seed: Number(values['seed']),
      seconds: Number(values['seconds']),
      kills: Number(values['kills']),
      rebuilds: Number(values['rebuilds']),
      restarts: Number(values['restarts']),
      rate: Number(values['rate']),
      fillerRows: Number(values['filler']),
      versionsMin: Number(values['versions']),
      tell,
      ...(log === 'kafka' ? { kafka: await pool.get('kafka') } : {}),
    });
    return [{ name: `bank ${values['cell']}`, figures }];
  });
}

async function runCells(values: Values, pool: ServerPool) {
  const sources = ['sqlite', 'mysql', 'mariadb'] as const;
  const logs = ['embedded', 'kafka'] as const;
  const cells = sources.flatMap((source) => logs.map((log) => ({ source, log, name: `${source}-${log}` })));
  const wanted = cells.filter(({ name }) => values['cell'] === 'all' || values['cell'] === name);
  if (wanted.length === 0) throw new Error(`cell is one of ${cells.map(({ name }) => name).join(', ')}, or all`);
  const results = [];
  for (const { source, log, name } of wanted) {
    const figures = await runCell(source, log, values, pool);
    results.push({ name: `correctness ${name}`, figures });
  }
  return results;
}

/** Restarts need servers of the run's own; else the shared ones do. */
async function runCell(
  product: 'sqlite' | 'mysql' | 'mariadb',
  log: 'embedded' | 'kafka',
  values: Values,
  pool: ServerPool,
) {
  const owned: { close(): Promise<void> }[] = [];
  const disturbances: { name: string; run: () => Promise<void> }[] = [];
  try {
    let source: SourceDatabase | undefined;
    let kafka: { readonly brokers: readonly string[] } | undefined;
    if (product !== 'sqlite') {
      if (values['restarts'] === 'true') {
        const server = await (product === 'mysql' ? startMysql() : startMariadb());
        owned.push(server);
        disturbances.push({ name: 'restart of the database', run: () => server.restart() });
        disturbances.push({ name: 'crash of the database', run: () => server.kill().then(() => server.start()) });
        source = await openMysqlSource(server);
      } else {
        source = await openMysqlSource(await pool.get(product));
      }
    }
    if (log === 'kafka') {
      if (values['restarts'] === 'true') {
        const broker = await startKafka({
          config: { 'broker.session.timeout.ms': '3000', 'broker.heartbeat.interval.ms': '500' },
        });
        owned.push(broker);
        disturbances.push({ name: 'restart of the broker', run: () => broker.restart() });
        disturbances.push({ name: 'crash of the broker', run: () => broker.kill().then(() => broker.start()) });
        kafka = broker;
      } else {
        kafka = await pool.get('kafka');
      }
    }
    const options: CorrectnessOptions = {
      seed: Number(values['seed']),
      seconds: Number(values['seconds']),
      kills: Number(values['kills']),
      failpoints:
        values['failpoints'] === 'true'
          ? failpointPlans({ source: product === 'sqlite' ? 'sqlite' : 'mysql', log })
          : [],
      disturbances,
      rate: Number(values['rate']),
      initialRows: Number(values['rows']),
      tell,
      writeDuringSnapshot: values['during'] === 'true',
      ...(source === undefined ? {} : { source }),
      ...(kafka === undefined ? {} : { kafka }),
    };
    return await runCorrectness(options);
  } finally {
    for (const server of owned.toReversed()) await server.close();
  }
}

async function runFollowers(values: Values, pool: ServerPool) {
  return inFolder('followers', async (folder) => {
    const figures = await runCorrectness({
      seed: Number(values['seed']),
      seconds: Number(values['seconds']),
      kills: Number(values['kills']),
      sleeps: Number(values['sleeps']),
      rate: Number(values['rate']),
      initialRows: Number(values['rows']),
      processes: Number(values['processes']),
      kafka: await pool.get('kafka'),
      source: openSqliteSource(join(folder, 'shop.db')),
      tell,
    });
    return [{ name: 'followers', figures }];
  });
}

async function runStatementLogs(values: Values, pool: ServerPool) {
  const logs = ['embedded', 'kafka'].filter((log) => values['log'] === 'all' || values['log'] === log);
  if (logs.length === 0) throw new Error('log is one of embedded, kafka or all');
  const results = [];
  for (const log of logs) {
    const figures = await runStatements({
      seed: Number(values['seed']),
      clients: Number(values['clients']),
      sequences: Number(values['sequences']),
      kills: Number(values['kills']),
      stops: Number(values['stops']),
      seconds: Number(values['seconds']),
      tell,
      ...(log === 'kafka' ? { kafka: await pool.get('kafka') } : {}),
    });
    results.push({ name: `statements ${log}`, figures });
  }
  return results;
}

async function runSamples(values: Values, pool: ServerPool): ReturnType<SoakRun['run']> {
  const server = await pool.get(values['product'] === 'mariadb' ? 'mariadb' : 'mysql');
  const results = [];
  for (const sample of samples.filter(({ name }) => ['all', name].includes(values['sample']!))) {
    const figures = await runSample({
      seed: Number(values['seed']),
      server,
      sample,
      size: Number(values['size']),
      migrations: Number(values['migrations']),
      kills: Number(values['kills']),
      tell,
    });
    results.push({ name: `${sample.name} on ${server.product}`, figures });
  }
  return results;
}
