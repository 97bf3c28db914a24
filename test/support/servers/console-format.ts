// How the console consumer is told to print records, and how its lines are read back without loss. Its bytes
// deserializer escapes everything outside printable ASCII and the backslash, so a tab can separate fields. One limit: a
// header's name must not hold a colon.
export interface ConsoleRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: number;
  /** Bytes as text when they are UTF-8; `keyBytes` holds them as they are. */
  readonly key: string | null;
  readonly value: string | null;
  readonly keyBytes: Buffer | null;
  readonly valueBytes: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** In their order, also where a name occurs twice. */
  readonly headerList: readonly { readonly name: string; readonly value: Buffer | null }[];
}

const FIELD_SEPARATOR = '\t';
const HEADER_SEPARATOR = '\u0002';
/** The formatter escapes its own word for null like any bytes. No record of a test holds this one. */
const NULL = '\u0001null\u0001';
const ESCAPED_NULL = '\\x01null\\x01';
const BYTES = 'org.apache.kafka.common.serialization.BytesDeserializer';

export function consumerArgs(options: {
  brokers: readonly string[];
  topic: string;
  isolation: string;
  group: string;
  /** Without a record for so long it ends by itself, so that none outlives a test run that was killed. */
  idleMs: number;
}): string[] {
  const format = {
    'print.timestamp': 'true',
    'print.partition': 'true',
    'print.offset': 'true',
    'print.headers': 'true',
    'print.key': 'true',
    'key.separator': FIELD_SEPARATOR,
    'headers.separator': HEADER_SEPARATOR,
    'null.literal': NULL,
    'key.deserializer': BYTES,
    'value.deserializer': BYTES,
    'headers.deserializer': BYTES,
  };
  const settings = {
    'bootstrap-server': options.brokers.join(','),
    topic: options.topic,
    'isolation-level': options.isolation,
    group: options.group,
    'command-property': 'auto.commit.interval.ms=50',
    'timeout-ms': String(options.idleMs),
  };
  return [
    '--from-beginning',
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    ...Object.entries(format).flatMap(([name, value]) => ['--formatter-property', `${name}=${value}`]),
  ];
}

export function parseRecords(output: string): ConsoleRecord[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map(parseRecord);
}

function parseRecord(line: string): ConsoleRecord {
  const fields = line.split(FIELD_SEPARATOR);
  const [timestamp, partition, offset, headers, key, value] = fields;
  if (fields.length !== 6 || key === undefined || value === undefined || headers === undefined) {
    throw new Error(`the console consumer printed a line that is no record: ${line}`);
  }
  const headerList = parseHeaders(headers);
  const [keyBytes, valueBytes] = [unescape(key), unescape(value)];
  return {
    partition: Number(after(partition, 'Partition:')),
    offset: BigInt(after(offset, 'Offset:')),
    timestamp: Number(timestamp?.slice(timestamp.indexOf(':') + 1)),
    key: keyBytes?.toString('utf8') ?? null,
    value: valueBytes?.toString('utf8') ?? null,
    keyBytes,
    valueBytes,
    headers: Object.fromEntries(headerList.map((header) => [header.name, header.value?.toString('utf8') ?? ''])),
    headerList,
  };
}

function parseHeaders(text: string): { name: string; value: Buffer | null }[] {
  if (text === 'NO_HEADERS') return [];
  return text.split(HEADER_SEPARATOR).map((header) => {
    const colon = header.indexOf(':');
    return { name: header.slice(0, colon), value: unescape(header.slice(colon + 1)) };
  });
}

function after(field: string | undefined, prefix: string): string {
  if (field?.startsWith(prefix) !== true) throw new Error(`the console consumer printed ${field} for ${prefix}`);
  return field.slice(prefix.length);
}

function unescape(text: string): Buffer | null {
  if (text === ESCAPED_NULL) return null;
  const bytes = text.replaceAll(/\\x([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}
