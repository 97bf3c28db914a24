// A private tree of Debian packages in the test cache: the packages and everything below them (the C library, too) are
// resolved by apt against an empty package database, unpacked there, and programs run through the tree's own loader.
// So a server of Debian sid runs on Debian stable without root, without chroot, and without a change of the system.
// Mirrors are read from apt's own configuration at run time.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cached } from './cache.js';
import { run, which } from './command.js';

export interface DebTree {
  /** Name of the cache entry; change it when the recipe changes. */
  name: string;
  /** 'installed': the release this machine runs. */
  suite: 'sid' | 'installed';
  packages: readonly string[];
  /** Programs to run, as paths in the tree. */
  programs: readonly string[];
}

export function isDebian(): boolean {
  return /^ID=debian$/m.test(osRelease()) && which('apt-get') !== undefined && which('dpkg-deb') !== undefined;
}

/** The root folder of the tree. Its programs must be called by absolute path. */
export function ensureDebTree(tree: DebTree): Promise<string> {
  return cached(tree.name, async (dir) => {
    const apt = join(dir, '.apt');
    const options = await aptOptions(apt, tree.suite);
    await run('apt-get', [...options, '-q', 'update']);
    const install = ['-q', '-y', '--download-only', '--no-install-recommends', 'install'];
    await run('apt-get', [...options, ...install, ...tree.packages]);
    for (const file of readdirSync(join(apt, 'archives')).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(apt, 'archives', file), dir]);
    }
    rmSync(apt, { recursive: true, force: true });
    for (const program of tree.programs) wrap(dir, program);
  });
}

async function aptOptions(apt: string, suite: DebTree['suite']): Promise<string[]> {
  for (const name of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, name), { recursive: true });
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(join(apt, 'sources.list'), await sources(suite));
  const settings = {
    'Dir::State': apt,
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    // The unprivileged download user of apt cannot write below a home folder.
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '3',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** The machine's own sources; for sid, the same mirror with another suite. */
async function sources(suite: DebTree['suite']): Promise<string> {
  const format = '$(SITE) $(RELEASE) $(COMPONENT)';
  const targets = (await run('apt-get', ['indextargets', '--format', format, 'Created-By: Packages']))
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter((parts): parts is [string, string, string] => parts.length === 3 && parts[2] === 'main');
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(osRelease())?.[1] ?? 'sid';
  const own = targets.filter(([, release]) => release === codename || release.startsWith(`${codename}-`));
  const mirror = own.find(([, release]) => release === codename)?.[0] ?? targets[0]?.[0];
  if (mirror === undefined) throw new Error('apt knows no Debian mirror');
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const signed = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  const wanted = suite === 'sid' ? [[mirror, 'sid'] as const] : own.map(([site, release]) => [site, release] as const);
  return wanted.map(([site, release]) => `deb ${signed}${site} ${release} main\n`).join('');
}

/** Replaces a program by a script of the same name that starts it through the tree's loader and libraries. */
function wrap(dir: string, program: string): void {
  const libraries = ['lib', 'usr/lib'].flatMap((base) => entries(dir, base, /-linux-gnu/));
  const loader = libraries.flatMap((library) => entries(dir, library, /^ld-linux.*\.so/))[0];
  if (loader === undefined) throw new Error(`no program loader among the packages of ${dir}`);
  const path = join(dir, program);
  renameSync(path, `${path}.elf`);
  // The tree is renamed into place after this, so the script finds it by the path it was called by. OpenSSL looks for
  // its modules where the package would have put them; those of the system may be of another version.
  writeFileSync(
    path,
    `#!/bin/sh
root=\${0%/${program}}
OPENSSL_MODULES=$root/${libraries.at(-1)}/ossl-modules exec "$root/${loader}" \\
  --library-path "${libraries.map((library) => `$root/${library}`).join(':')}" "$root/${program}.elf" "$@"
`,
  );
  chmodSync(path, 0o755);
}

function entries(dir: string, base: string, pattern: RegExp): string[] {
  if (!existsSync(join(dir, base))) return [];
  return readdirSync(join(dir, base))
    .filter((name) => pattern.test(name))
    .map((name) => `${base}/${name}`);
}

function osRelease(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}
