// The EventRouter of an outbox: what a configuration comes to, and the records that rows of the table become.
import { describe, expect, it } from 'vitest';
import { inspectConfig } from '../../../src/connect/config-inspection.js';
import { checkConfig } from '../../../src/connect/connector-config.js';
import { EventTables } from '../../../src/connect/event-tables.js';
import { routedTopicsMax } from '../../../src/connect/routed-topics.js';
import { planTable } from '../../../src/connect/table-plan.js';
import { BYTES, INTEGER, STRING, type DataType, type Value } from '../../../src/core/data-type.js';
import type { Op } from '../../../src/core/record.js';
import type { RowEncoder, SourceTable } from '../../../src/core/row-encoder.js';
import { createChunkBuilder } from '../../../src/schema/formats/chunk-builder.js';
import { writeValue } from '../../../src/schema/formats/write-value.js';
import { headersOf, recordSet, recordsOf } from '../../support/chunk.js';

const base = {
  'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
  'database.hostname': 'h',
  'database.user': 'u',
  'database.password': 'p',
  'topic.prefix': 'shop',
  transforms: 'outbox',
  'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
};
type Config = Readonly<Record<string, string>>;
const at = (settings: Config) =>
  Object.fromEntries(Object.entries(settings).map(([key, value]) => [`transforms.outbox.${key}`, value]));

const column = (name: string, type: DataType) => ({ name, type, nullable: true, sourceType: type.kind });
const outbox = (payload: DataType = STRING): SourceTable => ({
  database: 'app',
  table: 'outbox',
  columns: [
    column('id', INTEGER),
    column('aggregatetype', STRING),
    column('aggregateid', STRING),
    column('payload', payload),
  ],
  keyColumns: [0],
});

function write(encoder: RowEncoder, row: readonly Value[], op: Op): void {
  const { columns, keyColumns } = encoder.table;
  if (op === 'u') {
    const old = encoder.beginOld();
    for (const i of keyColumns) writeValue(old, columns[i]!.type, row[i]!);
    encoder.endOld();
  }
  const to = op === 'd' ? encoder.beginDelete() : encoder.beginRow(op);
  for (const i of op === 'd' ? keyColumns : columns.keys()) writeValue(to, columns[i]!.type, row[i]!);
  if (op === 'd') encoder.endDelete();
  else encoder.endRow();
}

async function outboxOf(config: Config, payload?: DataType) {
  const { output } = checkConfig('c', { ...base, ...config });
  const opened: string[] = [];
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  const tables = new EventTables({
    output,
    logger: { debug: log, info: log, warn: log, error: log, child: () => expect.unreachable() } as never,
    open: (_, topic, { cleanup, partitions }) => {
      opened.push(`${topic} ${cleanup} ${partitions}`);
      return Promise.resolve(topic);
    },
  });
  const plan = planTable(outbox(payload), output);
  const chunks = createChunkBuilder({ chunkBytes: 10_000 });
  const encoder = await tables.encoder(outbox(payload), { topic: plan.topic, events: plan.events! }, chunks);
  const taken = () => {
    chunks.endAppend({ position: 'p', commitTimeUs: 0 });
    return recordSet(chunks.take()!);
  };
  const take = () => recordsOf(taken()).map(({ topic, key, value }) => [topic, key, value]);
  return { encoder, take, taken, tables, opened, lines };
}

/** The records of rows that are inserted. */
async function routed(config: Config, rows: readonly (readonly Value[])[], payload?: DataType) {
  const { encoder, take } = await outboxOf(config, payload);
  for (const row of rows) write(encoder, row, 'c');
  return take();
}

const event: readonly Value[] = [1, 'order', '7', '{"a": 1}'];
const errors = (config: Config) =>
  inspectConfig('c', { ...base, ...config }).findings.filter(({ severity }) => severity === 'error');

