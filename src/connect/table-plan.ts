// What the records of one captured table are: its topic, its columns as the records have them, and its key; decided once, when the table
// is opened, from the handling modes of types and the transforms in their order. What cannot be done with this table is an error that
// names both.
import { BIGINT, DOUBLE, STRING, type DataType, type Value } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { SemanticType, SourceColumn, SourceTable } from '../core/row-encoder.js';
import { qualifiedName } from '../core/table-name.js';
import { isTopicName, topicName, topicNameRule } from '../core/topic-name.js';
import { castType } from '../schema/formats/cast-value.js';
import { convertedTime } from '../schema/formats/time-conversion.js';
import { changeFact } from '../schema/formats/change-facts.js';
import type { Format } from '../schema/formats/format.js';
import type { AddedHeader } from '../schema/formats/headers-writer.js';
import type { AddedColumn, ColumnUse, Projection } from '../schema/formats/projected-row-encoder.js';
import { ruleOf } from './column-rules.js';
import { planEvents, type PlannedEvents } from './event-plan.js';
import { exactTypes, type OutputSettings, type TypeModes } from './output-settings.js';
import { keyShapeOf } from './naming.js';
import { replacedName } from './transforms/replaced-name.js';
import { renamed } from './transforms/topic-rename.js';
import { applies, failOf, type Fail } from './transforms/applied-transform.js';
import type { AddedValue, TransformStep } from './transforms/transform-step.js';

export interface TablePlan {
  readonly topic: string;
  readonly keyFormat: Format;
  readonly keyShape: 'bare' | 'object';
  /** As the records have it. */
  readonly table: SourceTable;
  /** Undefined: just as the source has it. */
  readonly projection: Projection | undefined;
  /** Columns that tell the operation. */
  readonly opColumns: readonly number[];
  /** Of each record. */
  readonly headers: readonly AddedHeader[];
  /** Its rows are events, whose topics they name themselves. */
  readonly events?: PlannedEvents | undefined;
}

interface PlannedColumn {
  name: string;
  type: DataType;
  use: ColumnUse;
  readonly source: SourceColumn;
  readonly isKey: boolean;
  /** In the key. */
  keyName: string;
}

interface Planned extends Pick<TablePlan, 'topic' | 'keyShape'> {
  topic: string;
  keyShape: 'bare' | 'object';
  readonly columns: PlannedColumn[];
  readonly added: { name: string; readonly column: AddedColumn }[];
  readonly headers: AddedHeader[];
}

/** `held`: the table is described as its records have it already. */
export function planTable(table: SourceTable, output: OutputSettings, held = false): TablePlan {
  const events = held ? undefined : planEvents(table, output);
  if (events) {
    const keyFormat = output.keyFormat === 'TEXT' ? 'JSON' : output.keyFormat;
    const plain = { projection: undefined, opColumns: [], headers: [] };
    return { ...events, table, keyShape: keyShapeOf(output, table), keyFormat, ...plain };
  }
  const planned: Planned = {
    topic: topicName(output, table),
    keyShape: keyShapeOf(output, table),
    columns: table.columns.map((source, i) => ({
      name: source.name,
      keyName: source.name,
      source,
      isKey: table.keyColumns.includes(i),
      ...(held ? typed(source, exactTypes) : columnOf(table, source, output)),
    })),
    added: [],
    headers: [],
  };
  for (const transform of output.transforms) {
    if (!applies(transform, planned.topic)) continue;
    for (const step of transform.steps) {
      const fail = failOf(transform, table);
      if (step.kind === 'rename-topic') renameTopic(planned, step, fail);
      else if (step.kind === 'route-events') continue;
      else if (step.kind === 'header')
        planned.headers.push({ ...step, value: addedColumn(step.value, planned.topic, table) });
      else if (!held) apply(planned, step, table, fail);
      else if (step.kind === 'bare-key') planned.keyShape = 'bare';
    }
  }
  if (!isTopicName(planned.topic))
    throw new AppError(
      'bad-connector-config',
      `table ${qualifiedName(table)}: "${planned.topic}" is no name of a topic`,
      {
        hint: `${topicNameRule}: set topic.prefix, or a transform RegexRouter`,
        place: { path: 'topic.prefix' },
      },
    );
  if (!held) checkNames(planned, table);
  return {
    topic: planned.topic,
    keyShape: planned.keyShape,
    headers: planned.headers,
    keyFormat: keyFormatOf(output, planned, table),
    ...columnsOf(planned, table),
  };
}

