// How the records of a connector look.
import type { TopicForm } from '../core/topic-name.js';
import type { EnvelopeForm } from '../schema/formats/envelope.js';
import type { Format, RowShape } from '../schema/formats/format.js';
import type { JsonSchemas } from '../schema/formats/connect-json.js';
import type { ColumnRule } from './column-rules.js';
import type { SideTopics } from './side-topics.js';
import type { NewTopic, TopicGroup } from './topic-creation.js';
import type { Transform } from './transforms/transform-step.js';

/** What an envelope tells beside the row. */
export interface EnvelopeOutput extends EnvelopeForm {
  /** Its transaction, and its place in it. */
  readonly transactions: boolean;
  /** An update that changes none of the columns is no record. */
  readonly skipsUnchanged: boolean;
}

/** What the records of one table are made like. */
export interface RecordForm extends NewTopic {
  readonly valueFormat: 'JSON' | 'AVRO' | 'PROTOBUF';
  readonly keyFormat: Format;
  readonly keyShape: 'bare' | 'object';
  readonly shape: RowShape;
  /** Of that shape. */
  readonly envelope?: EnvelopeOutput | undefined;
  readonly schemas?: JsonSchemas | undefined;
  readonly topicGroups?: readonly TopicGroup[] | undefined;
}

/** From these the form of each table is planned. */
export interface OutputSettings extends Omit<RecordForm, 'keyFormat'> {
  readonly topicPrefix: string;
  readonly topicForm: TopicForm;
  /** TEXT: the key's one column as text. */
  readonly keyFormat: 'JSON' | 'AVRO' | 'PROTOBUF' | 'TEXT';
  readonly tombstones: boolean;
  readonly side: SideTopics;
  readonly types: TypeModes;
  readonly columnRules: readonly ColumnRule[];
  readonly transforms: readonly Transform[];
}

/** Handling modes that lose something are done where they are asked for, and never by themselves. */
export interface TypeModes {
  readonly decimal: 'precise' | 'string' | 'double';
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
  /** `adaptive`: as precise as the column. */
  readonly time: 'adaptive' | 'adaptive_time_microseconds' | 'connect' | 'microseconds';
  readonly unsigned: 'precise' | 'long';
  /** TIMESTAMP is text in UTC, whatever `time` is. */
  readonly zoned: boolean;
}

export const exactTypes: TypeModes = {
  decimal: 'precise',
  binary: 'bytes',
  time: 'adaptive',
  unsigned: 'precise',
  zoned: false,
};
