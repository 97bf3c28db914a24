// The life of a MySQL or MariaDB server that a test owns: started on a free loopback port with a data folder of its own,
// stopped, killed, started again on the same data. What differs between the products stands in mysql.ts and mariadb.ts.
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './command.js';
import { createProcessControl, type ServerControl } from './control.js';
import { createContainerControl } from './docker.js';
import { addressOf, askVersion, type SqlAddress, type SqlProduct } from './sql-client.js';

/** A server of the test's own. It keeps port and data over `stop`, `kill`, `start` and `restart`. */
export interface SqlServer extends SqlAddress {
  readonly pid: number | undefined;
  /** Undefined for a container. */
  readonly dataDir: string | undefined;
  start(options?: StartOptions): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** An orderly stop and a start, perhaps with other options. */
  restart(options?: StartOptions): Promise<void>;
  /** Stop and remove everything. Called or not, nothing outlives the process that started the server. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Added after ours, so they win: `['--gtid-mode=OFF', '--enforce-gtid-consistency=OFF']`. */
  serverArgs?: readonly string[];
}

/** How a product can be started on this machine. */
export type SqlInstallation =
  | {
      readonly kind: 'program';
      readonly product: SqlProduct;
      readonly program: string;
      readonly version: string;
      /** Options that depend on where the program lies. */
      readonly placeArgs: readonly string[];
      /** An initialised data folder, copied for each server: making one costs seconds, copying it a fraction of one. */
      readonly template: string;
    }
  | { readonly kind: 'container'; readonly product: SqlProduct; readonly image: string };

const HOST = '127.0.0.1';

/** Row events with everything in them; little memory and few syncs, since no test is about the source's own disk. */
const COMMON_ARGS = [
  '--server-id=1',
  '--log-bin=binlog',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--binlog-row-metadata=FULL',
  '--secure-file-priv=',
  '--local-infile=ON',
  '--innodb-buffer-pool-size=256M',
  '--innodb-flush-log-at-trx-commit=2',
  '--sync-binlog=0',
];

/** As root both products insist on being told so. */
export function userArgs(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

export async function startSqlServer(
  installation: SqlInstallation,
  productArgs: readonly string[],
  options: StartOptions & { guarded?: boolean } = {},
): Promise<SqlServer> {
  // Another process may take the free port before the server does: then once more with another.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnPort(installation, productArgs, options, await freePort());
    } catch (error) {
      if (attempt === 3 || !/address already in use|do you already have another/i.test(String(error))) throw error;
    }
  }
}

async function startOnPort(
  installation: SqlInstallation,
  productArgs: readonly string[],
  options: StartOptions & { guarded?: boolean },
  port: number,
): Promise<SqlServer> {
  let serverArgs = options.serverArgs ?? [];
  const { product } = installation;
  const guarded = options.guarded ?? true;
  const ready = async (): Promise<void> => {
    await askVersion({ host: HOST, port, user: 'root' });
  };
  let control: ServerControl;
  let dataDir: string | undefined;
  if (installation.kind === 'program') {
    const dir = mkdtempSync(join(tmpdir(), `writethrough-${product}-`));
    const data = join(dir, 'data');
    dataDir = data;
    cpSync(installation.template, data, { recursive: true });
    rmSync(join(data, 'auto.cnf'), { force: true }); // MySQL's server UUID: a new one each
    // A server that starts deletes the temporary tables of all that share its folder for them.
    const scratch = join(dir, 'tmp');
    mkdirSync(scratch);
    const own = [`--datadir=${data}`, `--tmpdir=${scratch}`];
    const placed = [...own, `--socket=${join(dir, 's.sock')}`, `--pid-file=${join(dir, 'server.pid')}`];
    const first = ['--no-defaults', ...installation.placeArgs, ...userArgs()];
    const address = [`--bind-address=${HOST}`, `--port=${port}`];
    control = createProcessControl({
      name: product,
      file: installation.program,
      args: () => [...first, ...placed, ...address, ...COMMON_ARGS, ...productArgs, ...serverArgs],
      dir,
      logPath: join(dir, 'server.log'),
      ready,
      guarded,
    });
  } else {
    control = createContainerControl({
      name: product,
      image: installation.image,
      ports: { [port]: 3306 },
      env: { MYSQL_ALLOW_EMPTY_PASSWORD: 'yes', MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: 'yes' },
      args: [...COMMON_ARGS, ...productArgs, ...serverArgs],
      ready,
      guarded,
    });
  }
  try {
    await control.start();
  } catch (error) {
    await control.close();
    throw error;
  }
  const version = await askVersion({ host: HOST, port, user: 'root' });
  const start = async (next: StartOptions = {}): Promise<void> => {
    serverArgs = next.serverArgs ?? serverArgs;
    await control.start();
  };
  return {
    product,
    ...addressOf(HOST, port, 'root', ''),
    version,
    dataDir,
    get pid() {
      return control.pid;
    },
    start,
    stop: () => control.stop(),
    kill: () => control.kill(),
    restart: async (next) => {
      await control.stop();
      await start(next);
    },
    close: () => control.close(),
  };
}
