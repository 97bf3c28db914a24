// Topics beside those of rows, as Debezium has them: what transactions there were (`<prefix>.transaction`), heartbeats
// (`__debezium-heartbeat.<prefix>`), and what was done to tables (`<prefix>`, schema-change-records.ts). Their records are in the appends of what they tell, so they are there with it or not at all. They
// belong to no table of the source, so as tables of a connector they have no database.
import { BIGINT, STRING, type DataType } from '../core/data-type.js';
import type { ChangeOrigin } from '../core/change-origin.js';
import { AppError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { RowEncoder, SourceTable } from '../core/row-encoder.js';
import { isUnwanted, type UnwantedTopics } from '../core/topic-name.js';
import type { SideRecords } from '../source/source-connector.js';
import { schemaChangeTable, schemaChangeWriter } from './schema-change-records.js';
import { sideColumn, sideTable } from './side-table.js';

export interface SideTopics {
  /** Undefined: not asked for. */
  readonly transactions?: string | undefined;
  readonly heartbeat?: Heartbeat | undefined;
  readonly schemaChanges?: SchemaChangeTopic | undefined;
}

export interface SchemaChangeTopic {
  readonly topic: string;
  /** As Debezium calls it. */
  readonly connector: string;
  /** Else the connector does without it where the topic is another's. */
  readonly asked: boolean;
}

export interface Heartbeat {
  readonly topic: string;
  readonly intervalMs: number;
}

/** Of names of topics in configurations for Debezium 1.x. */
export const serverNamePlaceholder = '${database.server.name}';
const defaultTransaction = 'transaction';
const defaultHeartbeat = '__debezium-heartbeat';

export interface SideTopicsOptions {
  readonly unwanted: readonly UnwantedTopics[];
  /** Undefined: there is no such topic. */
  readonly schemaChanges: Omit<SchemaChangeTopic, 'topic'> | undefined;
}

/** A topic of which filters take all records out is not there. */
export function sideTopics(
  prefix: string,
  values: ReadonlyMap<string, string>,
  { unwanted, schemaChanges }: SideTopicsOptions,
): SideTopics {
  const intervalMs = Number(values.get('heartbeat.interval.ms') ?? '0');
  // The name of 1.x is the whole one, with a placeholder for the prefix.
  const whole = values.get('transaction.topic')?.replace(serverNamePlaceholder, prefix);
  const transactions = whole ?? `${prefix}.${values.get('topic.transaction') ?? defaultTransaction}`;
  const heartbeat = `${values.get('topic.heartbeat.prefix') ?? defaultHeartbeat}.${prefix}`;
  const isWanted = (topic: string) => !isUnwanted(topic, unwanted);
  return {
    ...(values.get('provide.transaction.metadata') === 'true' && isWanted(transactions) ? { transactions } : {}),
    ...(intervalMs > 0 && isWanted(heartbeat) ? { heartbeat: { topic: heartbeat, intervalMs } } : {}),
    ...(schemaChanges && isWanted(prefix) ? { schemaChanges: { topic: prefix, ...schemaChanges } } : {}),
  };
}

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
const transactionTable = sideTable(
  'transaction',
  [
    sideColumn('status', STRING),
    sideColumn('id', STRING),
    sideColumn('event_count', BIGINT, true),
    sideColumn('data_collections', perCollection, true),
    sideColumn('ts_ms', BIGINT),
  ],
  1,
);
const heartbeatTable = sideTable('heartbeat', [sideColumn('serverName', STRING), sideColumn('ts_ms', BIGINT)], 0);

type Open = (table: SourceTable, topic: string, cleanup: 'compact' | 'delete') => Promise<RowEncoder>;

/** `open` makes the topic of such a table: one that is kept whole by key, or one from which old records go. */
export async function openSideRecords(
  { transactions, heartbeat, schemaChanges }: SideTopics,
  { prefix, version, logger }: { readonly prefix: string; readonly version: string; readonly logger: Logger },
  open: Open,
): Promise<SideRecords> {
  const told = transactions === undefined ? undefined : await open(transactionTable, transactions, 'delete');
  const beats = heartbeat === undefined ? undefined : await open(heartbeatTable, heartbeat.topic, 'compact');
  const schemas = schemaChanges && (await openSchemaChanges(schemaChanges, logger, open));
  return {
    ...(schemas && { schemaChange: schemaChangeWriter(schemas, { ...schemaChanges!, server: prefix, version }) }),
    ...(told && { transaction: (origin) => writeTransaction(told, origin) }),
    ...(beats && { heartbeat: { intervalMs: heartbeat!.intervalMs, write: () => writeHeartbeat(beats, prefix) } }),
  };
}

/** A topic that nobody has asked for keeps no connector from running: another one with the same prefix may write it, or a table. */
async function openSchemaChanges(
  { topic, asked }: SchemaChangeTopic,
  logger: Logger,
  open: Open,
): Promise<RowEncoder | undefined> {
  try {
    return await open(schemaChangeTable, topic, 'delete');
  } catch (error) {
    if (asked || !(error instanceof AppError) || error.retriable) throw error;
    const { code, message: reason } = error;
    const hint = 'set include.schema.changes to "false", or to "true" with a topic.prefix of its own';
    logger.warn('schema changes are not written to their topic', { topic, code, reason, hint });
    return undefined;
  }
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
