// The one mapper from errors to HTTP answers. Each family of clients gets its own shape: /v1 RFC 9457 problems, ksqlDB's
// generic and statement errors, {error_code, message} of Kafka Connect, the Schema Registry and Confluent's REST API for Kafka. Codes and
// texts come from the AppError; nothing here invents a cause.
import { type AppError, errorCodes, type ErrorCode, toAppError } from '../core/errors.js';
import { hideInError, hideSecrets } from '../core/secrets.js';
import type { Exchange, HeaderList } from './exchange.js';
import { RegistryError } from './registry-error.js';

export type ErrorFamily = 'v1' | 'ksql' | 'connect' | 'registry' | 'kafka';

export interface ErrorAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Which family of clients asks, from the path alone: for errors before any handler runs. */
export function familyOf(path: string): ErrorFamily {
  const slash = path.indexOf('/', 1);
  switch (slash < 0 ? path : path.slice(0, slash)) {
    case '/ksql':
    case '/query':
    case '/query-stream':
    case '/close-query':
    case '/inserts-stream':
    case '/info':
    case '/healthcheck':
    case '/status':
    case '/is_valid_property':
    case '/clusterStatus':
    case '/chc':
      return 'ksql';
    case '/v3':
      return 'kafka';
    case '/connectors':
    case '/connector-plugins':
    case '/health':
    case '/admin':
      return 'connect';
    case '/subjects':
    case '/schemas':
    case '/compatibility':
    case '/config':
    case '/mode':
    case '/contexts':
      return 'registry';
    default:
      return path.startsWith('/v1/metadata') ? 'ksql' : 'v1';
  }
}

/** The problem as an object; also an item of a stream that has begun. */
export function problemOf(error: unknown): Record<string, unknown> {
  const { code, message, detail, hint, place, status, leader } = hideInError(toAppError(error));
  return {
    type: `/errors/${code}`,
    title: errorCodes[code][1],
    status,
    code,
    detail: detail === undefined ? message : `${message}\n${detail}`,
    hint,
    place,
    leader,
  };
}

/** Codes of ours that ksqlDB's clients know by a number of their own. */
const ksqlCodes: Partial<Record<ErrorCode, number>> = {
  'bad-request': 40000,
  'not-ready': 50302,
  overloaded: 42900,
};

/** Errors about a statement's text or meaning, which ksqlDB answers with 400 whatever the object's state. */
const statementCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'syntax-error',
  'invalid-statement',
  'unsupported-statement',
  'already-exists',
  'unknown-table',
  'unknown-topic',
  'bad-query-file',
  'bad-key',
  'unknown-schema',
  'unknown-subject',
  'invalid-schema',
  'incompatible-schema',
  'unsupported-type',
  'unconvertible-value',
]);

/** The statement that an error is about, and the entities of those that took effect before it. */
export interface FailedStatement {
  readonly text: string;
  readonly entities?: readonly object[] | undefined;
}

export function ksqlError(
  error: unknown,
  statement?: FailedStatement,
): { status: number; body: Record<string, unknown> } {
  const app = toAppError(error);
  const ofStatement = statement !== undefined && statementCodes.has(app.code);
  const number = ofStatement ? 40001 : (ksqlCodes[app.code] ?? app.status * 100);
  // Whatever the cause: what has taken effect is told.
  const tells = ofStatement || (statement?.entities?.length ?? 0) > 0;
  return ksqlErrorBody(number, fullMessage(app), tells ? statement : undefined);
}

/** An error with one of ksqlDB's own numbers; the HTTP status is its first three digits. */
export function ksqlErrorBody(
  number: number,
  message: string,
  statement?: FailedStatement,
): { status: number; body: Record<string, unknown> } {
  const body: Record<string, unknown> = {
    '@type': statement === undefined ? 'generic_error' : 'statement_error',
    error_code: number,
    message,
  };
  if (statement !== undefined) {
    body['statementText'] = statement.text;
    body['entities'] = statement.entities ?? [];
  }
  return { status: Math.floor(number / 100), body };
}

export function respondKsqlError(exchange: Exchange, error: { status: number; body: Record<string, unknown> }): void {
  exchange.respond(error.status, ['Content-Type', 'application/json'], JSON.stringify(error.body));
}

/** Message, detail and hint as one text, for shapes that have only `message`. */
export function fullMessage(error: AppError): string {
  const { message, detail, hint } = error;
  return hideSecrets([message, detail, hint].filter((part) => part !== undefined && part !== '').join('\n'));
}

const registryCodes: Partial<Record<ErrorCode, number>> = {
  'unknown-subject': 40401,
  'unknown-schema': 40403,
  'invalid-schema': 42201,
  'schema-in-use': 42206,
  'operation-not-permitted': 42205,
  'already-deleted': 40404,
  'not-deleted': 40405,
  'incompatible-schema': 409,
  internal: 50001,
};

function registryNumber(error: AppError): number {
  return error instanceof RegistryError ? error.errorNumber : (registryCodes[error.code] ?? error.status);
}

export const registryType = 'application/vnd.schemaregistry.v1+json';

export function errorAnswer(family: ErrorFamily, error: unknown, statement?: FailedStatement): ErrorAnswer {
  const app = toAppError(error);
  switch (family) {
    case 'ksql': {
      const { status, body } = ksqlError(app, statement);
      return { status, contentType: 'application/json', body: JSON.stringify(body) };
    }
    case 'connect':
    case 'kafka':
      return {
        status: app.status,
        contentType: 'application/json',
        body: JSON.stringify({ error_code: app.status, message: fullMessage(app) }),
      };
    case 'registry':
      return {
        status: app.status,
        contentType: registryType,
        body: JSON.stringify({ error_code: registryNumber(app), message: fullMessage(app) }),
      };
    default:
      return { status: app.status, contentType: 'application/problem+json', body: JSON.stringify(problemOf(app)) };
  }
}

/** Our own code, for clients of ours: the older families' bodies have no place for it. */
export const errorCodeHeader = 'Writethrough-Error-Code';

/** Where a change can be sent to that this process does not take. */
export const leaderHeader = 'Writethrough-Leader';

/** When to come again, where that can help. */
export function retryHeaders({ status }: AppError): HeaderList {
  return status === 503 ? ['Retry-After', '1'] : [];
}

/** Answers with an error in the shape of the path's family; the caller has checked that nothing was answered yet. */
export function respondError(exchange: Exchange, error: unknown, statement?: FailedStatement): void {
  const { status, contentType, body } = errorAnswer(familyOf(exchange.path), error, statement);
  const app = toAppError(error);
  const headers: HeaderList = ['Content-Type', contentType, errorCodeHeader, app.code, ...retryHeaders(app)];
  if (app.leader !== undefined) headers.push(leaderHeader, app.leader);
  exchange.respond(status, headers, body);
}
