// A second Node for the smoke test of the packed program: Node 24 as its npm package, in the test cache. Nothing is compiled for it:
// there the program takes the SQLite driver that is shipped built (`src/sqlite/driver.ts`).
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { cached } from './cache.js';
import { run } from './command.js';

export interface SecondNode {
  readonly binary: string;
  /** As `--version` prints it. */
  readonly version: string;
  /** For child processes: this Node first on the PATH. */
  readonly env: NodeJS.ProcessEnv;
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
  // No scripts: the only one would compile the driver of Node 20.
  await npm(['install', '--ignore-scripts', '--omit=dev', options.tarball], options.dir, node.env);
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
  return { binary, version, env: { ...process.env, PATH: path } };
}

async function npm(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  await run('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier'], { cwd, env });
}
