// One mapper from what driver and server report to errors of ours: which are worth another try, and which end the task with a
// reason that the operator can act on.
import { getSystemErrorName } from 'node:util';
import { AppError, toAppError } from '../../core/errors.js';

/** Errors that pass: the network, a server that restarts or is full, a connection that was killed. */
const passing: ReadonlySet<string> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'PROTOCOL_UNEXPECTED_PACKET',
  'HANDSHAKE_UNKNOWN_ERROR',
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_STREAM_DESTROYED',
]);
/** The server's numbers: too many connections, shutdown, aborted, read/write trouble, killed, lock wait, query interrupted. */
const passingNumbers: ReadonlySet<number> = new Set([
  1040, 1053, 1077, 1079, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1226, 1317, 1927, 3169, 4031,
]);
/**
 * What the server lacks at the moment, and gets again: memory, files, room for a temporary table, threads. Its libraries number such
 * trouble below 1000 (the reference of server errors, "Global error message reference").
 */
const lackingNumbers: ReadonlySet<number> = new Set([
  1004, 1016, 1020, 1021, 1023, 1024, 1026, 1030, 1037, 1038, 1041, 1114, 1135, 1206,
]);
const lacks = (number: number): boolean => (number > 0 && number < 1000) || lackingNumbers.has(number);
const deniedNumbers: ReadonlySet<number> = new Set([1044, 1045, 1698, 1862, 3118, 4151]);

interface ServerError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
}

/** `doing` finishes the sentence "... while". */
export function sourceError(error: unknown, doing: string, user: string): AppError {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return toAppError(error);
  const { code, errno, fatal } = error as Error & ServerError;
  const number = typeof errno === 'number' ? errno : 0;
  const message = error.message;
  if (deniedNumbers.has(number)) {
    return new AppError('source-access-denied', `the source refuses user "${user}": ${message}`, {
      hint: 'check database.user and database.password, and that the user may connect from this host',
      cause: error,
    });
  }
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR') return unknownPlugin(error, user);
  if (number === 1227 || number === 1142 || number === 1143) {
    return new AppError('source-missing-grant', `user "${user}" lacks a privilege while ${doing}: ${message}`, {
      hint: `GRANT REPLICATION SLAVE, REPLICATION CLIENT, RELOAD, SELECT ON *.* TO '${user}'@'%'`,
      cause: error,
    });
  }
  if (number === 1236) return dumpRefused(message, error);
  // Of what the operating system reports the driver may have changed the code: while TLS begins it says that, whatever went wrong.
  const name = number < 0 ? getSystemErrorName(number) : code;
  const passes =
    [name, code].some((each) => typeof each === 'string' && passing.has(each)) ||
    passingNumbers.has(number) ||
    (fatal === true && number === 0);
  if (passes) {
    return new AppError('source-unreachable', `the source does not answer while ${doing}: ${message}`, {
      retriable: true,
      cause: error,
    });
  }
  if (lacks(number)) {
    return new AppError('source-unreachable', `the source is in trouble while ${doing}: ${message} (error ${number})`, {
      retriable: true,
      hint: 'its own log tells more',
      cause: error,
    });
  }
  return new AppError('source-failed', `the source failed while ${doing}: ${message}`, { cause: error });
}

/** A plug-in for passwords that the driver does not have, such as MariaDB's ed25519: no try will ever succeed. */
function unknownPlugin(error: Error, user: string): AppError {
  const plugin = /plugin ([\w-]+)/.exec(error.message)?.[1] ?? 'of another kind';
  const isMariadb = /ed25519|parsec|gssapi/.test(plugin);
  const account = `ALTER USER '${user}'@'%' IDENTIFIED`;
  return new AppError(
    'source-access-denied',
    `user "${user}" of the source proves its password by the plug-in ${plugin}, which writethrough does not have`,
    {
      hint: isMariadb
        ? `${account} VIA mysql_native_password USING PASSWORD('...'), or a user of its own for writethrough`
        : `${account} WITH caching_sha2_password BY '...', or a user of its own for writethrough`,
      cause: error,
    },
  );
}

/** A statement has waited for a lock as long as its session lets it. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return (cause as ServerError | undefined)?.errno === 1205;
}

/** The server, or what it grants the user, has no place for another connection. */
export function hasNoConnectionLeft(error: unknown): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  const number = (cause as ServerError | undefined)?.errno;
  return number === 1040 || number === 1203 || number === 1226;
}

/** Error 1236 carries every refusal of a dump in its text. */
function dumpRefused(message: string, cause: Error): AppError {
  if (/same server_(uu)?id|same server-(uu)?id|A slave with the same/i.test(message)) {
    return new AppError(
      'source-unreachable',
      `another reader with our server id has taken the connection: ${message}`,
      {
        retriable: true,
        hint: 'leave database.server.id out, so that each connection takes a random one',
        cause,
      },
    );
  }
  if (
    /more GTIDs than|diverged|out-of-order|slave has more|replica has more|not in the master's binlog|ahead|subsequent sequence number/i.test(
      message,
    )
  ) {
    return rewound(message, { cause });
  }
  if (/purged|could not find|missing|not found|impossible position|past end of/i.test(message)) {
    return positionLost(message, cause);
  }
  return new AppError('corrupt-binlog', `the source cannot read its binlog: ${message}`, { cause });
}

export function positionLost(why: string, cause?: unknown): AppError {
  return new AppError('source-position-lost', `the source no longer holds the changes behind our position: ${why}`, {
    hint: 'set snapshot.mode to when_needed to read the tables anew',
    cause,
  });
}

/** It lacks transactions that were read from it, or from the server whose place it has taken. */
export function rewound(why: string, options: { readonly detail?: string; readonly cause?: unknown } = {}): AppError {
  return new AppError('source-rewound', `the source is behind our position: ${why}`, {
    hint: 'after a restore, or a failover to a replica that lacked them, set snapshot.mode to when_needed to read the tables anew',
    ...options,
  });
}
