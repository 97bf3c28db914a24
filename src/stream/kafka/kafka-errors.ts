// What the broker's and kafkajs's errors mean to us: try again, somebody else has taken over, or tell the operator.
import { AppError } from '../../core/errors.js';
import { TopicRefusal } from '../topic-refusal.js';

/** An error code in an answer that we decode ourselves. Codes that need no treatment of their own have no name here. */
export class KafkaProtocolError extends Error {
  override readonly name = 'KafkaProtocolError';
  readonly type: string;
  /** The topic that it is about, where it is about one. */
  readonly topic: string | undefined;

  constructor(code: number, what: string, topic?: string) {
    const type = names[code] ?? `ERROR_${code}`;
    super(`${what}: Kafka answers ${type}`);
    this.type = type;
    this.topic = topic;
  }
}

const names: Readonly<Record<number, string>> = {
  1: 'OFFSET_OUT_OF_RANGE',
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  5: 'LEADER_NOT_AVAILABLE',
  6: 'NOT_LEADER_OR_FOLLOWER',
  7: 'REQUEST_TIMED_OUT',
  10: 'MESSAGE_TOO_LARGE',
  13: 'NETWORK_EXCEPTION',
  14: 'COORDINATOR_LOAD_IN_PROGRESS',
  15: 'COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR',
  17: 'INVALID_TOPIC_EXCEPTION',
  18: 'RECORD_LIST_TOO_LARGE',
  19: 'NOT_ENOUGH_REPLICAS',
  20: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  22: 'ILLEGAL_GENERATION',
  23: 'INCONSISTENT_GROUP_PROTOCOL',
  25: 'UNKNOWN_MEMBER_ID',
  26: 'INVALID_SESSION_TIMEOUT',
  27: 'REBALANCE_IN_PROGRESS',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  32: 'INVALID_TIMESTAMP',
  45: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
  47: 'INVALID_PRODUCER_EPOCH',
  48: 'INVALID_TXN_STATE',
  49: 'INVALID_PRODUCER_ID_MAPPING',
  51: 'CONCURRENT_TRANSACTIONS',
  53: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  56: 'KAFKA_STORAGE_ERROR',
  59: 'UNKNOWN_PRODUCER_ID',
  79: 'MEMBER_ID_REQUIRED',
  82: 'FENCED_INSTANCE_ID',
  87: 'INVALID_RECORD',
  90: 'PRODUCER_FENCED',
  100: 'UNKNOWN_TOPIC_ID',
  103: 'INCONSISTENT_TOPIC_ID',
};

/** Trying again changes nothing: wrong rights, settings or records. */
const finalTypes = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'UNSUPPORTED_VERSION',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_CONFIG',
  'INVALID_TRANSACTION_TIMEOUT',
  'POLICY_VIOLATION',
  'TOPIC_DELETION_DISABLED',
]);
const accessTypes = /AUTHORIZATION_FAILED$|^SASL_|^UNSUPPORTED_SASL/;

/** kafkajs's plain Error for a broker whose connection was made and never answered. */
const notConnected = 'Broker not connected';

/** What kafkajs throws, as far as it matters. */
interface KafkaJsError extends Error {
  readonly type?: string;
  readonly retriable?: boolean;
  readonly originalError?: unknown;
  readonly errors?: readonly unknown[];
}

/** The broker's name of the error, from wherever kafkajs has wrapped it. */
export function errorType(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; depth++) {
    const { type, name, errors, originalError, cause } = at as KafkaJsError;
    if (typeof type === 'string') return type;
    if (name === 'KafkaJSSASLAuthenticationError') return 'SASL_AUTHENTICATION_FAILED';
    at = errors?.[0] ?? cause ?? originalError;
  }
  return undefined;
}

/** True for what waiting and trying again can heal: lost connections, moving leaders, time-outs, expired epochs. */
export function isRetriable(error: unknown): boolean {
  if (error instanceof AppError) return error.retriable;
  const type = errorType(error);
  if (type !== undefined) return !finalTypes.has(type);
  // Of kafkajs's own errors all tell of connections; anything else is a bug of ours and must not be retried for ever.
  return (
    error instanceof Error &&
    (error.name.startsWith('KafkaJS') || error.message === notConnected || isSystemError(error))
  );
}

/** For the caller: with a code of ours. `what` says what was tried, such as `Kafka topic "orders"`. */
export function toLogError(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  const type = errorType(error);
  const detail = error instanceof Error ? error.message : String(error);
  if (type !== undefined && accessTypes.test(type)) {
    return new AppError('log-access-denied', `${what}: the Kafka brokers refuse access (${type})`, {
      detail,
      cause: error,
    });
  }
  if (isRetriable(error)) {
    return new AppError('log-unreachable', `${what}: the Kafka brokers do not answer`, {
      detail,
      hint: 'look whether the brokers run and can be reached at the addresses that they advertise',
      cause: error,
      retriable: true,
    });
  }
  if (type !== undefined) {
    return new AppError('bad-config', `${what}: the Kafka brokers refuse it (${type})`, { detail, cause: error });
  }
  return new AppError('internal', `${what}: ${detail}`, { cause: error });
}

/** What is final and about one topic names it. */
export function toTopicRefusal(error: unknown, what: string, topic?: string): TopicRefusal | undefined {
  if (error instanceof TopicRefusal) return error;
  const about = topic ?? (error instanceof KafkaProtocolError ? error.topic : undefined);
  if (about === undefined || isRetriable(error)) return undefined;
  const { code, message, detail, hint } = toLogError(error, what);
  return new TopicRefusal(about, code, message, { detail, hint, cause: error });
}

function isSystemError(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && code.startsWith('E') && !code.startsWith('ERR_');
}
