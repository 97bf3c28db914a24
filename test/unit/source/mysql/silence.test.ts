// A server that accepts connections and says nothing, or half a greeting: every question ends within its deadline, and stopping waits
// for none.
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../../src/core/logger.js';
import { createMysqlSource } from '../../../../src/source/mysql/mysql-source.js';
import { startSilentServer, type SilentServer } from '../../../support/silent-server.js';
import { mysqlConfig } from '../../../support/source/mysql-config.js';
import { runSource } from '../../../support/source-run.js';

/** The beginning of a handshake: its length says that more comes. */
const halfGreeting = Buffer.concat([Buffer.from([0x4a, 0, 0, 0, 10]), Buffer.from('8.4.0-half\0')]);
const servers = [
  ['nothing', Buffer.alloc(0)],
  ['half a greeting', halfGreeting],
] as const;

let server: SilentServer;
afterEach(() => server.close());

const source = (deadlineMs: number) =>
  createMysqlSource(
    mysqlConfig({ ...server, user: 'u', password: 'p' }, 'db', { 'connect.timeout.ms': String(deadlineMs) }),
    silentLogger,
  );
const unanswered = {
  code: 'source-unreachable',
  retriable: true,
  message: expect.stringMatching(/has not answered for 0\.3 s while connecting to 127\.0\.0\.1:\d+/) as string,
  hint: expect.stringContaining('connect.timeout.ms') as string,
  place: { path: 'connect.timeout.ms' },
};

describe.each(servers)('a source that says %s', (_what, greeting) => {
  it.each([
    ['validate', () => source(300).validate()],
    ['recognise', () => source(300).recognise({ identity: undefined, position: null })],
  ])('%s rejects within its deadline', async (_name, ask) => {
    server = await startSilentServer(greeting);
    const startMs = performance.now();
    await expect(ask()).rejects.toMatchObject(unanswered);
    expect(performance.now() - startMs).toBeLessThan(3000);
  });

  it('a task waits and tries again, and says why', async () => {
    server = await startSilentServer(greeting);
    const run = runSource(source(300), null);
    try {
      await expect.poll(() => server.connections, { timeout: 10_000 }).toBeGreaterThan(1);
      expect(run.states.filter(({ phase }) => phase === 'waiting').at(-1)!.reason).toMatch(
        /has not answered for 0\.3 s while connecting/,
      );
    } finally {
      await run.stop();
    }
  });

  it('a task that is stopped, and a question whose source is closed, wait for no deadline', async () => {
    server = await startSilentServer(greeting);
    const run = runSource(source(60_000), null);
    const asked = source(60_000);
    const answer = asked.validate().then(
      () => 'answered',
      (error: unknown) => (error as Error).name,
    );
    await expect.poll(() => server.connections, { timeout: 10_000 }).toBe(2);
    const startMs = performance.now();
    await run.stop();
    await asked.close();
    expect(await answer).toBe('AbortError');
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});
