// The program under test as a process: started from `dist`, killed as a crash would, started again on the same data folder.
// Nothing is left behind when the test run dies. Its log lines go to a file, whose end is part of every failure.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectRoot } from '../servers/cache.js';
import { freePort, tail } from '../servers/command.js';
import { openGuard } from '../servers/guard.js';
import { request } from './http-client.js';

export interface AppOptions {
  /** `--source` and the like. */
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** File descriptors that it may have. */
  readonly filesMax?: number;
}

export interface StartResult {
  /** `ended`: the process ended before it was ready, as a failpoint makes it. */
  readonly state: 'ready' | 'ended';
  readonly ms: number;
}

export interface App {
  readonly url: string;
  /** Folder of this run; `data` and the log lie in it. */
  readonly dir: string;
  readonly dataDir: string;
  readonly running: boolean;
  readonly pid: number | undefined;
  /** `env` is added for this start only. */
  start(options?: { env?: NodeJS.ProcessEnv; waitReady?: boolean }): Promise<StartResult>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: it sleeps, as a paused virtual machine does, until `wake`. */
  sleep(): void;
  /** SIGCONT. */
  wake(): void;
  /** SIGTERM; resolves with the exit code, or rejects after a deadline. */
  stop(): Promise<number>;
  /** Resolves when the process ends by itself; false at the deadline. */
  ended(timeoutMs: number): Promise<boolean>;
  log(): string;
  /** Ends the process and removes the folder. */
  close(): Promise<void>;
}

/** Variables of the tests are none of the program, which refuses what it does not know. */
function inherited(): NodeJS.ProcessEnv {
  const own = ['WRITETHROUGH_MAIN', 'WRITETHROUGH_KEEP', 'WRITETHROUGH_TEST_CACHE'];
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
}

const readyDeadlineMs = 60_000;
const stopDeadlineMs = 20_000;

export async function openApp(options: AppOptions = {}): Promise<App> {
  // Another build can be put to the test, such as the one that was packed.
  const main = process.env['WRITETHROUGH_MAIN'] ?? join(projectRoot(), 'dist', 'main.js');
  if (!existsSync(main)) throw new Error(`${main} is missing: run npm run build first`);
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-app-'));
  const dataDir = join(dir, 'data');
  mkdirSync(dataDir);
  const logPath = join(dir, 'app.log');
  // A folder that is to be looked at afterwards is not the guard's to remove.
  const keep = process.env['WRITETHROUGH_KEEP'] === '1';
  const guard = openGuard({ dir: keep ? join(dir, 'guard') : dir });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const log = (): string => (existsSync(logPath) ? readFileSync(logPath, 'utf8') : '');

  async function start(extra: { env?: NodeJS.ProcessEnv; waitReady?: boolean } = {}): Promise<StartResult> {
    if (child !== undefined) throw new Error('the program runs already');
    const out = openSync(logPath, 'a');
    const args = [main, 'start', '--data', dataDir, '--port', String(port), ...(options.args ?? [])];
    const env = {
      ...inherited(),
      WRITETHROUGH_LOG_FORMAT: 'json',
      // Files of tests lie anywhere.
      WRITETHROUGH_SOURCES_ALLOWED: 'mysql://*,sqlite:/',
      ...options.env,
      ...extra.env,
    };
    const [program, ...rest] =
      options.filesMax === undefined
        ? [process.execPath, ...args]
        : ['/bin/sh', '-c', `ulimit -n ${options.filesMax}; exec "$0" "$@"`, process.execPath, ...args];
    const started = spawn(program!, rest, { cwd: dir, stdio: ['ignore', out, out], env });
    closeSync(out);
    started.on('exit', () => {
      guard.watch(undefined);
      if (child === started) child = undefined;
    });
    guard.watch(started.pid);
    child = started;
    const begun = performance.now();
    if (extra.waitReady === false) return { state: 'ready', ms: 0 };
    while (child === started) {
      const ready = await isReady();
      const ms = performance.now() - begun;
      if (ready) return { state: 'ready', ms };
      if (ms > readyDeadlineMs) throw failure(`not ready after ${readyDeadlineMs} ms`);
      await sleep(10);
    }
    return { state: 'ended', ms: performance.now() - begun };
  }

  async function isReady(): Promise<boolean> {
    try {
      return (await request(`${url}/readyz`, { timeoutMs: 5_000 })).status === 200;
    } catch {
      return false; // it does not listen yet, or has just ended
    }
  }

  async function signal(name: NodeJS.Signals): Promise<number> {
    const ending = child;
    if (ending === undefined) return 0;
    const gone = once(ending, 'exit') as Promise<[number | null, string | null]>;
    ending.kill(name);
    const timer = new AbortController();
    const late = sleep(stopDeadlineMs, undefined, { signal: timer.signal, ref: false }).then(
      () => 'late' as const,
      () => 'late' as const,
    );
    const result = await Promise.race([gone, late]);
    timer.abort();
    if (result === 'late') {
      ending.kill('SIGKILL');
      throw failure(`did not end in ${stopDeadlineMs} ms after ${name}`);
    }
    child = undefined;
    return result[0] ?? -1;
  }

  function failure(message: string): Error {
    return new Error(`the program: ${message}; its log ends with:\n${tail(log())}`);
  }

  return {
    url,
    dir,
    dataDir,
    get running() {
      return child !== undefined;
    },
    get pid() {
      return child?.pid;
    },
    start,
    kill: async () => void (await signal('SIGKILL')),
    sleep: () => void child?.kill('SIGSTOP'),
    wake: () => void child?.kill('SIGCONT'),
    stop: () => signal('SIGTERM'),
    ended: async (timeoutMs) => {
      const deadline = Date.now() + timeoutMs;
      while (child !== undefined && Date.now() < deadline) await sleep(10);
      return child === undefined;
    },
    log,
    close: async () => {
      await signal('SIGKILL');
      if (keep) process.stderr.write(`kept ${dir}\n`);
      else rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
      guard.close();
    },
  };
}
