// The one error class of the project and the one table of its codes. A code is stable: clients, tests and the manual refer
// to it. Each entry's text tells the operator what happened in general; the README's table of codes is generated from it.
// Kinds (style of treatment): bugs are `assert`ed, retriable ones go through backoff, final ones end a service with their
// reason visible in status, bad records follow the query's policy.

/** code -> [HTTP status, what it means for the operator]. */
export const errorCodes = {
  internal: [500, 'a bug in writethrough: please report it with the log lines around it'],
  'bad-config': [400, 'an option or a configuration file is wrong; the message names the key'],
  'unknown-option': [400, 'an option that does not exist; the hint has the nearest name'],
  'data-folder-in-use': [409, 'another writethrough process holds the lock of this data folder'],
  'data-folder-unusable': [500, 'the data folder cannot be created, read or written'],
  'port-in-use': [500, 'another program listens on the address already'],
  'bad-query-file': [400, 'a file of queries/ does not parse or cannot be applied; place and excerpt follow'],
  'syntax-error': [400, 'the SQL text does not parse; line, column and excerpt follow'],
  'invalid-statement': [
    400,
    'the SQL parses but means something impossible, such as an unknown column or a wrong type',
  ],
  'unsupported-statement': [400, 'the SQL asks for a feature that writethrough does not have (yet)'],
  'statement-too-large': [
    400,
    'the SQL text is longer, deeper or wider than a bound of the manual allows; the message names the bound',
  ],
  'value-too-large': [
    422,
    'a function would make a value over a bound of the manual, or would work too long on one row',
  ],
  'already-exists': [409, 'a stream, table, topic or connector of that name exists'],
  'unknown-table': [404, 'there is no table of that name; the hint has the nearest'],
  'unknown-topic': [404, 'there is no topic of that name'],
  'unknown-row': [404, 'the table has no row with that key'],
  'unknown-route': [404, 'no such HTTP path'],
  'unknown-parameter': [
    400,
    'a query parameter, or a member of the JSON body, that the path does not have; the hint has the nearest name',
  ],
  'bad-key': [400, 'the key in the request does not fit the key columns of the table'],
  'bad-request': [400, 'the HTTP request is malformed'],
  'body-too-large': [413, 'the request body is over the limit (option `http.body-bytes-max`)'],
  'foreign-origin': [
    403,
    'a browser page of another origin sent the request (`http.allowed-origins`), or the Host header is not allowed',
  ],
  'method-not-allowed': [405, 'the path exists but not for this method'],
  'not-acceptable': [406, 'none of the media types in Accept can be produced'],
  snapshotting: [503, 'the first snapshot of the table is still running; progress is in the status'],
  'snapshot-stopped': [
    503,
    'the first snapshot of the table is not complete and does not go on: its connector failed, is paused, stopped or deleted',
  ],
  'server-unreachable': [503, 'the command line gets no answer from the writethrough server at `--url`'],
  'not-ready': [503, 'the server is starting or stopping'],
  'new-table': [409, 'a table of the source is new, and waits to be let in (`table.new.handling.mode=ask`)'],
  detached: [409, 'the query that feeds the table has failed or is paused; its state stands at an older version'],
  'not-at-one-version': [409, 'the tables of one read stand at different versions because a query is detached'],
  'too-old': [410, 'the position asked for is older than the retained change feed, or of an older epoch of the log'],
  'read-timeout': [503, 'a read did not finish before its deadline'],
  'result-too-large': [413, 'a read gives more bytes than the bound of a spooled result; narrow it or use LIMIT'],
  overloaded: [503, 'a queue with a limit is full; try again'],
  'unknown-logger': [404, 'no log lines belong to a logger of that name; the hint has those that there are'],
  'not-allowed': [
    403,
    'a connector that came over HTTP wants a server, a file or a value of the environment that the operator has not let it have (options `sources.allowed` and `secrets.env`), or any connector a file of this service',
  ],
  'unknown-connector': [404, 'there is no connector of that name'],
  'unknown-plugin': [404, 'there is no connector class, converter, transform or predicate of that name'],
  'bad-connector-config': [400, 'a connector property is missing, unknown, contradictory or has a wrong value'],
  'filter-matches-nothing': [400, 'the database and table filters of the connector match no table of the server'],
  'source-unreachable': [503, 'the source database does not answer; retried with back-off'],
  'source-failed': [
    502,
    'the source database fails at what it is asked, or its answer cannot be understood; the message holds what it says. Tried again a few times',
  ],
  'source-answer-too-large': [
    413,
    'the source database sends more for one answer, row or event than is taken; the hint names the property that raises it, where there is one',
  ],
  'source-access-denied': [403, 'the source database refuses user or password'],
  'source-missing-grant': [403, 'the user of the source database lacks a privilege; the hint has the GRANT statement'],
  'source-misconfigured': [
    400,
    'a server setting of the source makes capture impossible; the hint has the repairing statement',
  ],
  'source-position-lost': [
    409,
    'the source no longer holds the changes behind our position; `snapshot.mode=when_needed` (MySQL, MariaDB) reads it anew',
  ],
  'other-source': [409, 'the address leads to another source than the one that the connector has read'],
  'source-rewound': [
    409,
    'the source is behind our position: it lost transactions that we have seen; `snapshot.mode=when_needed` (MySQL, MariaDB) reads it anew',
  ],
  'unsupported-type': [400, 'a column type that capture does not cover; the message names the column and the type'],
  'unreadable-table': [
    409,
    'the source itself cannot read a table, as when its file is damaged or its tablespace is gone; the message holds what it says',
  ],
  'unconvertible-value': [422, 'a value cannot be converted to its column type; the message names column and bytes'],
  'statement-format-change': [
    409,
    'a change reached the binlog as statement text or with an incomplete row image, so its rows are unknown',
  ],
  'unsupported-change': [
    409,
    'a change of a captured table that capture does not follow, such as the rollback of a transaction of which a part was handed over',
  ],
  'cascades-not-captured': [
    409,
    'a foreign key changes rows of a captured table unseen by the binlog, and they cannot be changed here; the message says why',
  ],
  'keyless-table': [400, 'a table without a primary key cannot become rows per key'],
  'corrupt-binlog': [500, 'an event failed its checksum or cannot be decoded'],
  'bad-record': [422, 'a record does not decode under the schema of its topic'],
  'unknown-schema': [404, 'the registry has no schema of that id or version'],
  'unknown-subject': [404, 'the registry has no subject of that name'],
  'invalid-schema': [422, 'the schema text is not valid'],
  'schema-in-use': [422, 'other schemas of the registry refer to it, or the topic of a table needs it'],
  'already-deleted': [404, 'the subject or version is deleted softly already; `?permanent=true` deletes it for good'],
  'not-deleted': [404, 'what is deleted for good has to be deleted softly first'],
  'operation-not-permitted': [422, 'the mode of the registry, or of the subject, does not permit it'],
  'incompatible-schema': [409, 'the schema is not compatible with an earlier version of its subject'],
  'bad-topic-setting': [400, 'a setting that the topic cannot have, or a value that it cannot take'],
  'log-unreachable': [503, 'the Kafka brokers do not answer; retried with back-off'],
  'log-access-denied': [
    403,
    'the Kafka brokers refuse user, password or a right that writethrough needs on a topic or transactional id',
  ],
  'log-corrupt': [500, 'the log does not hold what its own index says'],
  'corrupt-data': [
    500,
    'what was read from the data file is not what was written: its checksum does not fit; `writethrough check` finds all such places',
  ],
  'log-foreign': [409, 'the topics belong to another log or format of writethrough'],
  'service-in-use': [409, 'another process leads this service already; `--follow` lets this one follow it'],
  'not-leader': [
    409,
    'this process follows another one, which alone may change something; the answer names its address',
  ],
  'producer-fenced': [409, 'another process has taken over this producer'],
  'record-too-large': [413, 'a record is over `max.message.bytes` of its topic'],
  'verify-running': [409, 'the tables of the connector are being compared with their source already'],
  'rebuild-running': [409, 'the table is being rebuilt already'],
  'refused-to-listen': [400, 'listening beyond loopback without authentication needs `--allow-unauthenticated`'],
} as const satisfies Record<string, readonly [number, string]>;

