// Servers that are broken, or mean ill: whatever comes instead of an answer, what is asked ends within its deadline, with an error that
// tells of the source, and little of what was sent is ever held.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toAppError } from '../../../../src/core/errors.js';
import { silentLogger } from '../../../../src/core/logger.js';
import { createMysqlSource } from '../../../../src/source/mysql/mysql-source.js';
import { greeting, misbehaviours, startFakeMysql } from '../../../support/fake-mysql.js';
import { mysqlConfig } from '../../../support/source/mysql-config.js';
import { runSource } from '../../../support/source-run.js';

const ofTheSource = [
  'source-unreachable',
  'source-failed',
  'source-answer-too-large',
  'source-access-denied',
  'source-missing-grant',
  'source-misconfigured',
  'filter-matches-nothing',
];
const timeouts = { 'connect.timeout.ms': '300', 'database.query.timeout.ms': '300' };
/** Of all together, with what the servers have made to send. */
const heldBytesMax = 500 << 20;

const config = (server: { readonly host: string; readonly port: number }, more: Record<string, string> = {}) =>
  mysqlConfig({ ...server, user: 'root', password: 'secret' }, 'shop', {
    'database.ssl.mode': 'disabled',
    ...timeouts,
    ...more,
  });

describe.concurrent('a server that', () => {
  const before = process.memoryUsage();
  let heldBytes = 0;
  let timer: NodeJS.Timeout | undefined;
  beforeAll(() => {
    timer = setInterval(() => {
      const { heapUsed, external } = process.memoryUsage();
      heldBytes = Math.max(heldBytes, heapUsed + external - before.heapUsed - before.external);
    }, 10);
  });
  afterAll(() => {
    clearInterval(timer);
    expect(heldBytes).toBeLessThan(heldBytesMax);
  });

  it.for(Object.entries(misbehaviours))('%s is told of in time', { timeout: 30_000 }, async ([, what], { expect }) => {
    const server = await startFakeMysql(what);
    try {
      const source = createMysqlSource(config(server), silentLogger);
      const codes = await source.validate().then(
        (found) => found.filter(({ severity }) => severity === 'error').map(({ code }) => code),
        (error: unknown) => [toAppError(error).code],
      );
      expect(codes.filter((code) => !ofTheSource.includes(code))).toEqual([]);
      expect(codes.length).toBeGreaterThan(0);
      await source.close();

      const run = runSource(createMysqlSource(config(server), silentLogger), null);
      let code: string | undefined;
      run.failure().then(
        (error) => (code = toAppError(error).code),
        () => {}, // it was stopped before it failed
      );
      const ended = () =>
        code ?? (run.states.some(({ phase }) => phase === 'waiting') ? 'source-unreachable' : undefined);
      await expect.poll(ended, { timeout: 20_000 }).toBeDefined();
      expect(ofTheSource).toContain(ended());
      await run.stop();
    } finally {
      await server.close();
    }
  });
});

describe('a server without TLS', () => {
  /** What it gets from who logs in, packet by packet; it asks by `plugin` for the whole password. */
  async function login(plugin: string, more: Record<string, string>, host = '127.0.0.1') {
    const received: string[] = [];
    let step = 0;
    const server = await startFakeMysql({
      greet: (connection) => connection.send(greeting('mysql_native_password')),
      login: (connection) => {
        step++;
        if (step === 1) connection.send(Buffer.from(`\xfe${plugin}\0abcdefghijklmnopqrst\0`, 'latin1'));
        else if (step === 2 && plugin === 'caching_sha2_password') connection.send(Buffer.from([1, 4]));
        else received.push('key asked for');
      },
    });
    const source = createMysqlSource(config({ ...server, host }, more), silentLogger);
    const error = await source.validate().then(
      () => undefined,
      (thrown: unknown) => toAppError(thrown),
    );
    await source.close();
    await server.close();
    return { received, code: error?.code, place: error?.place?.path };
  }

  const property = 'database.allowPublicKeyRetrieval';
  it.each(['caching_sha2_password', 'sha256_password'])(
    'is not asked for a key by %s, unless that is allowed',
    async (plugin) => {
      const refused = { received: [], code: 'source-access-denied', place: property };
      expect(await login(plugin, { [property]: 'false' })).toEqual(refused);
      // On this machine, by default.
      expect(await login(plugin, {})).toMatchObject({ received: ['key asked for'], code: 'source-unreachable' });
      expect(await login(plugin, { [property]: 'true' })).toMatchObject({ received: ['key asked for'] });
    },
  );
});
