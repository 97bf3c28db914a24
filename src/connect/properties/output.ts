// How the records and topics of a connector look.
import { bounds } from '../../core/bounds.js';
import { defaultCleanup, groupsProperty, retentionBytesDoc, retentionMsDoc } from '../topic-creation.js';
import { group, long, patterns, truth, whole, type PropertyDef } from './property.js';

const output = group('Output');
const filters = group('Filters');

/** Of every family. */
export const outputProperties: readonly PropertyDef[] = [
  output.implemented('topic.prefix', 'first part of every topic name', {
    aliases: ['database.server.name'],
    ofTopics: true,
  }),
  output.implemented('output.data.format', 'format of values; JSON_SR: JSON with its schema in the registry', {
    values: ['JSON', 'JSON_SR', 'AVRO', 'PROTOBUF'],
  }),
  output.implemented('output.key.format', 'format of keys', {
    values: ['JSON', 'JSON_SR', 'AVRO', 'PROTOBUF'],
    refusedValues: {
      string: 'a key is an object of its columns, whose text form names a class of Java; JSON is its readable form',
    },
  }),
  output.implemented('after.state.only', 'flat rows with `__deleted` instead of the envelope', truth),
  output.implemented(
    'output.shape',
    "flat: the row as it is, a delete only a tombstone; envelope: Debezium's before, after, source, op; overrides after.state.only",
    {
      values: ['flat', 'flat-with-deleted', 'envelope'],
    },
  ),
  output.implemented('output.key.shape', 'bare: one key column stands alone; object: always {"column": value}', {
    values: ['bare', 'object'],
  }),
  output.implemented('topic.partitions', 'partitions of a new topic', {
    ...whole,
    min: 1,
    max: bounds.partitions.value,
    default: '1',
    aliases: ['topic.creation.default.partitions'],
  }),
  output.implemented('table.create', 'make each captured table queryable; else only its topic is written', {
    ...truth,
    default: 'true',
  }),
  output.implemented('cleanup.policy', 'of a new topic', {
    values: ['compact', 'delete'],
    default: defaultCleanup,
    aliases: ['topic.creation.default.cleanup.policy'],
    refusedValues: {
      'compact,delete': 'a topic is compacted, or limited',
      'delete,compact': 'a topic is compacted, or limited',
    },
  }),
  output.implemented('topic.creation.default.retention.ms', retentionMsDoc, { ...long, min: -1 }),
  output.implemented('topic.creation.default.retention.bytes', retentionBytesDoc, { ...long, min: -1 }),
  output.implemented(
    groupsProperty,
    'groups of topics with settings of their own: topic.creation.GROUP.include, exclude, partitions, cleanup.policy, retention.ms, retention.bytes',
    { type: 'LIST' },
  ),
  output.accepted('topic.creation.enable', 'topics are always made as they are needed', truth),
  output.accepted('topic.creation.default.replication.factor', 'the broker default is used', { ...whole, min: -1 }),
  output.accepted('topic.creation.default.include', 'the default group has every topic that no other has'),
  output.implemented(
    'tombstones.on.delete',
    'behind a delete that is told by a row marked `__deleted`, or by an envelope',
    {
      ...truth,
      default: 'true',
    },
  ),
];

export const filterProperties: readonly PropertyDef[] = [
  filters.implemented('table.include.list', 'anchored regular expressions over `database.table`', {
    ...patterns,
    aliases: ['table.whitelist', 'table.includelist'],
  }),
  filters.implemented('table.exclude.list', 'anchored regular expressions over `database.table`', {
    ...patterns,
    aliases: ['table.blacklist'],
  }),
  filters.implemented('column.exclude.list', 'anchored regular expressions over `database.table.column`', {
    ...patterns,
    aliases: ['column.blacklist'],
  }),
];