function renameTopic(
  planned: Planned,
  { regex, replacement }: TransformStep & { kind: 'rename-topic' },
  fail: Fail,
): void {
  const topic = renamed(planned.topic, regex, replacement);
  if (topic === undefined) return;
  if (!isTopicName(topic)) throw fail(`gives it the topic "${topic}", which is no name of one`, topicNameRule);
  planned.topic = topic;
}

function apply(
  planned: Planned,
  step: Exclude<TransformStep, { kind: 'rename-topic' | 'route-events' | 'header' }>,
  table: SourceTable,
  fail: Fail,
): void {
  switch (step.kind) {
    case 'replace':
      return replace(planned, step, fail);
    case 'mask':
      for (const column of planned.columns) {
        if (column.use.kind === 'drop' || !step.fields.includes(column.name)) continue;
        if (column.isKey) throw fail(`masks "${column.name}", which identifies its rows`, 'leave the field out of it');
        const value = maskOf(column.type, step.replacement);
        if (value === undefined)
          throw fail(
            `cannot mask column "${column.name}" (${column.type.kind})`,
            'leave it out by column.exclude.list, or choose another replacement',
          );
        column.use = { kind: 'constant', type: column.type, value };
      }
      return;
    case 'cast':
      return cast(planned, step, table, fail);
    case 'time':
      return convertTime(planned, step, fail);
    case 'flatten': {
      const nested = planned.columns.find(({ type, use }) => use.kind !== 'drop' && type.kind === 'STRUCT');
      if (nested === undefined) return;
      throw fail(
        `would flatten column "${nested.name}", which has fields`,
        'leave the column out, set geometry.handling.mode to "geojson", or give the transform a predicate (TopicNameMatches)',
      );
    }
    case 'add':
      planned.added.push({ name: step.field, column: addedColumn(step.value, planned.topic, table) });
      return;
    case 'key': {
      const key = table.keyColumns.map((i) => planned.columns[i]!.name);
      if (key.join() === step.fields.join()) return;
      throw fail(
        `makes ${step.fields.join(', ')} its key, and its rows are identified by ${key.join(', ')}`,
        'leave the transform out; message.key.columns (MySQL, MariaDB) makes keys of other columns',
      );
    }
    case 'bare-key': {
      const key = table.keyColumns.map((i) => planned.columns[i]!.keyName);
      if (key.length !== 1 || key[0] !== step.field)
        throw fail(
          `takes "${step.field}" out of its key, which has ${key.join(', ')}`,
          'give the transform a predicate (TopicNameMatches), or leave it out',
        );
      planned.keyShape = 'bare';
    }
  }
}

function replace(planned: Planned, step: TransformStep & { kind: 'replace' }, fail: Fail): void {
  if (step.side === 'key') {
    for (const column of planned.columns.filter(({ isKey }) => isKey)) {
      const name = replacedName(step, column.keyName);
      if (name === undefined)
        throw fail(`takes "${column.keyName}" out of the key, which identifies its rows`, 'leave the field in');
      column.keyName = name;
    }
    return;
  }
  for (const column of planned.columns) {
    if (column.use.kind === 'drop') continue;
    const name = replacedName(step, column.name);
    if (name !== undefined) column.name = name;
    else if (column.isKey) throw fail(`takes "${column.name}" away, which identifies its rows`, 'leave the field in');
    else column.use = { kind: 'drop' };
  }
  const left = planned.added.filter(({ name }) => replacedName(step, name) !== undefined);
  planned.added.splice(0, planned.added.length, ...left);
  for (const added of planned.added) added.name = replacedName(step, added.name)!;
}

