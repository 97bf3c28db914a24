// Where a Kafka cluster is and how to log in, from `kafka://host:9092,host2:9092?ssl=true&sasl=plain&username=u&password=p`.
// A user and a password may also stand before the hosts; then SASL PLAIN is meant unless `sasl` says otherwise. Deadlines go by the names
// that Kafka's clients have for them.
import { readFileSync } from 'node:fs';
import { AppError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';

export type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

export interface KafkaSasl {
  readonly mechanism: SaslMechanism;
  readonly username: string;
  readonly password: string;
}

/** True: TLS with the certificates that Node trusts. */
export type KafkaTls =
  boolean | { readonly ca?: string | undefined; readonly rejectUnauthorized?: boolean | undefined };

export interface KafkaAddress {
  /** `host:port` */
  readonly brokers: readonly string[];
  readonly ssl?: KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
  readonly deadlines?: KafkaDeadlines | undefined;
}

/** ms */
export interface KafkaDeadlines {
  /** socket.connection.setup.timeout.ms: for a connection. */
  readonly connect: number;
  /** request.timeout.ms: for the answer to a request, logging in included. What it does not answer is tried again. */
  readonly request: number;
  /** default.api.timeout.ms: for a call of ours with all its tries, where the caller does not try for ever. */
  readonly call: number;
  /** delivery.timeout.ms: until what somebody has asked for by a statement is in the log. */
  readonly delivery: number;
}

export const kafkaDeadlines: KafkaDeadlines = { connect: 5_000, request: 20_000, call: 15_000, delivery: 120_000 };

const mechanisms: readonly string[] = ['plain', 'scram-sha-256', 'scram-sha-512'] satisfies SaslMechanism[];
const deadlineNames = {
  connect: 'socket.connection.setup.timeout.ms',
  request: 'request.timeout.ms',
  call: 'default.api.timeout.ms',
  delivery: 'delivery.timeout.ms',
} as const satisfies Record<keyof KafkaDeadlines, string>;
const parameters = new Set<string>(['ssl', 'ca', 'sasl', 'username', 'password', ...Object.values(deadlineNames)]);

export function parseKafkaUrl(text: string): KafkaAddress {
  // Not the URL class: it knows no list of hosts.
  const match = /^kafka:\/\/(?:([^@/?]*)@)?([^/?]+)\/?(?:\?(.*))?$/.exec(text);
  if (match === null) throw badUrl('it should look like kafka://host:9092,host2:9092');
  const [, login, hosts = '', query = ''] = match;
  const options = new URLSearchParams(query);
  for (const name of options.keys()) {
    if (!parameters.has(name)) throw unknownParameter(name);
    if (options.getAll(name).length > 1) throw badUrl(`it has "${name}" twice`);
  }
  return {
    brokers: hosts.split(',').map(parseBroker),
    ssl: parseTls(options),
    sasl: parseSasl(options, login),
    deadlines: parseDeadlines(options),
  };
}

/** Undefined: none is given. */
function parseDeadlines(options: URLSearchParams): KafkaDeadlines | undefined {
  const deadlines = { ...kafkaDeadlines };
  let given = false;
  for (const [key, name] of Object.entries(deadlineNames)) {
    const text = options.get(name);
    if (text === null) continue;
    if (!/^[1-9]\d{0,8}$/.test(text)) throw badUrl(`"${name}" is not a number of milliseconds`);
    deadlines[key as keyof KafkaDeadlines] = Number(text);
    given = true;
  }
  return given ? deadlines : undefined;
}

function parseBroker(text: string): string {
  const match = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text.trim());
  const port = Number(match?.[2] ?? 9092);
  if (match === null || port < 1 || port > 65_535) throw badUrl(`"${text}" is not a host and a port`);
  return `${match[1]}:${port}`;
}

function parseTls(options: URLSearchParams): KafkaTls | undefined {
  const ssl = options.get('ssl');
  if (ssl !== null && ssl !== 'true' && ssl !== 'false') throw badUrl('"ssl" is neither true nor false');
  const ca = options.get('ca');
  if (ca === null) return ssl === 'true' ? true : undefined;
  if (ssl === 'false') throw badUrl('"ca" names a certificate, but "ssl" is false');
  return { ca: readFileSync(ca, 'utf8') };
}

function parseSasl(options: URLSearchParams, login: string | undefined): KafkaSasl | undefined {
  const colon = login?.indexOf(':') ?? -1;
  const username =
    options.get('username') ?? (login === undefined ? null : decode(colon < 0 ? login : login.slice(0, colon)));
  const password =
    options.get('password') ?? (login === undefined || colon < 0 ? null : decode(login.slice(colon + 1)));
  const mechanism = options.get('sasl')?.toLowerCase() ?? (username === null ? undefined : 'plain');
  if (mechanism === undefined) return undefined;
  if (!mechanisms.includes(mechanism)) throw badUrl(`"sasl" is none of ${mechanisms.join(', ')}`);
  if (username === null || password === null) throw badUrl('"sasl" needs a user name and a password');
  return { mechanism: mechanism as SaslMechanism, username, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('user or password is not percent-encoded properly');
  }
}

function unknownParameter(name: string): AppError {
  return new AppError(
    'bad-config',
    `the URL of the Kafka brokers is not usable: it has an unknown parameter "${name}"`,
    {
      hint: didYouMean(name, parameters) ?? `it can have ${[...parameters].join(', ')}`,
    },
  );
}

/** The text of the URL stays out of the message: it may hold a password. */
function badUrl(why: string): AppError {
  return new AppError('bad-config', `the URL of the Kafka brokers is not usable: ${why}`);
}
