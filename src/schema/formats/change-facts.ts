// What records can tell of the change beside its row, by the names of Debezium's `source`: their types, and how they are read.
import { BIGINT, INTEGER, integerValue, STRING, type DataType, type Value } from '../../core/data-type.js';
import type { ChangeOrigin } from '../../core/change-origin.js';

export interface ChangeFact {
  readonly type: DataType;
  readonly nullable: boolean;
  readonly read: (origin: ChangeOrigin) => Value;
}

const fact = (type: DataType, read: ChangeFact['read']): ChangeFact => ({ type, nullable: false, read });
const optional = (type: DataType, read: ChangeFact['read']): ChangeFact => ({ type, nullable: true, read });

const facts = {
  ts_ms: fact(BIGINT, () => Date.now()),
  ts_us: fact(BIGINT, () => Date.now() * 1000),
  ts_ns: fact(BIGINT, () => nanos(Date.now() * 1000)),
  'source.ts_ms': fact(BIGINT, ({ timeUs }) => Math.floor(timeUs / 1000)),
  'source.ts_us': fact(BIGINT, ({ timeUs }) => timeUs),
  'source.ts_ns': fact(BIGINT, ({ timeUs }) => nanos(timeUs)),
  'source.snapshot': fact(STRING, ({ snapshot }) => snapshot),
  'source.server_id': fact(BIGINT, ({ serverId }) => serverId),
  'source.gtid': optional(STRING, ({ gtid }) => gtid),
  'source.file': fact(STRING, ({ file }) => file),
  'source.pos': fact(BIGINT, ({ position }) => position),
  'source.row': fact(INTEGER, ({ row }) => row),
  'source.thread': optional(BIGINT, ({ thread }) => thread),
  'source.query': optional(STRING, ({ query }) => query),
  'transaction.id': optional(STRING, ({ transaction }) => transaction),
} as const satisfies Readonly<Record<string, ChangeFact>>;

export type FactName = keyof typeof facts;
export const factNames = Object.keys(facts) as FactName[];

/** By its name, which may go without `source.` where the envelope itself has none of that name. */
export function factNamed(name: string): FactName | undefined {
  return factNames.find((each) => each === name) ?? factNames.find((each) => each === `source.${name}`);
}

export function changeFact(name: FactName): ChangeFact {
  return facts[name];
}

/** Beyond 2^53. */
function nanos(us: number): number | bigint {
  return integerValue(BigInt(us) * 1000n);
}
