// What a topic of ours may differ in from Debezium's, and nothing else. Written before the topics were compared; each line is said in the
// README ("Limits of this version") or in docs/connector-properties.md.
//   1. Times of processing (`ts_ms`, `ts_us`, `ts_ns` of an envelope) are those of the process that wrote the record.
//   2. `source.version` is the program's own.
//   3. `source` of a snapshot's row tells where the snapshot stood, in time and binlog, as each program takes it; `source.snapshot` is
//      `true` for each row, where Debezium marks first and last ones.
//   4. Without `decimal.handling.mode` Debezium writes a DECIMAL's unscaled bytes; here it is a number.
//   5. JSON columns: the same document, whatever spaces stand in its text.
//   6. A schema in a record may call a field optional that Debezium does not, and has no default values. A BIGINT UNSIGNED is a Decimal.
//   7. The order of records of different keys in a snapshot.
//   8. Headers that name the run of a task, and the other key of a row whose key has changed (`__debezium.*`), are not there.
//   9. Of an outbox's payload that is expanded Debezium leaves empty arrays out, since they tell no type of their elements.
import { logHeaders } from '../../../src/core/record-headers.js';

export interface KeyedRecord {
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string | null>>;
}

type Json = Record<string, unknown>;

/** Both sides in a form in which only what is not intended can differ. */
export function comparable({ key, value, headers }: KeyedRecord): { readonly key: string; readonly value: string } {
  const asked = addedHeaders(headers);
  return {
    key: print(payloadOf(JSON.parse(key))),
    value: (value === null ? 'null' : print(valueOf(JSON.parse(value)))) + (asked === '{}' ? '' : ` ${asked}`),
  };
}

/** Those that transforms add. */
function addedHeaders(headers: KeyedRecord['headers']): string {
  const isRead = headers['__op'] === 'r';
  const added = Object.entries(headers).filter(
    // As in a row: one that was read, and not changed, tells the time of the reading.
    ([name, value]) =>
      !name.startsWith('__debezium.') &&
      !logHeaders.includes(name) &&
      value !== null &&
      !(isRead && name === '__source_ts_ms'),
  );
  return print(Object.fromEntries(added));
}

function payloadOf(parsed: unknown): unknown {
  const isWrapped = isObject(parsed) && Object.keys(parsed).toSorted().join() === 'payload,schema';
  return isWrapped ? { payload: parsed['payload'], schema: schemaOf(parsed['schema']) } : parsed;
}

function valueOf(parsed: unknown): unknown {
  const value = payloadOf(parsed);
  if (!isObject(value)) return value;
  if ('payload' in value && 'schema' in value) return { ...value, payload: envelopeOf(value['payload']) };
  return envelopeOf(value);
}

function envelopeOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  if (!isObject(value['source']) || !('op' in value)) return rowOf(value);
  const { ts_ms: _ms, ts_us: _us, ts_ns: _ns, ...rest } = value;
  const { version: _version, ...source } = value['source'];
  const isRead = value['op'] === 'r';
  const { snapshot: _mark, ts_ms: _1, ts_us: _2, ts_ns: _3, file: _4, pos: _5, gtid: _6, ...standing } = source;
  return {
    ...rest,
    before: rowOf(value['before']),
    after: rowOf(value['after']),
    source: isRead ? standing : source,
  };
}

/** Base64 of an unscaled number, with the scale of the one DECIMAL column that the tables have. */
function rowOf(row: unknown): unknown {
  if (!isObject(row)) return row;
  const next: Json = { ...row };
  if (isObject(row['payload'])) next['payload'] = withoutEmptyArrays(row['payload']);
  if (typeof row['doc'] === 'string') next['doc'] = print(JSON.parse(row['doc']));
  // A row that was read, and not changed, tells the time of the reading.
  if (row['__op'] === 'r') delete next['__source_ts_ms'];
  for (const name of ['pay', 'price']) {
    const found = row[name];
    if (typeof found === 'number') next[name] = found.toFixed(2);
    else if (typeof found === 'string' && !/^-?\d+\.\d\d$/.test(found)) next[name] = unscaled(found);
  }
  return next;
}

function withoutEmptyArrays(payload: Json): Json {
  return Object.fromEntries(
    Object.entries(payload).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );
}

function unscaled(base64: string): string {
  const hex = Buffer.from(base64, 'base64').toString('hex');
  return (Number(BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`))) / 100).toFixed(2);
}

/** Names, types and parameters of its fields. */
function schemaOf(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  const { type, field, name, parameters, fields } = schema;
  if (field === 'huge') return { field };
  const list = Array.isArray(fields) ? { fields: fields.map(schemaOf) } : {};
  return { type, field, name, parameters, ...list };
}

function print(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(print).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${print(value[name])}`);
  return `{${entries.join()}}`;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
