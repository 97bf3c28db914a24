// The transforms of Kafka Connect and of Debezium: their properties, and for those that are not done here the reason and the way.
// Those that are done are compiled into the encoder of a table, or into the names of topics.
import { timeUnits } from '../../schema/formats/time-conversion.js';
import { eventRouterProperties } from './event-router.js';
import { group, patterns, truth, type PropertyDef, type Rest } from '../properties/property.js';
import { own } from '../../core/own.js';

const transforms = group('Transforms');
const kafka = 'org.apache.kafka.connect.transforms.';
const debezium = 'io.debezium.transforms.';

export const transformTypes = {
  unwrap: [`${debezium}ExtractNewRecordState`, `${debezium}UnwrapFromEnvelope`],
  regexRouter: [`${kafka}RegexRouter`],
  logicalRouter: [`${debezium}ByLogicalTableRouter`],
  replaceValue: [`${kafka}ReplaceField$Value`],
  replaceKey: [`${kafka}ReplaceField$Key`],
  maskValue: [`${kafka}MaskField$Value`],
  insertValue: [`${kafka}InsertField$Value`],
  insertHeader: [`${kafka}InsertHeader`],
  castValue: [`${kafka}Cast$Value`],
  flatten: [`${kafka}Flatten$Value`],
  convertTime: [`${kafka}TimestampConverter$Value`],
  valueToKey: [`${kafka}ValueToKey`],
  extractKey: [`${kafka}ExtractField$Key`],
  filter: [`${kafka}Filter`],
  eventRouter: [`${debezium}outbox.EventRouter`],
} as const satisfies Record<string, readonly string[]>;

export type TransformKind = keyof typeof transformTypes;

/** Undefined: it is not done here. */
export function transformKind(type: string): TransformKind | undefined {
  return (Object.keys(transformTypes) as TransformKind[]).find((kind) =>
    (transformTypes[kind] as readonly string[]).includes(type),
  );
}

const perRow = 'a topic is chosen per table here, not per row';
const keyNames = 'the fields of a key are named as its columns';
const noDropping = 'no header names fields to be taken out';
const noHeaders =
  'headers are those of the log (op, GTID, order and commit time) and what add.headers of ExtractNewRecordState, InsertHeader and EventRouter add';
const byQuery = 'do it in a query: CREATE TABLE ... AS SELECT';

/** By class name without its package. */
export const refusedTransforms: Readonly<Record<string, readonly [reason: string, way?: string]>> = {
  ContentBasedRouter: [perRow, 'route by queries: CREATE STREAM ... AS SELECT ... WHERE'],
  PartitionRouting: ['a record goes to the partition of its key, so that the changes of a row keep their order'],
  ExtractTopic: [perRow],
  TimestampRouter: ['a table keeps one topic'],
  Cast$Key: [keyNames],
  Flatten$Key: ['keys are flat'],
  HoistField$Value: ['rows are flat', byQuery],
  HoistField$Key: [keyNames, 'keys are objects unless ExtractField$Key takes the field out'],
  ExtractField$Value: ['a table needs whole rows', byQuery],
  InsertField$Key: [keyNames],
  MaskField$Key: ['a masked key would make many rows one'],
  DropHeaders: [noHeaders],
  HeaderFrom$Value: [noHeaders],
  HeaderFrom$Key: [noHeaders],
  HeaderToValue: [noHeaders],
  SetSchemaMetadata$Value: ['schemas are named after their topic'],
  SetSchemaMetadata$Key: ['schemas are named after their topic'],
  TimestampConverter$Key: [keyNames],
  TimezoneConverter: ['times are UTC', 'convert in a query'],
  Filter: ['conditions in a script are not run', 'leave rows out by a query: CREATE TABLE ... AS SELECT ... WHERE'],
  ReadToInsertEvent: ['a row of the snapshot says so in its header'],
  ExtractChangedRecordState: [noHeaders],
  SchemaChangeEventFilter: ['schema changes are not written, so there are none to leave out', 'leave it out'],
};

/** Why a type is not done here, and what to do instead. */
export function typeRefusal(type: string): readonly [reason: string, way: string] | undefined {
  const name = type.slice(type.lastIndexOf('.') + 1);
  const found = own(refusedTransforms, name) ?? own(refusedTransforms, `${name}$Value`);
  return found === undefined ? undefined : [found[0], found[1] ?? 'leave it out of transforms'];
}

const list = { type: 'LIST' } as const satisfies Rest;
const nothing = (value = ''): readonly string[] => [value];

