// Ends a server when the process that started it dies, even by SIGKILL. A small shell holds the reading end of a pipe
// whose other end only we have: the kernel closes it when we go, whatever the reason, and the shell then ends the
// server by its pid and removes its folder. No polling, and nothing to do for a run that ends in good order.
import { spawn } from 'node:child_process';

export interface Guard {
  /** The process to end; undefined when there is none at the moment. */
  watch(pid: number | undefined): void;
  close(): void;
}

export interface GuardOptions {
  dir: string;
  /** A container to remove, too. */
  container?: string;
}

const SCRIPT = `
dir=$1 container=$2 pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ] && [ "$pid" != 0 ]; then
  kill -TERM "$pid" 2>/dev/null
  tries=0
  while kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$pid" 2>/dev/null
fi
[ -n "$container" ] && docker rm -f -v "$container" >/dev/null 2>&1
rm -rf -- "$dir"
`;

export function openGuard(options: GuardOptions): Guard {
  // Detached, so that a signal to our process group does not take the guard along.
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'server-guard', options.dir, options.container ?? ''], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  const pipe = shell.stdin;
  pipe.on('error', () => undefined); // the guard itself was killed: the run goes on without it
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return {
    watch: (pid) => {
      if (pipe.writable) pipe.write(`${pid ?? 0}\n`);
    },
    close: () => {
      pipe.end();
    },
  };
}
