// The client of the command line against a server that accepts connections and says nothing, or half of an answer.
import { afterEach, expect, it } from 'vitest';
import { createClient } from '../../../src/cli/client.js';
import { startSilentServer, type SilentServer } from '../../support/silent-server.js';

let server: SilentServer;
afterEach(() => server.close());

const half = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":';

it.each([
  ['nothing', ''],
  ['half of a head', 'HTTP/1.1 200 OK\r\nContent-'],
  ['half of a body', half],
])('a server that says %s is unreachable within the deadline', async (_what, greeting) => {
  server = await startSilentServer(Buffer.from(greeting));
  const client = createClient(`http://${server.host}:${server.port}`, 300);
  const startMs = performance.now();
  await expect(client.json('/v1/status')).rejects.toMatchObject({
    code: 'server-unreachable',
    message: expect.stringContaining('has not answered for 0.3 s') as string,
    hint: expect.stringContaining('log') as string,
  });
  expect(performance.now() - startMs).toBeLessThan(2000);
});

it('a stream may be silent once it has begun', async () => {
  server = await startSilentServer(Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none\n\r\n'));
  const stop = new AbortController();
  const lines = createClient(`http://${server.host}:${server.port}`, 200).lines('/changes', { signal: stop.signal });
  const iterator = lines[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: 'one' });
  const next = iterator.next().then(
    () => 'answered',
    (error: unknown) => (error as Error).name,
  );
  const waited = new Promise((resolve) => setTimeout(() => resolve('waits'), 600));
  expect(await Promise.race([next, waited])).toBe('waits');
  stop.abort();
  expect(await next).toBe('AbortError');
});
