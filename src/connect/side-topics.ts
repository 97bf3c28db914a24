// Topics beside those of rows, as Debezium has them: what transactions there were (`<prefix>.transaction`), and heartbeats
// (`__debezium-heartbeat.<prefix>`). Their records are in the appends of what they tell, so they are there with it or not at all. They
// belong to no table of the source, so as tables of a connector they have no database.
import { BIGINT, STRING, type DataType } from '../core/data-type.js';
import type { ChangeOrigin } from '../core/change-origin.js';
import type { RowEncoder, SourceColumn, SourceTable } from '../core/row-encoder.js';
import { isUnwanted, type UnwantedTopics } from '../core/topic-name.js';
import type { SideRecords } from '../source/source-connector.js';

export interface SideTopics {
  /** Undefined: not asked for. */
  readonly transactions?: string | undefined;
  readonly heartbeat?: Heartbeat | undefined;
}

export interface Heartbeat {
  readonly topic: string;
  readonly intervalMs: number;
}

const defaultTransaction = 'transaction';
const defaultHeartbeat = '__debezium-heartbeat';

/** A topic of which filters take all records out is not there. */
export function sideTopics(
  prefix: string,
  values: ReadonlyMap<string, string>,
  unwanted: readonly UnwantedTopics[],
): SideTopics {
  const intervalMs = Number(values.get('heartbeat.interval.ms') ?? '0');
  // The name of 1.x is the whole one, with a placeholder for the prefix.
  const whole = values.get('transaction.topic')?.replace('${database.server.name}', prefix);
  const transactions = whole ?? `${prefix}.${values.get('topic.transaction') ?? defaultTransaction}`;
  const heartbeat = `${values.get('topic.heartbeat.prefix') ?? defaultHeartbeat}.${prefix}`;
  const isWanted = (topic: string) => !isUnwanted(topic, unwanted);
  return {
    ...(values.get('provide.transaction.metadata') === 'true' && isWanted(transactions) ? { transactions } : {}),
    ...(intervalMs > 0 && isWanted(heartbeat) ? { heartbeat: { topic: heartbeat, intervalMs } } : {}),
  };
}

const column = (name: string, type: DataType, nullable = false): SourceColumn => ({
  name,
  type,
  nullable,
  sourceType: type.kind,
});
const side = (table: string, columns: readonly SourceColumn[], key: number): SourceTable => ({
  database: '',
  table,
  columns,
  keyColumns: [key],
});

const perCollection: DataType = {
  kind: 'ARRAY',
  element: {
    kind: 'STRUCT',
    fields: [
      { name: 'data_collection', type: STRING },
      { name: 'event_count', type: BIGINT },
    ],
  },
};
const transactionTable = side(
  'transaction',
  [
    column('status', STRING),
    column('id', STRING),
    column('event_count', BIGINT, true),
    column('data_collections', perCollection, true),
    column('ts_ms', BIGINT),
  ],
  1,
);
const heartbeatTable = side('heartbeat', [column('serverName', STRING), column('ts_ms', BIGINT)], 0);

/** `open` makes the topic of such a table: one that is kept whole by key, or one from which old records go. */
export async function openSideRecords(
  { transactions, heartbeat }: SideTopics,
  prefix: string,
  open: (table: SourceTable, topic: string, cleanup: 'compact' | 'delete') => Promise<RowEncoder>,
): Promise<SideRecords> {
  const told = transactions === undefined ? undefined : await open(transactionTable, transactions, 'delete');
  const beats = heartbeat === undefined ? undefined : await open(heartbeatTable, heartbeat.topic, 'compact');
  return {
    ...(told && { transaction: (origin) => writeTransaction(told, origin) }),
    ...(beats && { heartbeat: { intervalMs: heartbeat!.intervalMs, write: () => writeHeartbeat(beats, prefix) } }),
  };
}

/** Its beginning and its end. */
function writeTransaction(to: RowEncoder, { transaction, timeUs, events, eventsOfTables }: ChangeOrigin): void {
  if (transaction === null) return;
  for (const status of ['BEGIN', 'END'] as const) {
    const row = to.beginRow('c');
    row.string(status);
    row.string(transaction);
    if (status === 'BEGIN') {
      row.null();
      row.null();
    } else {
      row.integer(events);
      row.value([...eventsOfTables].map(([name, count]) => [name, count]));
    }
    row.integer(Math.floor(timeUs / 1000));
    to.endRow();
  }
}

function writeHeartbeat(to: RowEncoder, prefix: string): void {
  const row = to.beginRow('c');
  row.string(prefix);
  row.integer(Date.now());
  to.endRow();
}
