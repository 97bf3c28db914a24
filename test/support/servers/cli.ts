// Servers that stay for a developer: `npm run servers -- start|stop|status [mysql|mariadb|kafka|all]`. `start` prints
// the exports that make tests, benches and soak runs use them; `stop` ends them by pid and removes their data.
// What runs is noted in the test cache, with the start time of each process, since pids are used again.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cachePath } from './cache.js';
import { startKafka } from './kafka.js';
import { startMariadb } from './mariadb.js';
import { startMysql } from './mysql.js';
import { probe } from './command.js';
import { SERVER_NAMES, type ServerName } from './pool.js';

interface Entry {
  pid: number;
  startedAt: string;
  dataDir: string;
  address: string;
}

type Entries = { [N in ServerName]?: Entry };

const VARIABLES = { mysql: 'TEST_MYSQL_URL', mariadb: 'TEST_MARIADB_URL', kafka: 'TEST_KAFKA_BROKERS' } as const;
const FILE = cachePath('running.json');

const [verb = 'status', ...wanted] = process.argv.slice(2);
const names =
  wanted.length === 0 || wanted.includes('all') ? SERVER_NAMES : SERVER_NAMES.filter((name) => wanted.includes(name));
const entries = await running();

if (verb === 'start') await Promise.all(names.filter((name) => entries[name] === undefined).map(start));
else if (verb === 'stop') await Promise.all(names.map(stop));
else if (verb !== 'status') {
  process.stderr.write('usage: servers start|stop|status [mysql|mariadb|kafka|all]\n');
  process.exit(2);
}
writeFileSync(FILE, JSON.stringify(entries, undefined, 2));
for (const name of names) {
  const entry = entries[name];
  process.stdout.write(
    entry === undefined ? `# ${name}: not running\n` : `export ${VARIABLES[name]}=${entry.address}\n`,
  );
}

async function start(name: ServerName): Promise<void> {
  const { pid, dataDir, address } = await open(name);
  if (pid === undefined || dataDir === undefined)
    throw new Error(`${name} runs in a container: use docker to keep one`);
  entries[name] = { pid, dataDir, address, startedAt: await startTime(pid) };
}

async function open(
  name: ServerName,
): Promise<{ pid: number | undefined; dataDir: string | undefined; address: string }> {
  if (name === 'kafka') {
    const { pid, dataDir, brokers } = await startKafka({ guarded: false });
    return { pid, dataDir, address: brokers.join(',') };
  }
  const { pid, dataDir, url } = await (name === 'mysql'
    ? startMysql({ guarded: false })
    : startMariadb({ guarded: false }));
  return { pid, dataDir, address: url };
}

async function stop(name: ServerName): Promise<void> {
  const entry = entries[name];
  if (entry === undefined) return;
  process.kill(entry.pid, 'SIGTERM');
  const deadline = Date.now() + 30_000;
  while ((await startTime(entry.pid)) === entry.startedAt) {
    if (Date.now() > deadline) process.kill(entry.pid, 'SIGKILL');
    await sleep(100);
  }
  rmSync(dirname(entry.dataDir), { recursive: true, force: true });
  delete entries[name];
}

/** The noted servers that still are the processes that were started. */
async function running(): Promise<Entries> {
  const noted: Entries = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Entries) : {};
  for (const name of SERVER_NAMES) {
    const entry = noted[name];
    if (entry !== undefined && (await startTime(entry.pid)) !== entry.startedAt) delete noted[name];
  }
  return noted;
}

/** Empty when there is no such process, or only its remains that nobody has collected. */
async function startTime(pid: number): Promise<string> {
  const text = (await probe('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]))?.trim() ?? '';
  const [state = '', ...time] = text.split(/\s+/);
  return state.startsWith('Z') ? '' : time.join(' ');
}
