// What a server answers decides whether it is asked again or the connector stops: trouble that passes is never the end.
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { isLockTimeout, sourceError } from '../../../../src/source/mysql/source-error.js';

function answer(errno: number, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { errno, ...more });
}

describe('an error of the source', () => {
  it.each([
    ['a lost connection', answer(0, 'Connection lost', { code: 'PROTOCOL_CONNECTION_LOST' })],
    ['a killed statement', answer(1317, 'Query execution was interrupted')],
    ['a deadlock', answer(1213, 'Deadlock found when trying to get lock')],
    ['a file of its own that it misses', answer(6, "Error on delete of '/tmp/#sql-temptable-1.MAI' (Errcode: 2)")],
    ['a disk that is full', answer(1021, 'Disk full')],
    ['a temporary table that is full', answer(1114, "The table '/tmp/#sql1' is full")],
    ['a storage engine in trouble', answer(1030, 'Got error 28 from storage engine')],
  ])('is tried again when it is %s', (_, error) => {
    expect(sourceError(error, 'being asked', 'u')).toMatchObject({ code: 'source-unreachable', retriable: true });
  });

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETDOWN', 'ECONNREFUSED'] as const)(
    'is tried again when the operating system says %s, whatever the driver has made of its code',
    (name) => {
      const errno = -constants.errno[name];
      for (const code of [name, 'HANDSHAKE_SSL_ERROR', undefined]) {
        const error = answer(errno, `read ${name}`, { code, fatal: true, syscall: 'read' });
        expect(sourceError(error, 'connecting', 'u')).toMatchObject({ code: 'source-unreachable', retriable: true });
      }
    },
  );

  it.each([
    ['source-access-denied', 1045],
    ['source-missing-grant', 1142],
    ['source-failed', 1064],
  ])('ends the task as %s for number %i', (code, errno) => {
    expect(sourceError(answer(errno, 'no'), 'being asked', 'u')).toMatchObject({ code, retriable: false });
  });

  it.each([
    ['client_ed25519', /ALTER USER 'cdc'@'%' IDENTIFIED VIA mysql_native_password/],
    ['authentication_ldap_sasl_client', /ALTER USER 'cdc'@'%' IDENTIFIED WITH caching_sha2_password/],
  ])('that asks for the unknown plug-in %s for passwords ends the task with the way out', (plugin, hint) => {
    const message = `Server requests authentication using unknown plugin ${plugin}. See TODO: add plugins doco here`;
    const error = Object.assign(new Error(message), { code: 'AUTH_SWITCH_PLUGIN_ERROR', fatal: true });
    expect(sourceError(error, 'connecting', 'cdc')).toMatchObject({
      code: 'source-access-denied',
      retriable: false,
      message: expect.stringContaining(plugin) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  it('is known as that of a lock that was not had', () => {
    const asked = (errno: number) => isLockTimeout(sourceError(answer(errno, 'no'), 'being asked', 'u'));
    expect([asked(1205), asked(1213)]).toEqual([true, false]);
  });
});
