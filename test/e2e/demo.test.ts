// The demo as a newcomer meets it: it greets when what it proposes works, and Ctrl-C ends it at any moment with all its processes.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { request } from '../support/harness/http-client.js';
import { waitFor } from '../support/harness/wait-for.js';
import { projectRoot } from '../support/servers/cache.js';
import { freePort } from '../support/servers/command.js';

let dir = '';
let child: ChildProcess | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'writethrough-demo-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

/** In a process group of its own, as a terminal starts it; `interrupt` is Ctrl-C, for the whole group. */
async function startDemo(args: readonly string[] = []) {
  const port = await freePort();
  const main = join(projectRoot(), 'dist', 'main.js');
  const started = spawn(process.execPath, [main, 'demo', '--port', String(port), ...args], {
    cwd: dir,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child = started;
  let output = '';
  for (const stream of [started.stdout, started.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const ended = once(started, 'exit') as Promise<[number | null, string | null]>;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    ended,
    output: () => output,
    greeted: () => waitFor('the greeting', () => output.includes('Ctrl-C stops')),
    answers: () =>
      waitFor('the first answer', async () => (await request(`${url}/livez`)).status === 200, { intervalMs: 5 }),
    interrupt: async () => {
      process.kill(-started.pid!, 'SIGINT');
      return ended;
    },
  };
}

it('greets when its first proposal works, and goes on where it was after Ctrl-C', async () => {
  const demo = await startDemo();
  await demo.greeted();
  const row = await request(`${demo.url}/v1/tables/employees/rows/7`);
  expect(row.status).toBe(200);
  expect(await demo.interrupt()).toEqual([0, null]);
  const version = String(row.headers['writethrough-version']);

  const again = await startDemo(['--no-writer']);
  await again.greeted();
  const later = await request(`${again.url}/v1/tables/employees/rows/7?atLeast=${encodeURIComponent(version)}`);
  expect(later.status).toBe(200);
  expect(await again.interrupt()).toEqual([0, null]);
  expect(existsSync(join(dir, 'writethrough-data', 'company.db-wal')), 'nobody has the sample open').toBe(false);
});

it('says what is wrong with its folder', async () => {
  const demo = await startDemo(['--data', '/dev/null/folder']);
  expect(await demo.ended).toEqual([1, null]);
  expect(demo.output()).toContain('data-folder-unusable: cannot use /dev/null/folder as data folder');
});

it('leaves nothing behind when its port is taken', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const demo = await startDemo(['--port', String(port)]);
  expect(await demo.ended).toEqual([1, null]);
  other.close();
  expect(demo.output()).toContain('port-in-use');
  expect(readdirSync(join(dir, 'writethrough-data')).filter((name) => !name.includes('lock'))).toEqual([]);
});

it.skipIf(process.platform === 'win32')('ends with npm, when only npm gets the signal', async () => {
  const port = await freePort();
  const data = join(dir, 'data');
  const args = ['start', '--', '--no-writer', '--port', String(port), '--data', data];
  const npm = spawn('npm', args, { cwd: projectRoot(), detached: true, stdio: 'ignore' });
  child = npm;
  const ended = once(npm, 'exit');
  const url = `http://127.0.0.1:${port}/livez`;
  await waitFor('the first answer', async () => (await request(url)).status === 200);
  npm.kill('SIGTERM');
  await ended;
  await waitFor('the port to be free', () =>
    request(url).then(
      () => false,
      () => true,
    ),
  );
  // The lock is free too: a program that went on would hold it.
  const again = await startDemo(['--no-writer', '--data', data]);
  await again.greeted();
  expect(await again.interrupt()).toEqual([0, null]);
});

it('ends at Ctrl-C however early it comes', async () => {
  // As soon as it listens: connectors, queries and writer are on their way.
  for (let i = 0; i < 3; i++) {
    const demo = await startDemo();
    await demo.answers();
    const [code, signal] = await demo.interrupt();
    expect([code === 0 || signal === 'SIGINT', demo.output()]).toEqual([true, expect.any(String)]);
  }
});
