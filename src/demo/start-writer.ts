// Starts the writer process. It ends when `stop` is called, and also when this process ends in whatever way. It has a process group
// of its own: Ctrl-C is for us, who then stop it; a signal that came before it listens would end it as a failure.
import { fork } from 'node:child_process';

export interface DemoWriter {
  readonly pid: number | undefined;
  /** Rejects when it ends by itself, which it never should. */
  readonly ended: Promise<void>;
  /** Resolves when it has ended, in whatever way. */
  stop(): Promise<void>;
}

export function startDemoWriter(file: string, seed?: number): DemoWriter {
  const child = fork(new URL('./writer.js', import.meta.url), seed === undefined ? [file] : [file, String(seed)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  let stopping = false;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (stopping) resolve();
      else reject(new Error(`the demo's writer ended (${signal ?? `code ${code}`})`));
    });
  });
  // Whoever does not ask for it must not be ended by it.
  ended.catch(() => {});
  return {
    pid: child.pid,
    ended,
    stop() {
      stopping = true;
      if (child.connected) child.disconnect();
      return ended.catch(() => {});
    },
  };
}
