// A second Node for the smoke test of the packed program: Node 24 as its npm package, in the test cache, with headers
// beside the binary. better-sqlite3 is built against those headers once, since every Node has a binary interface of its
// own, and put into whatever is installed later.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cached, projectRoot } from './cache.js';
import { run } from './command.js';

export interface SecondNode {
  readonly binary: string;
  /** As `--version` prints it. */
  readonly version: string;
  /** For child processes: this Node first on the PATH, and its headers for node-gyp. */
  readonly env: NodeJS.ProcessEnv;
  /** better-sqlite3, built for it. */
  readonly betterSqlite3: string;
}

let second: Promise<SecondNode> | undefined;

export function ensureNode24(): Promise<SecondNode> {
  second ??= install();
  return second;
}

/** Installs a packed program (`npm pack`) with what it depends on into an empty folder; returns the package's folder. */
export async function installPacked(options: { tarball: string; dir: string; name: string }): Promise<string> {
  const node = await ensureNode24();
  mkdirSync(options.dir, { recursive: true });
  writeFileSync(join(options.dir, 'package.json'), '{ "private": true }\n');
  // No scripts: the only one that matters would compile better-sqlite3, which lies ready.
  await npm(['install', '--ignore-scripts', '--omit=dev', options.tarball], options.dir, node.env);
  const target = join(options.dir, 'node_modules', 'better-sqlite3', 'build');
  cpSync(join(node.betterSqlite3, 'build'), target, { recursive: true });
  return join(options.dir, 'node_modules', options.name);
}

async function install(): Promise<SecondNode> {
  const os = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${os}-${process.arch}`;
  const home = await cached(`node-24-${os}-${process.arch}`, async (dir) => {
    writeFileSync(join(dir, 'package.json'), '{ "private": true }\n');
    await npm(['install', '--ignore-scripts', `${name}@24`], dir, process.env);
  });
  const root = join(home, 'node_modules', name);
  const binary = join(root, 'bin', 'node');
  const version = (await run(binary, ['--version'])).trim();
  const path = `${dirname(binary)}${delimiter}${process.env['PATH'] ?? ''}`;
  const env = { ...process.env, PATH: path, npm_config_nodedir: root };
  return { binary, version, env, betterSqlite3: await buildBetterSqlite3(version, env) };
}

async function buildBetterSqlite3(nodeVersion: string, env: NodeJS.ProcessEnv): Promise<string> {
  const manifest = join(projectRoot(), 'node_modules', 'better-sqlite3', 'package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const home = await cached(`better-sqlite3-${version}-node-${nodeVersion}`, async (dir) => {
    const manifest = { private: true, allowScripts: { 'better-sqlite3': true } };
    writeFileSync(join(dir, 'package.json'), JSON.stringify(manifest));
    await npm(['install', `better-sqlite3@${version}`], dir, env);
    const addon = join(dir, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node');
    if (!existsSync(addon)) throw new Error('better-sqlite3 was installed without its addon: are install scripts off?');
  });
  return join(home, 'node_modules', 'better-sqlite3');
}

async function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  await run('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier'], { cwd, env });
}
