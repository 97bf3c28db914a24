// The test cache: a folder outside the work tree that holds what was fetched or built once (server trees, jars, a
// second Node). An entry appears whole or not at all, whatever dies on the way, and two processes that want the same
// entry do the work once. Nothing in it is precious: it may be removed at any time when no test runs.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export function cacheDir(): string {
  const dir = process.env['WRITETHROUGH_TEST_CACHE'] ?? join(homedir(), '.cache', 'writethrough-test');
  mkdirSync(dir, { recursive: true });
  return dir;
}

export function cachePath(name: string): string {
  return join(cacheDir(), name);
}

/** A short name for content: cache entries that depend on a text carry it, so that a change makes a new entry. */
export function contentKey(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12);
}

/** The entry `name` (a folder), built by `build` in a folder of its own and renamed into place when it succeeds. */
export async function cached(name: string, build: (dir: string) => Promise<void>): Promise<string> {
  const entry = cachePath(name);
  if (existsSync(entry)) return entry;
  const release = await lock(`${entry}.lock`);
  try {
    if (existsSync(entry)) return entry;
    const dir = `${entry}.${process.pid}-${randomBytes(3).toString('hex')}.tmp`;
    mkdirSync(dir, { recursive: true });
    try {
      await build(dir);
      renameSync(dir, entry);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
    return entry;
  } finally {
    release();
  }
}

/** The folder of package.json, also when this module runs compiled from `build/`. */
export function projectRoot(): string {
  for (let dir = dirname(fileURLToPath(import.meta.url)); ; dir = dirname(dir)) {
    if (existsSync(join(dir, 'package.json'))) return dir;
    if (dir === dirname(dir)) throw new Error('no package.json above the test support');
  }
}

async function lock(path: string): Promise<() => void> {
  const deadline = Date.now() + 15 * 60_000;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => {
        rmSync(path, { force: true });
      };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (holderIsGone(path)) rmSync(path, { force: true });
    else if (Date.now() > deadline) throw new Error(`another process has held ${path} for a quarter of an hour`);
    else await sleep(200);
  }
}

function holderIsGone(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
    return false; // alive, or the lock was taken this moment and its pid is not written yet
  } catch (error) {
    return error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT');
  }
}
