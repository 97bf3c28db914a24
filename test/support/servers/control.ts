// One server program under our hand, as a process of this machine or as a container: started, ended and started again
// on the same data. What it promises in both forms: `start` resolves when the server answers, `stop` asks first and
// forces after a deadline, and nothing is left behind when the test run dies, however it dies (see `guard.ts`).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tail } from './command.js';
import { openGuard, type Guard } from './guard.js';

export interface ServerControl {
  /** Undefined while the server is down. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL: the crash of a server. */
  kill(): Promise<void>;
  /** Stop, and remove the data. */
  close(): Promise<void>;
}

export interface ProcessSpec {
  /** For messages. */
  name: string;
  file: string;
  /** Asked anew at each start. */
  args: () => readonly string[];
  env?: NodeJS.ProcessEnv;
  /** Folder of this server alone (data, socket, log); removed by `close`. */
  dir: string;
  logPath: string;
  /** Rejects while the server is not ready. */
  ready: () => Promise<void>;
  readyDeadlineMs?: number;
  stopDeadlineMs?: number;
  /** False lets the server outlive this process: only for the command line tool. */
  guarded?: boolean;
}

export function createProcessControl(spec: ProcessSpec): ServerControl {
  const guard: Guard | undefined = spec.guarded === false ? undefined : openGuard({ dir: spec.dir });
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    if (child !== undefined) throw new Error(`${spec.name} runs already`);
    const log = openSync(spec.logPath, 'a');
    // Detached: Ctrl-C goes to the test run, which ends its servers itself.
    const started = spawn(spec.file, spec.args(), {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...spec.env },
    });
    closeSync(log);
    let failure: Error | undefined;
    started.on('error', (error) => (failure = error));
    started.on('exit', () => {
      if (child === started) child = undefined;
      guard?.watch(undefined);
    });
    started.unref();
    child = started;
    guard?.watch(started.pid);
    try {
      await untilReady(spec, () => failure ?? (hasEnded(started) ? new Error('it ended at once') : undefined));
    } catch (error) {
      if (!hasEnded(started)) await end(started, 'SIGKILL', 0);
      child = undefined;
      throw new Error(`${spec.name} did not start; its log ends with:\n${logTail(spec.logPath)}`, { cause: error });
    }
  }

  async function finish(signal: NodeJS.Signals): Promise<void> {
    const ending = child;
    if (ending === undefined) return;
    await end(ending, signal, spec.stopDeadlineMs ?? 30_000);
    child = undefined;
  }

  return {
    get pid() {
      return child?.pid;
    },
    start,
    stop: () => finish('SIGTERM'),
    kill: () => finish('SIGKILL'),
    close: async () => {
      await finish('SIGTERM');
      rmSync(spec.dir, { recursive: true, force: true, maxRetries: 3 });
      guard?.close();
    },
  };
}

/** Polls `ready` until it resolves; gives up at the deadline or as soon as `ended` names a reason. */
export async function untilReady(
  spec: Pick<ProcessSpec, 'ready' | 'readyDeadlineMs'>,
  ended: () => Error | undefined,
): Promise<void> {
  const deadline = Date.now() + (spec.readyDeadlineMs ?? 120_000);
  for (;;) {
    const reason = ended();
    if (reason !== undefined) throw reason;
    try {
      await spec.ready();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await sleep(50);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function end(child: ChildProcess, signal: NodeJS.Signals, deadlineMs: number): Promise<void> {
  if (hasEnded(child) || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.ref();
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  await gone;
  clearTimeout(timer);
}

function logTail(path: string): string {
  try {
    return tail(readFileSync(path, 'utf8'));
  } catch {
    return '(no log)';
  }
}