function cast(
  planned: Planned,
  { fields }: TransformStep & { kind: 'cast' },
  { database, table }: SourceTable,
  fail: Fail,
): void {
  for (const column of planned.columns) {
    if (column.use.kind === 'drop' || !Object.hasOwn(fields, column.name)) continue;
    const to = fields[column.name]!;
    if (column.isKey) throw fail(`casts "${column.name}", which identifies its rows`, 'leave the field out of it');
    const type = castType(column.type, to);
    if (type === undefined || column.use.kind !== 'keep')
      throw fail(
        `cannot cast column "${column.name}" (${column.source.sourceType}) to ${to}`,
        'numbers, BOOLEAN and text can be cast, where no mask and no handling mode has changed them; else CAST in a query',
      );
    column.type = type;
    column.use = { kind: 'cast', to, where: `${database}.${table}.${column.source.name}` };
  }
  const added = planned.added.find(({ name }) => Object.hasOwn(fields, name));
  if (added) throw fail(`casts "${added.name}", which is no column`, 'CAST in a query: CREATE TABLE ... AS SELECT');
}

function convertTime(planned: Planned, { field, conversion }: TransformStep & { kind: 'time' }, fail: Fail): void {
  const column = planned.columns.find(({ name, use }) => name === field && use.kind !== 'drop');
  if (column === undefined) return;
  if (column.isKey) throw fail(`converts "${field}", which identifies its rows`, 'leave the transform out');
  const type = convertedTime(column.type, conversion);
  if (type === undefined || column.use.kind !== 'keep')
    throw fail(
      `cannot convert column "${field}" (${column.source.sourceType})`,
      'DATE, DATETIME and TIMESTAMP can be converted, where no handling mode has made text of them',
    );
  column.type = type;
  column.use = { kind: 'time', conversion };
}

function addedColumn(value: AddedValue, topic: string, table: SourceTable): AddedColumn {
  switch (value.kind) {
    case 'op':
      return { kind: 'op' };
    case 'text':
      return { kind: 'constant', type: STRING, value: value.text };
    case 'topic':
      return { kind: 'constant', type: STRING, value: topic };
    case 'table':
      return { kind: 'constant', type: STRING, value: table.table };
    case 'database':
      return { kind: 'constant', type: STRING, value: table.database };
    case 'fact':
      return value;
  }
}

/** As MaskField masks: undefined where it cannot. */
function maskOf(type: DataType, replacement: string | undefined): Value | undefined {
  const number = replacement === undefined || replacement === '' ? '0' : replacement;
  switch (type.kind) {
    case 'STRING':
      return replacement ?? '';
    case 'BOOLEAN':
      return replacement ? undefined : false;
    case 'DATE':
    case 'TIME':
    case 'TIMESTAMP':
      return replacement ? undefined : 0;
    case 'INTEGER':
    case 'BIGINT':
      return /^-?\d{1,15}$/.test(number) && (type.kind === 'BIGINT' || Math.abs(Number(number)) < 2 ** 31)
        ? Number(number)
        : undefined;
    case 'DOUBLE':
      return Number.isFinite(Number(number)) ? Number(number) : undefined;
    case 'DECIMAL': {
      const found = /^(-?\d+)(?:\.(\d+))?$/.exec(number);
      const fraction = (found?.[2] ?? '').replace(/0+$/, '');
      if (!found || fraction.length > type.scale) return undefined;
      const unscaled = BigInt(found[1]! + fraction.padEnd(type.scale, '0'));
      if (String(unscaled).replace('-', '').length > type.precision) return undefined;
      return Number.isSafeInteger(Number(unscaled)) ? Number(unscaled) : unscaled;
    }
    default:
      return undefined;
  }
}

function columnOf(table: SourceTable, source: SourceColumn, { types, columnRules }: OutputSettings) {
  const use = ruleOf(columnRules, table, source);
  return use === undefined ? typed(source, types) : { type: source.type, use };
}

function typed({ type, sourceType }: SourceColumn, modes: TypeModes): { type: DataType; use: ColumnUse } {
  const keep: ColumnUse = { kind: 'keep' };
  switch (type.kind) {
    case 'DECIMAL':
      if (sourceType.startsWith('bigint'))
        return modes.unsigned === 'long' ? { type: BIGINT, use: { kind: 'long' } } : { type, use: keep };
      if (modes.decimal === 'string') return { type: STRING, use: { kind: 'text' } };
      return modes.decimal === 'double' ? { type: DOUBLE, use: { kind: 'double' } } : { type, use: keep };
    case 'BYTES':
      // Debezium's modes are of binary text, and bits stay bytes.
      if (modes.binary === 'bytes' || sourceType.startsWith('bit')) return { type, use: keep };
      return { type: STRING, use: { kind: modes.binary === 'base64-url-safe' ? 'base64url' : modes.binary } };
    case 'TIME':
    case 'TIMESTAMP': {
      if (modes.zoned && type.kind === 'TIMESTAMP' && sourceType.startsWith('timestamp'))
        return { type: { ...type, zoned: Number(/\d/.exec(sourceType)?.[0] ?? 0) }, use: keep };
      const micros =
        modes.time === 'microseconds' || (modes.time === 'adaptive_time_microseconds' && type.kind === 'TIME');
      return {
        type: modes.time === 'connect' ? { ...type, digits: 3 } : micros ? { ...type, digits: 6 } : type,
        use: keep,
      };
    }
    default:
      return { type, use: keep };
  }
}

