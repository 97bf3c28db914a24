// What one request, row, name or outside server may cost at most, where nobody can set it (what can be set is an option, config.ts). The
// README's table of bounds is made of this one.
import type { ErrorCode } from './errors.js';

export interface Bound {
  readonly value: number;
  /** What is bounded, and in what. */
  readonly what: string;
  /** Of the refusal. */
  readonly code: ErrorCode;
}

export const bounds = {
  connectorProperties: { value: 2_000, what: 'properties of a connector', code: 'bad-connector-config' },
  connectorNames: {
    value: 200,
    what: 'transforms, predicates, or groups of topics of a connector',
    code: 'bad-connector-config',
  },
  patternSize: {
    value: 30_000,
    what: 'names and characters of regular expressions in the lists of a connector, counted repetitions multiplied',
    code: 'bad-connector-config',
  },
  patternMs: {
    value: 50,
    what: 'milliseconds in which a regular expression with lookaround or back references has to match a name, or not',
    code: 'bad-connector-config',
  },
  schemaSize: {
    value: 500_000,
    what: 'characters of a schema that is registered or compared',
    code: 'invalid-schema',
  },
  schemaReferences: {
    value: 1_000,
    what: 'schemas that one schema refers to, with those that these refer to',
    code: 'invalid-schema',
  },
  schemaAnswer: {
    value: 16_000_000,
    what: 'characters of schemas in one answer',
    code: 'result-too-large',
  },
  schemaDepth: {
    value: 200,
    what: 'lists and objects around one another in an Avro or JSON schema',
    code: 'invalid-schema',
  },
  schemaSteps: {
    value: 500_000,
    what: 'types, fields and tens of characters that are read and compared to register one schema',
    code: 'invalid-schema',
  },
  partitions: { value: 1_024, what: 'partitions of a topic that is made here', code: 'bad-topic-setting' },
  sqlText: {
    value: 262_144,
    what: 'characters of the SQL text of one request, variables put in; a file of queries may have sixteen times as many',
    code: 'statement-too-large',
  },
  sqlTokens: {
    value: 50_000,
    what: 'names, words, constants and signs of such a text; in a file of queries sixteen times as many',
    code: 'statement-too-large',
  },
  sqlStatements: { value: 1_000, what: 'statements of one SQL text', code: 'statement-too-large' },
  sqlName: { value: 255, what: 'characters of a name in SQL', code: 'statement-too-large' },
  sqlDepth: {
    value: 300,
    what: 'levels to which expressions and types of a statement nest',
    code: 'statement-too-large',
  },
  sqlOperators: {
    value: 1_000,
    what: 'operators of a statement, brackets behind a value counted; values of IN are none',
    code: 'statement-too-large',
  },
  sqlColumns: {
    value: 1_999,
    what: 'columns of a SELECT, stars spelt out, or of a CREATE: SQLite has room for 2,000, two of which are our own in all but the widest',
    code: 'statement-too-large',
  },
  sqlSteps: {
    value: 60_000,
    what: 'steps of the analysis of one statement, which are about the parts of its expressions',
    code: 'statement-too-large',
  },
  decimalPrecision: {
    value: 1_000,
    what: 'digits of a DECIMAL, also of one that arithmetic gives',
    code: 'invalid-statement',
  },
  timePattern: { value: 256, what: 'characters of a TIMESTAMP_FORMAT', code: 'invalid-statement' },
  valueSize: {
    value: 4_194_304,
    what: 'characters or bytes of a value that a function makes; in a query a larger one is NULL, as any that cannot be computed',
    code: 'value-too-large',
  },
  rowWork: {
    value: 8_388_608,
    what: 'steps, one or more per character, to compute the columns of one row, or its condition; what asks for more is NULL',
    code: 'value-too-large',
  },
  rowSize: {
    value: 67_108_864,
    what: 'characters and bytes of a row that a persistent query makes; a larger one stops the query',
    code: 'record-too-large',
  },
  pushedRowSize: {
    value: 16_777_216,
    what: 'characters and bytes of a row that a push query gives; a larger one ends it',
    code: 'result-too-large',
  },
  http2StreamsPerConnection: {
    value: 100,
    what: 'requests at once over one HTTP/2 connection; further ones are refused as streams, which clients send again',
    code: 'overloaded',
  },
  http2Streams: {
    value: 2_000,
    what: 'requests at once over all HTTP/2 connections together',
    code: 'overloaded',
  },
  http2IdleMs: {
    value: 65_000,
    what: 'milliseconds that an HTTP/2 connection stays open without a request; as long as one of HTTP/1.1',
    code: 'overloaded',
  },
  http1Pipelined: {
    value: 128,
    what: 'requests of one HTTP/1.1 connection that wait for the answer before them; with more the connection is cut',
    code: 'overloaded',
  },
  answerPatienceMs: {
    value: 5_000,
    what: 'milliseconds that a client may take nothing of its answer while others need the room (`http.answers-bytes-max`)',
    code: 'overloaded',
  },
  answerStallMs: {
    value: 60_000,
    what: 'milliseconds that a client may take nothing of its answer, of whatever kind, before it is cut off',
    code: 'overloaded',
  },
  pageBytes: {
    value: 256 * 1024,
    what: 'bytes of rows or changes that are read at once for one subscriber; one row may be longer',
    code: 'result-too-large',
  },
  tapBytes: {
    value: 4 * 1024 * 1024,
    what: 'bytes of records in one page of `/v1/topics/TOPIC/records`; one record may be longer, and the page says where to go on',
    code: 'result-too-large',
  },
  secretBytes: {
    value: 64 << 10,
    what: 'bytes of a file that `${file:NAME}` in a connector refers to',
    code: 'bad-connector-config',
  },
  sourceColumns: {
    value: 4096,
    what: 'columns of one result of a MySQL or MariaDB server, which is as many as a table can have',
    code: 'source-answer-too-large',
  },
  sourceAnswerBytes: {
    value: 64 << 20,
    what: 'bytes of the answer of such a server to one question about itself or its tables',
    code: 'source-answer-too-large',
  },
  sourceAnswerValues: {
    value: 4_000_000,
    what: 'values in such an answer',
    code: 'source-answer-too-large',
  },
  sourceLoginBytes: {
    value: 1 << 20,
    what: 'bytes that such a server sends until a connection can be used',
    code: 'source-answer-too-large',
  },
  sourceRowsBytes: {
    value: 512 << 20,
    what: 'bytes of the rows of one page or chunk that such a server is asked for',
    code: 'source-answer-too-large',
  },
  inquiryMs: {
    value: 900_000,
    what: 'milliseconds in which a source answers all that is asked outside of a task: who it is, whether a configuration works',
    code: 'source-unreachable',
  },
  inquiryHeapMb: {
    value: 512,
    what: 'MB of heap of the thread that asks it',
    code: 'overloaded',
  },
  inquiries: {
    value: 16,
    what: 'sources that are asked at once; as many again as wait for a place are refused',
    code: 'overloaded',
  },
} as const satisfies Readonly<Record<string, Bound>>;
