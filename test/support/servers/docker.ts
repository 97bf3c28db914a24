// The same control over a server in a container, for machines that have Docker and no packages of ours. Ports are
// published on loopback only; the data lives in the container, which is removed by `close` or by the guard.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probe, run } from './command.js';
import { untilReady, type ServerControl } from './control.js';
import { openGuard } from './guard.js';

export interface ContainerSpec {
  name: string;
  image: string;
  /** Host port to port in the container. */
  ports: Readonly<Record<number, number>>;
  env: Readonly<Record<string, string>>;
  args: readonly string[];
  ready: () => Promise<void>;
  guarded?: boolean;
}

let answer: Promise<boolean> | undefined;

export function dockerAvailable(): Promise<boolean> {
  answer ??= probe('docker', ['info'], 10_000).then((text) => text !== undefined);
  return answer;
}

export function createContainerControl(spec: ContainerSpec): ServerControl & { readonly container: string } {
  const container = `writethrough-${spec.name}-${randomBytes(4).toString('hex')}`;
  const dir = mkdtempSync(join(tmpdir(), 'writethrough-container-'));
  const guard = spec.guarded === false ? undefined : openGuard({ dir, container });
  let created = false;
  let pid: number | undefined;

  return {
    container,
    get pid() {
      return pid;
    },
    start: async () => {
      await run('docker', created ? ['start', container] : runArgs(spec, container));
      created = true;
      pid = Number(await run('docker', ['inspect', '-f', '{{.State.Pid}}', container]));
      await untilReady(spec, () => undefined);
    },
    stop: async () => {
      await run('docker', ['stop', '-t', '30', container]);
      pid = undefined;
    },
    kill: async () => {
      await run('docker', ['kill', container]);
      pid = undefined;
    },
    close: async () => {
      await run('docker', ['rm', '-f', '-v', container]);
      rmSync(dir, { recursive: true, force: true });
      guard?.close();
      pid = undefined;
    },
  };
}

function runArgs(spec: ContainerSpec, container: string): string[] {
  const ports = Object.entries(spec.ports).flatMap(([host, inside]) => ['-p', `127.0.0.1:${host}:${inside}`]);
  const env = Object.entries(spec.env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  return ['run', '-d', '--name', container, ...ports, ...env, spec.image, ...spec.args];
}