describe('EventRouter', () => {
  it('makes events of rows, with the topics that they name, which are opened before the chunk is written', async () => {
    const { encoder, take, tables, opened } = await outboxOf({ 'topic.partitions': '3' });
    for (const type of ['order', 'stock', 'order']) write(encoder, [1, type, '7', 'x'], 'c');
    write(encoder, event, 'd');
    await tables.openFresh();
    await tables.openFresh();
    expect(opened).toEqual(['shop.app.outbox delete 3', 'outbox.event.order delete 3', 'outbox.event.stock delete 3']);
    expect(take()).toEqual([
      ['outbox.event.order', '"7"', '"x"'],
      ['outbox.event.stock', '"7"', '"x"'],
      ['outbox.event.order', '"7"', '"x"'],
    ]);
    expect(tables.has('app.outbox')).toBe(true);
  });

  it('routes by the column and to the name that are asked for', async () => {
    const config = at({
      'route.by.field': 'aggregateid',
      'route.topic.regex': '(.*)',
      'route.topic.replacement': 'e-$1',
      'table.field.event.key': 'id',
    });
    expect(await routed(config, [event])).toEqual([['e-7', '1', String.raw`"{\"a\": 1}"`]]);
  });

  it.each([
    [{}, '{"a": 1}', String.raw`"{\"a\": 1}"`],
    [{ 'table.expand.json.payload': 'true' }, ' {"a": [1.0]} ', '{"a": [1.0]}'],
    [{ 'table.expand.json.payload': 'true' }, '{"a": ', '"{\\"a\\": "'],
    [{ 'table.expand.json.payload': 'true' }, 'plain', '"plain"'],
    [{}, '', '""'],
    [{}, null, null],
    [{ 'route.tombstone.on.empty.payload': 'true' }, ' ', null],
    [
      { 'table.fields.additional.placement': 'id:envelope:n,aggregatetype:envelope' },
      'x',
      '{"payload":"x","n":1,"aggregatetype":"order"}',
    ],
    [{ 'table.fields.additional.placement': 'id:envelope' }, null, '{"payload":null,"id":1}'],
  ] as const)('with %j the payload %j is %j', async (settings, payload, value) => {
    expect(await routed(at(settings as unknown as Config), [[1, 'order', '7', payload]])).toEqual([
      ['outbox.event.order', '"7"', value],
    ]);
  });

  it('writes text and bytes as they are where a converter says so', async () => {
    const config = {
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
      'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    };
    expect(await routed(config, [event])).toEqual([['outbox.event.order', '7', '{"a": 1}']]);
    const bytes = { 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' };
    expect(await routed(bytes, [[1, 'order', null, Buffer.from('raw')]], BYTES)).toEqual([
      ['outbox.event.order', null, 'raw'],
    ]);
  });

  it('tells of updates in the log, or stops aloud', async () => {
    const { encoder, take, lines } = await outboxOf({});
    for (const _ of [1, 2]) write(encoder, event, 'u');
    write(encoder, event, 'c');
    expect(take()).toHaveLength(1);
    expect(lines).toHaveLength(1);
    const fatal = await outboxOf(at({ 'debezium.op.invalid.behavior': 'fatal' }));
    expect(() => write(fatal.encoder, event, 'u')).toThrow(/was updated/);
  });

  it('gives each event its id, and what is placed there, as headers', async () => {
    const headersOfRows = async (config: Config, rows: readonly (readonly Value[])[], payload?: DataType) => {
      const { encoder, taken } = await outboxOf(config, payload);
      for (const row of rows) write(encoder, row, 'c');
      return headersOf(taken());
    };
    const rows = [
      [1, 'order', '7', '{"a": 1}'],
      [2, 'order', null, null],
    ];
    expect(await headersOfRows({}, rows)).toEqual([{ id: '1' }, { id: '2' }]);
    const placed = {
      'table.field.event.id': 'aggregateid',
      'table.fields.additional.placement': 'payload:header:what,id:header:number,aggregatetype:envelope',
      'route.tombstone.on.empty.payload': 'true',
    };
    expect(await headersOfRows(at(placed), rows)).toEqual([
      { id: '7', what: '{"a": 1}', number: '1' },
      { number: '2' },
    ]);
    const bytes = [[1, 'order', '7', Buffer.from([1, 254])]];
    const raw = { 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' };
    const whole = at({ 'table.fields.additional.placement': 'payload:header' });
    expect(await headersOfRows({ ...raw, ...whole }, bytes, BYTES)).toEqual([{ id: '1', payload: 'Af4=' }]);
  });

  it('has no header "id" where the table has no such column, unless it is asked for', async () => {
    const { output } = checkConfig('c', { ...base, ...at({ 'route.by.field': 'aggregatetype' }) });
    const table = outbox();
    const other = { ...table, columns: table.columns.map((each, i) => (i === 0 ? { ...each, name: 'nr' } : each)) };
    expect(planTable(other, output).events!.outbox.headers).toEqual([]);
    const asked = checkConfig('c', { ...base, ...at({ 'table.field.event.id': 'id' }) }).output;
    expect(() => planTable(other, asked)).toThrow(/finds no column "id"/);
  });

  it('stops aloud for rows without a topic, and for more topics than anybody wants', async () => {
    const { encoder } = await outboxOf({});
    expect(() => write(encoder, [1, null, '7', 'x'], 'c')).toThrow(/has no aggregatetype/);
    expect(() => write(encoder, [1, 'a b', '7', 'x'], 'c')).toThrow(/no name of a topic/);
    for (let i = 0; i < routedTopicsMax; i++) write(encoder, [1, `t${i}`, '7', 'x'], 'c');
    write(encoder, [1, 't1', '7', 'x'], 'c');
    expect(() => write(encoder, [1, 'more', '7', 'x'], 'c')).toThrow(/one more than 1000/);
  });

  it.each([
    [at({ 'table.fields.additional.placement': 'type:header:id' }), /there is a header "id" already/],
    [at({ 'table.fields.additional.placement': 'type:header:op' }), /there is a header "op" already/],
    [at({ 'table.fields.additional.placement': 'type:partition' }), /partition of its key/],
    [at({ 'table.fields.additional.placement': 'type:nowhere' }), /it is no placement/],
    [at({ 'table.field.event.timestamp': 'at' }), /time of a record/],
    [at({ 'route.topic.replacement': '$4' }), /no group 4/],
    [{ 'value.converter': 'org.apache.kafka.connect.json.JsonConverter' }, /without schemas/],
    [{ 'output.key.format': 'AVRO' }, /keys of events/],
    [
      { 'value.converter': 'org.apache.kafka.connect.storage.StringConverter', transforms: '' },
      /names a class of Java/,
    ],
  ])('refuses %j with the way', (config, reason) => {
    const found = errors(config as unknown as Config).filter(({ message }) => reason.test(message));
    expect(found).toHaveLength(1);
    expect(found[0]!.hint).toBeDefined();
  });

  it('is refused for a table that is no outbox, and beside transforms of rows', () => {
    const people = { ...outbox(), table: 'people', columns: [column('id', INTEGER)] };
    expect(() => planTable(people, checkConfig('c', base).output)).toThrow(/finds no column "aggregatetype"/);
    const both = { ...base, 'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState' };
    const plan = (transforms: string) => planTable(outbox(), checkConfig('c', { ...both, transforms }).output);
    expect(plan('outbox,unwrap').events).toBeDefined();
    expect(() => plan('unwrap,outbox')).toThrow(/stands beside "outbox"/);
  });
});
