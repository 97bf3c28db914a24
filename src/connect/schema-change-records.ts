// Records of schema changes as Debezium has them: the key is the database, the value the statement with its place (`source`) and what has
// become of the tables that it names.
import { BIGINT, BOOLEAN, INTEGER, STRING, type DataType, type StructField, type Value } from '../core/data-type.js';
import type { ChangeOrigin } from '../core/change-origin.js';
import type { RowEncoder } from '../core/row-encoder.js';
import { sourceFields, type EnvelopeSource } from '../schema/formats/envelope.js';
import type { DescribedColumn, SchemaChange, TableChange } from '../source/source-connector.js';
import { sideColumn, sideTable } from './side-table.js';

const array = (element: DataType): DataType => ({ kind: 'ARRAY', element });
const struct = (...fields: readonly (readonly [name: string, type: DataType])[]): DataType => ({
  kind: 'STRUCT',
  fields: fields.map(([name, type]): StructField => ({ name, type })),
});

const sourceTypes = { string: STRING, snapshot: STRING, int32: INTEGER, int64: BIGINT } as const;
const sourceType: DataType = {
  kind: 'STRUCT',
  fields: sourceFields.map(({ name, type }) => ({ name, type: sourceTypes[type] })),
};
const columnType = struct(
  ['name', STRING],
  ['jdbcType', INTEGER],
  ['nativeType', INTEGER],
  ['typeName', STRING],
  ['typeExpression', STRING],
  ['charsetName', STRING],
  ['length', INTEGER],
  ['scale', INTEGER],
  ['position', INTEGER],
  ['optional', BOOLEAN],
  ['autoIncremented', BOOLEAN],
  ['generated', BOOLEAN],
  ['comment', STRING],
  ['defaultValueExpression', STRING],
  ['enumValues', array(STRING)],
);
const tableType = struct(
  ['defaultCharsetName', STRING],
  ['primaryKeyColumnNames', array(STRING)],
  ['columns', array(columnType)],
  ['comment', STRING],
);

export const schemaChangeTable = sideTable(
  'schema_changes',
  [
    sideColumn('source', sourceType),
    sideColumn('ts_ms', BIGINT),
    sideColumn('databaseName', STRING),
    sideColumn('schemaName', STRING, true),
    sideColumn('ddl', STRING),
    sideColumn('tableChanges', array(struct(['type', STRING], ['id', STRING], ['table', tableType]))),
  ],
  2,
);

export function schemaChangeWriter(
  to: RowEncoder,
  of: EnvelopeSource,
): (change: SchemaChange, origin: ChangeOrigin) => void {
  return (change, origin) => {
    const row = to.beginRow('c');
    row.value(sourceOf(of, change, origin));
    row.integer(Date.now());
    row.string(change.database);
    row.null();
    row.string(change.ddl);
    row.value(change.changes.map((each) => changeOf(change.database, each)));
    to.endRow();
  };
}

function sourceOf({ version, connector, server }: EnvelopeSource, change: SchemaChange, origin: ChangeOrigin): Value {
  const { timeUs: us, snapshot, serverId, gtid, file, position } = origin;
  const tables = change.tables.length > 0 ? change.tables.join() : null;
  const told: Readonly<Record<string, Value>> = {
    version,
    connector,
    name: server,
    ts_ms: Math.floor(us / 1000),
    snapshot,
    db: change.database,
    ts_us: us,
    ts_ns: BigInt(us) * 1000n,
    table: tables,
    server_id: serverId,
    gtid,
    file,
    pos: position,
    row: 0,
  };
  return sourceFields.map(({ name }) => told[name] ?? null);
}

function changeOf(database: string, { type, table, now }: TableChange): Value {
  const described = now && [now.charset, now.keyColumns, now.columns.map(columnOf), now.comment];
  return [type, [database, table].map((name) => `"${name.replaceAll('"', '""')}"`).join('.'), described];
}

function columnOf(column: DescribedColumn, index: number): Value {
  const { name, jdbcType, typeName, charset, length, scale, optional, autoIncremented, generated } = column;
  return [
    name,
    jdbcType,
    null,
    typeName,
    typeName,
    charset,
    length,
    scale,
    index + 1,
    optional,
    autoIncremented,
    generated,
    column.comment,
    column.defaultValue,
    column.labels,
  ];
}
