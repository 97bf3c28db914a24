// vitest's global set-up: one pool of servers per run, whatever the number of projects that name this file, started
// when the first test file asks (`sharedServers`). Test files run in other processes, so they ask over HTTP on loopback.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { openServerPool, SERVER_NAMES, type ServerPool } from './pool.js';
import { ServerUnavailable } from './unavailable.js';

declare module 'vitest' {
  export interface ProvidedContext {
    serverDesk: string;
  }
}

interface Desk {
  url: string;
  users: number;
  http: Server;
  pool: ServerPool;
  missing: Set<string>;
}

/** Each project loads its own copy of this module, so what they share hangs on the process. */
const KEY = Symbol.for('writethrough.test.servers');
const shared = globalThis as { [KEY]?: Promise<Desk> | undefined };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const opening = (shared[KEY] ??= openDesk());
  const desk = await opening;
  desk.users++;
  project.provide('serverDesk', desk.url);
  return async () => {
    desk.users--;
    if (desk.users > 0) return;
    shared[KEY] = undefined;
    desk.http.close();
    desk.http.closeAllConnections();
    await desk.pool.close();
    // Under CI these were failures, and have been shown as such.
    if (process.env['CI'] === 'true') return;
    for (const line of desk.missing) process.stderr.write(`e2e on ${line}\n`);
  };
}

async function openDesk(): Promise<Desk> {
  const pool = openServerPool();
  const missing = new Set<string>();
  const http = createServer((request, response) => {
    const name = SERVER_NAMES.find((known) => request.url === `/${known}`);
    if (name === undefined) {
      response.writeHead(404).end();
      return;
    }
    pool.get(name).then(
      (address) => {
        response.end(JSON.stringify(address));
      },
      (error: unknown) => {
        const unavailable = error instanceof ServerUnavailable;
        if (unavailable) missing.add(error.message.replace(': ', ' skipped: '));
        const cause = error instanceof Error ? `${error.message}${causes(error)}` : String(error);
        response.writeHead(unavailable ? 503 : 500).end(cause);
      },
    );
  });
  // An installation takes its time; nobody may hang up meanwhile.
  http.requestTimeout = 0;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, users: 0, http, pool, missing };
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\n(${error.cause.message})${causes(error.cause)}` : '';
}
