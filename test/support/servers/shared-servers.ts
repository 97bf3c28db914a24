// How a test file gets the servers that the run shares:
//
//   const servers = await sharedServers('mysql', 'kafka');
//   describe.skipIf(servers.missing)('orders', () => { ... servers.mysql.url ... servers.kafka.brokers ... });
//
// at the top of the file, so that an installation counts against no test's time. A server that cannot be had is an
// error under CI and else a skip that the run reports at its end.
import { get } from 'node:http';
import { inject } from 'vitest';
import type { ServerAddresses, ServerName } from './pool.js';

export type SharedServers<N extends ServerName> = { readonly [K in N]: ServerAddresses[K] } & {
  /** Why the tests cannot run; false when they can. */
  readonly missing: string | false;
};

export async function sharedServers<N extends ServerName>(...names: N[]): Promise<SharedServers<N>> {
  const answers = await Promise.all(names.map(async (name) => [name, await ask(name)] as const));
  let missing: string | false = false;
  const servers = {};
  for (const [name, answer] of answers) {
    if (answer.address === undefined) missing = answer.reason;
    Object.defineProperty(servers, name, {
      enumerable: true,
      get: () => {
        if (answer.address === undefined) throw new Error(answer.reason);
        return answer.address;
      },
    });
  }
  return Object.assign(servers, { missing }) as SharedServers<N>;
}

type Answer = { address: object } | { address?: undefined; reason: string };

async function ask(name: ServerName): Promise<Answer> {
  const desk = inject('serverDesk');
  if (!desk) throw new Error('this test project lacks the global set-up test/support/servers/global-setup.ts');
  const { status, body } = await request(`${desk}/${name}`);
  if (status === 200) return { address: JSON.parse(body) as object };
  if (status === 503 && process.env['CI'] !== 'true') return { reason: body };
  throw new Error(body);
}

/** Not `fetch`: it gives up after five minutes without an answer, and a slow machine may install for longer. */
function request(url: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => resolve({ status: response.statusCode ?? 500, body }));
      response.on('error', reject);
    }).on('error', reject);
  });
}