function checkNames({ columns, added, keyShape }: Planned, { database, table }: SourceTable): void {
  const problem = (message: string, hint: string) =>
    new AppError('bad-connector-config', `table ${database}.${table}: ${message}`, {
      hint,
      place: { path: 'transforms' },
    });
  const names = [...columns.filter(({ use }) => use.kind !== 'drop'), ...added].map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw problem(`the transforms give two fields the name "${twice}"`, 'rename one of them');
  const other = columns.find(({ isKey, name, keyName }) => isKey && name !== keyName);
  if (other && keyShape === 'object') {
    throw problem(
      `column "${other.source.name}" of the key is "${other.name}" in the value and "${other.keyName}" in the key`,
      `rename it in both, by ReplaceField$Value and ReplaceField$Key`,
    );
  }
}

function columnsOf(
  { columns, added }: Planned,
  table: SourceTable,
): Pick<TablePlan, 'table' | 'projection' | 'opColumns'> {
  const left = columns.filter(({ use }) => use.kind !== 'drop');
  const opColumns = added.flatMap(({ column }, i) => (column.kind === 'op' ? [left.length + i] : []));
  const out: SourceTable = {
    ...table,
    columns: [
      ...left.map(({ name, type, source, use }) => ({ ...source, name, type, semanticType: semanticOf(source, use) })),
      ...added.map(({ name, column }) => ({ name, ...typeOfAdded(column), sourceType: column.kind })),
    ],
    keyColumns: table.keyColumns.map((i) => left.indexOf(columns[i]!)),
  };
  if (added.length === 0 && columns.every(({ use }) => use.kind === 'keep'))
    return { table: out, opColumns, projection: undefined };
  return {
    table: out,
    opColumns,
    projection: { columns: columns.map(({ use }) => use), added: added.map(({ column }) => column) },
  };
}

/** Masks leave a column what it is. */
function semanticOf({ semanticType }: SourceColumn, { kind }: ColumnUse): SemanticType | undefined {
  return kind === 'keep' || kind === 'constant' || kind === 'hash' || kind === 'shorten' ? semanticType : undefined;
}

function typeOfAdded(column: AddedColumn): Pick<SourceColumn, 'type' | 'nullable'> {
  if (column.kind !== 'fact') return { type: STRING, nullable: false };
  const { type, nullable } = changeFact(column.fact);
  return { type, nullable };
}

/** A key as text is that of Kafka's own serializers; of a number it is what JSON writes. */
function keyFormatOf({ keyFormat }: OutputSettings, planned: Planned, table: SourceTable): Format {
  if (keyFormat === 'PROTOBUF' && planned.keyShape === 'bare') {
    throw new AppError(
      'bad-connector-config',
      `table ${table.database}.${table.table}: a transform takes its key out of the message that a key in PROTOBUF is`,
      { hint: 'leave ExtractField$Key out, or choose AVRO or JSON for keys', place: { path: 'transforms' } },
    );
  }
  if (keyFormat !== 'TEXT') return keyFormat;
  const key = table.keyColumns.map((i) => planned.columns[i]!);
  const type = key[0]!.type.kind;
  if (key.length === 1 && planned.keyShape === 'bare') {
    if (type === 'STRING') return 'KAFKA';
    if (type === 'INTEGER' || type === 'BIGINT' || type === 'BOOLEAN') return 'JSON';
  }
  throw new AppError(
    'bad-connector-config',
    `table ${table.database}.${table.table}: its key (${key.map(({ name }) => name).join(', ')}) is no single number or text, which StringConverter needs`,
    { hint: 'use JsonConverter for keys', place: { path: 'key.converter' } },
  );
}
