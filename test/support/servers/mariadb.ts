// MariaDB for tests: the machine's own, a container, or the one of the installed Debian release, unpacked beside the system.
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cached } from './cache.js';
import { probe, run, which } from './command.js';
import { ensureDebTree, isDebian } from './deb-tree.js';
import { dockerAvailable } from './docker.js';
import { startSqlServer, userArgs, type SqlInstallation, type SqlServer, type StartOptions } from './sql-server.js';
import { installing, ServerUnavailable } from './unavailable.js';

const PROGRAM = 'usr/sbin/mariadbd';
const ADVICE = 'MariaDB: no server; set TEST_MARIADB_URL, or docker, or apt';
const PLACES = ['/usr/sbin', '/usr/local/sbin', '/usr/local/mysql/bin', '/opt/homebrew/bin'];

let installation: Promise<SqlInstallation> | undefined;

/** Finds MariaDB 10.6 or later, or installs it where that needs no question; rejects with `ServerUnavailable`. */
export function ensureMariadb(): Promise<SqlInstallation> {
  installation ??= find();
  return installation;
}

export async function startMariadb(options: StartOptions & { guarded?: boolean } = {}): Promise<SqlServer> {
  return startSqlServer(await ensureMariadb(), [], options);
}

async function find(): Promise<SqlInstallation> {
  for (const name of ['mariadbd', 'mysqld']) {
    const own = which(name, PLACES);
    const setup = which('mariadb-install-db', own === undefined ? PLACES : [dirname(own), ...PLACES]);
    if (own === undefined || setup === undefined) continue;
    const version = await acceptedVersion(own);
    if (version !== undefined) return installed(own, setup, version, []);
  }
  if (await dockerAvailable()) return { kind: 'container', product: 'mariadb', image: 'mariadb:10.11' };
  if (!isDebian()) throw new ServerUnavailable(ADVICE);
  const tree = { name: 'mariadb', suite: 'installed', packages: ['mariadb-server-core'], programs: [PROGRAM] } as const;
  const root = await installing(ADVICE, ensureDebTree(tree));
  // The set-up script asks this program for option files; it lies in a package of clients, and we want none.
  const printDefaults = join(root, 'usr/bin/my_print_defaults');
  writeFileSync(printDefaults, '#!/bin/sh\nexit 0\n');
  chmodSync(printDefaults, 0o755);
  const program = join(root, PROGRAM);
  const version = await acceptedVersion(program);
  if (version === undefined) throw new ServerUnavailable('MariaDB: the mariadbd of this Debian is too old');
  return installed(program, join(root, 'usr/bin/mariadb-install-db'), version, [`--basedir=${root}/usr`]);
}

async function installed(
  program: string,
  setup: string,
  version: string,
  placeArgs: readonly string[],
): Promise<SqlInstallation> {
  const template = await cached(`mariadb-${version}-data`, async (dir) => {
    const root = ['--auth-root-authentication-method=normal', '--skip-test-db'];
    await run(setup, ['--no-defaults', ...placeArgs, ...userArgs(), ...root, `--datadir=${dir}`]);
  });
  return { kind: 'program', product: 'mariadb', program, version, placeArgs, template };
}

async function acceptedVersion(program: string): Promise<string | undefined> {
  const text = (await probe(program, ['--no-defaults', '--version'])) ?? '';
  const [, version, major, minor] = /Ver ((\d+)\.(\d+)\.[\w.]+)-MariaDB/.exec(text) ?? [];
  return Number(major) > 10 || (Number(major) === 10 && Number(minor) >= 6) ? version : undefined;
}
