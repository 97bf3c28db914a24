// Compiles the journal library (journal.c) once per content, and says how a program is started under it.
import { copyFileSync, existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { cached, contentKey, projectRoot } from '../servers/cache.js';
import { run, which } from '../servers/command.js';

/** Undefined where a power loss can be simulated, else the reason: Linux with a C compiler is needed. */
export function powerLossUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD is Linux only';
  return which('cc') === undefined ? 'no C compiler' : undefined;
}

/** Environment for the program under test. The journal must lie outside the folder; the folder must exist. */
export async function journalEnvironment(options: { folder: string; journal: string }): Promise<NodeJS.ProcessEnv> {
  return {
    LD_PRELOAD: await library(),
    POWER_LOSS_JOURNAL: options.journal,
    POWER_LOSS_ROOT: realpathSync(options.folder),
  };
}

async function library(): Promise<string> {
  const source = join(projectRoot(), 'test', 'support', 'power-loss', 'journal.c');
  if (!existsSync(source)) throw new Error(`${source} is missing`);
  const dir = await cached(`power-loss-${contentKey(readFileSync(source, 'utf8'), process.arch)}`, async (folder) => {
    copyFileSync(source, join(folder, 'journal.c'));
    const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror'];
    await run('cc', [...flags, '-o', 'journal.so', 'journal.c', '-ldl', '-lpthread'], { cwd: folder });
  });
  return join(dir, 'journal.so');
}