export type ErrorCode = keyof typeof errorCodes;

export interface AppErrorOptions {
  /** More about this case: the values involved, an excerpt with a caret. */
  readonly detail?: string | undefined;
  /** What the reader can do now; a statement or a command where there is one. */
  readonly hint?: string | undefined;
  /** Trying again without a change can help. */
  readonly retriable?: boolean | undefined;
  /** 1-based place in a SQL text or a file. */
  readonly place?: ErrorPlace | undefined;
  /** Address of the process that may do it. */
  readonly leader?: string | undefined;
  /** Name of the object that it is about, for whoever can say more of that. */
  readonly subject?: string | undefined;
  readonly cause?: unknown;
}

export interface ErrorPlace {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** A path in a configuration, such as `connectors.orders.database.port`. */
  readonly path?: string | undefined;
}

/** An error with a stable code. `message` is short, lower case, and names the object. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly retriable: boolean;
  readonly place: ErrorPlace | undefined;
  readonly leader: string | undefined;
  readonly subject: string | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.hint = options.hint;
    this.retriable = options.retriable ?? false;
    this.place = options.place;
    this.leader = options.leader;
    this.subject = options.subject;
  }

  get status(): number {
    return errorCodes[this.code][0];
  }
}

/** What crosses a thread or a wire: an error without its class. */
export interface ErrorMessage {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly retriable: boolean;
  readonly place?: ErrorPlace | undefined;
  readonly leader?: string | undefined;
  readonly subject?: string | undefined;
  /** Of an internal error: where it was thrown, for the log. */
  readonly stack?: string | undefined;
}