/** What a transform of this kind can be set to, beside type, predicate and negate. */
export function transformProperties(kind: TransformKind, at: string): readonly PropertyDef[] {
  const implemented = (name: string, doc: string, rest?: Rest) => transforms.implemented(`${at}.${name}`, doc, rest);
  const accepted = (name: string, doc: string, rest?: Rest) => transforms.accepted(`${at}.${name}`, doc, rest);
  const refused = (name: string, doc: string, harmless: readonly string[], rest?: Rest) =>
    transforms.refused(`${at}.${name}`, doc, harmless, rest);
  switch (kind) {
    case 'unwrap':
      return [
        implemented('delete.tombstone.handling.mode', 'what a delete becomes', {
          values: ['tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'],
          refusedValues: { drop: 'without a trace of deletes the tables would keep rows that are gone' },
        }),
        implemented('drop.tombstones', 'older pair of delete.tombstone.handling.mode', truth),
        implemented('delete.handling.mode', 'older pair of delete.tombstone.handling.mode', {
          values: ['drop', 'rewrite', 'none'],
        }),
        implemented(
          'add.fields',
          'fields beside the columns: op, table, db, name, connector, ts_ms, source.ts_ms, source.gtid and the like',
          list,
        ),
        implemented('add.fields.prefix', 'in front of their names; "__" by default'),
        implemented(
          'add.headers',
          'headers of each record beside those of the log, as text: what add.fields knows',
          list,
        ),
        implemented('add.headers.prefix', 'in front of their names; "__" by default'),
        refused('route.by.field', perRow, nothing(), {
          way: 'route by queries: CREATE STREAM ... AS SELECT ... WHERE',
        }),
        refused('drop.fields.header.name', noDropping, nothing()),
        accepted('drop.fields.from.key', noDropping, truth),
        accepted('drop.fields.keep.schema.compatible', noDropping, truth),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'regexRouter':
      return [
        implemented('regex', 'whole names of topics', { ...patterns, required: true }),
        implemented('replacement', 'the new name, with $1 for a group', { required: true }),
      ];
    case 'logicalRouter':
      return [
        implemented('topic.regex', 'whole names of topics', { ...patterns, required: true }),
        implemented('topic.replacement', 'the new name, with $1 for a group', { required: true }),
        refused(
          'key.enforce.uniqueness',
          'tables do not share a topic, so keys need no field that tells them apart',
          ['false'],
          {
            ...truth,
            default: 'true',
          },
        ),
        accepted('key.field.name', 'tables do not share a topic'),
        accepted('key.field.regex', 'tables do not share a topic'),
        accepted('key.field.replacement', 'tables do not share a topic'),
        accepted('schema.name.adjustment.mode', 'schemas are named as Avro allows'),
        accepted('logical.table.cache.size', 'the name of a topic is made once'),
      ];
    case 'replaceValue':
    case 'replaceKey':
      return [
        implemented('exclude', 'fields that are left out', { ...list, aliases: [`${at}.blacklist`] }),
        implemented('include', 'the only fields', { ...list, aliases: [`${at}.whitelist`] }),
        implemented('renames', 'old:new', list),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'maskValue':
      return [
        implemented('fields', 'fields whose value is hidden; NULL stays NULL', { ...list, required: true }),
        implemented('replacement', 'what stands there, of numbers and texts; 0, false or the empty text by default'),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'insertValue':
      return [
        implemented('static.field', 'a field with static.value'),
        implemented('static.value', 'its value'),
        implemented('topic.field', 'a field with the name of the topic'),
        refused('offset.field', 'a source knows no offsets', nothing()),
        refused('partition.field', 'the partition follows from the key', nothing()),
        refused('timestamp.field', 'the time of a record is that of its commit', nothing(), {
          way: 'select ROWTIME in a query',
        }),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'insertHeader':
      return [
        implemented('header', 'the name of a header of each record', { required: true }),
        implemented('value.literal', 'its value, as it stands', { required: true }),
      ];
    case 'castValue':
      return [
        implemented('spec', 'field:type, one of int8, int16, int32, int64, float64, boolean, string', {
          ...list,
          required: true,
        }),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'convertTime':
      return [
        implemented('field', 'a column of days or of times of the calendar', { required: true }),
        implemented('target.type', 'string: text by format, in UTC; unix: a number by unix.precision', {
          required: true,
          values: ['string', 'unix'],
          refusedValues: {
            date: 'a time keeps the type of its column; CAST in a query',
            time: 'a time keeps the type of its column; CAST in a query',
            timestamp: 'a time keeps the type of its column; set time.precision.mode',
          },
        }),
        implemented('format', 'letters of SimpleDateFormat: y, M, d, E, H, h, a, m, s, S, X, Z, z, and text in quotes'),
        implemented('unix.precision', 'unit since 1970; milliseconds by default', { values: timeUnits }),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'flatten':
      return [accepted('delimiter', 'rows are flat already')];
    case 'valueToKey':
      return [
        implemented('fields', 'the columns of the primary key; others identify no row', { ...list, required: true }),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'extractKey':
      return [
        implemented('field', 'the one column of the key, which then stands alone', { required: true }),
        refused('replace.null.with.default', 'a NULL stays NULL', ['false'], truth),
      ];
    case 'eventRouter':
      return eventRouterProperties(at);
    case 'filter':
      return [];
  }
}
