// MySQL 9 for tests. Debian stable does not have it: there it comes from Debian sid, unpacked beside the system.
import { join } from 'node:path';
import { cached } from './cache.js';
import { probe, run, which } from './command.js';
import { ensureDebTree, isDebian } from './deb-tree.js';
import { dockerAvailable } from './docker.js';
import { startSqlServer, userArgs, type SqlInstallation, type SqlServer, type StartOptions } from './sql-server.js';
import { installing, ServerUnavailable } from './unavailable.js';

const PROGRAM = 'usr/sbin/mysqld';
const ARGS = ['--mysqlx=OFF', '--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
const ADVICE = 'MySQL 9: no server; set TEST_MYSQL_URL, or docker, or apt';
const SBIN = ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin', '/opt/homebrew/bin'];

let installation: Promise<SqlInstallation> | undefined;

/** Finds MySQL 9, or installs it where that needs no question; rejects with `ServerUnavailable`. */
export function ensureMysql(): Promise<SqlInstallation> {
  installation ??= find();
  return installation;
}

export async function startMysql(options: StartOptions & { guarded?: boolean } = {}): Promise<SqlServer> {
  return startSqlServer(await ensureMysql(), ARGS, options);
}

async function find(): Promise<SqlInstallation> {
  const own = which('mysqld', SBIN);
  if (own !== undefined) {
    const version = await acceptedVersion(own);
    if (version !== undefined) return installed(own, version, []);
  }
  if (await dockerAvailable()) return { kind: 'container', product: 'mysql', image: 'mysql:9' };
  if (!isDebian()) throw new ServerUnavailable(ADVICE);
  const tree = { name: 'mysql-9', suite: 'sid', packages: ['mysql-server-core'], programs: [PROGRAM] } as const;
  const root = await installing(ADVICE, ensureDebTree(tree));
  const program = join(root, PROGRAM);
  const version = await acceptedVersion(program);
  if (version === undefined) throw new ServerUnavailable('MySQL 9: the mysqld of Debian sid is not one');
  const place = [`--basedir=${root}/usr`, `--plugin-dir=${root}/usr/lib/mysql/plugin`];
  return installed(program, version, place);
}

async function installed(program: string, version: string, placeArgs: readonly string[]): Promise<SqlInstallation> {
  const template = await cached(`mysql-${version}-data`, async (dir) => {
    // The redo log is kept small here, since the folder is copied for each server.
    const data = [`--datadir=${dir}`, '--innodb-redo-log-capacity=8M'];
    await run(program, ['--no-defaults', ...placeArgs, ...userArgs(), '--initialize-insecure', ...data]);
  });
  return { kind: 'program', product: 'mysql', program, version, placeArgs, template };
}

/** A `mysqld` may be MariaDB's, or too old: only what it prints counts. */
async function acceptedVersion(program: string): Promise<string | undefined> {
  const text = (await probe(program, ['--no-defaults', '--version'])) ?? '';
  const [, version, major] = /Ver ((\d+)\.[\w.-]+)/.exec(text) ?? [];
  return !/mariadb/i.test(text) && Number(major) >= 9 ? version : undefined;
}