/** What the machine did not give, by Node's codes: what was asked for is refused, and may succeed later. */
const shortages: ReadonlyMap<unknown, readonly [message: string, hint: string]> = new Map([
  ['EMFILE', ['the process has no file descriptor left', 'ulimit -n says how many it may have']],
  ['ENFILE', ['the machine has no file descriptor left', 'fs.file-max says how many there are']],
  ['ENOMEM', ['the machine has no memory left', 'give it more, or ask for less at once']],
  ['ERR_WORKER_INIT_FAILED', ['a thread could not be started', 'it needs file descriptors (ulimit -n) and memory']],
  [
    'ERR_WORKER_OUT_OF_MEMORY',
    ['a thread has no memory left', 'ask for less at once; NODE_OPTIONS=--max-old-space-size=MB'],
  ],
]);

export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const shortage = shortages.get((error as { readonly code?: unknown } | null | undefined)?.code);
  if (shortage !== undefined) {
    const [what, hint] = shortage;
    return new AppError('overloaded', what, { detail: message, hint, retriable: true, cause: error });
  }
  return new AppError('internal', message, { cause: error });
}

export function toErrorMessage(error: unknown): ErrorMessage {
  const { code, message, detail, hint, retriable, place, leader, subject } = toAppError(error);
  return { code, message, detail, hint, retriable, place, leader, ...(subject === undefined ? {} : { subject }) };
}

export function fromErrorMessage(message: ErrorMessage): AppError {
  const error = new AppError(message.code, message.message, message);
  if (message.stack !== undefined) error.stack = message.stack;
  return error;
}

/** For another thread, which logs it: nothing that is kept, or told to others, has a stack in it. */
export function toThrownMessage(error: unknown): ErrorMessage {
  const app = toAppError(error);
  return { ...toErrorMessage(app), ...(app.code === 'internal' ? { stack: stackOf(app) } : {}) };
}

/** As a log line tells it: a bug with the place where it was thrown. */
export function errorFields(error: AppError): Readonly<Record<string, unknown>> {
  const { code, message, detail, hint } = error;
  return { code, error: message, detail, hint, ...(code === 'internal' ? { stack: stackOf(error) } : {}) };
}

/** Where it was thrown, and what it comes from, as far as that tells more than it. */
export function stackOf(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
}

/** A condition that only a bug can break. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AppError('internal', `broken invariant: ${message}`);
}

/** The default branch of a switch over a tagged union. */
export function unreachable(value: never): never {
  throw new AppError('internal', `unexpected case ${JSON.stringify(value)}`);
}
