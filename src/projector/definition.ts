// The records of the topic `<service.id>_statements`: every change of the catalogue, of the topics that it wants and of the registry is
// one, so that definitions are part of the sequence and every process that follows the log makes them at the same seq. A definition
// holds what was asked for, and what only the process that appends it can know (`seen`); everything else is found when it is applied.
import type { Owner } from '../catalog/catalog.js';
import type { RowSchema } from '../core/data-type.js';
import type { AskedRetention } from '../core/topic-retention.js';
import { AppError } from '../core/errors.js';
import type { RegistryCommand, RegistryOutcome } from '../registry/registry.js';
import type { JsonSchemas } from '../schema/formats/connect-json.js';
import type { EnvelopeForm } from '../schema/formats/envelope.js';
import type { WireField } from '../schema/formats/format.js';
import type { FormatName } from '../sql/plan.js';
import type { SeenTopic } from './defined-topics.js';
import type { StatementResult } from './statement-facade.js';

export type Definition =
  | {
      readonly kind: 'statement';
      readonly sql: string;
      readonly owner: Owner;
      readonly strict: boolean;
      /** `ksql.timestamp.throw.on.invalid` was set: a record without a usable TIMESTAMP column stops its source. */
      readonly failsOnTimestamp?: true | undefined;
      /** The topic that it names, where others have made it. */
      readonly seen?: SeenTopic | null;
      /** What the process that appended it gives to new topics of streams where the statement says nothing. */
      readonly retention?: AskedRetention | undefined;
    }
  | CapturedTable
  | RegistryCommand
  /** What `DefinedTopics` says of them. */
  | { readonly kind: 'topic-made'; readonly topic: string; readonly id: string }
  | { readonly kind: 'topic-dropped'; readonly topic: string; readonly id: string }
  | { readonly kind: 'topic-settled'; readonly topic: string; readonly seq: number }
  /** What is null stays as it is. */
  | { readonly kind: 'topic-altered'; readonly topic: string; readonly retention: AskedRetention };

/** A table that a connector captures gets its topic and its schemas, and becomes a queryable table. */
export interface CapturedTable {
  readonly kind: 'captured-table';
  readonly connector: string;
  /** Of the connector's appends. */
  readonly producer: string;
  readonly database: string;
  readonly table: string;
  readonly schema: RowSchema;
  readonly key: readonly WireField[];
  readonly value: readonly WireField[];
  /** The topic that its name gives; it gets another where another table has that one. */
  readonly topic: string;
  readonly partitions: number;
  readonly cleanup: 'compact' | 'delete';
  /** Of a new topic that is not compacted. */
  readonly retention?: AskedRetention | undefined;
  readonly keyFormat: FormatName;
  readonly valueFormat: FormatName;
  readonly keyShape: 'bare' | 'object';
  readonly deletedField: boolean;
  /** Values are Debezium's envelope. */
  readonly envelope?: EnvelopeForm | undefined;
  /** JSON with its schema in each record. */
  readonly schemas?: JsonSchemas | undefined;
  /** It stays hidden until its snapshot is complete. */
  readonly hidden: boolean;
  /** Why it is read again; a table that stood still goes on. */
  readonly reconciling?: string | undefined;
  /** False: only a topic. */
  readonly createTable: boolean;
  /** By name, of the topics that it may get, those that others have made. */
  readonly seen: Readonly<Record<string, SeenTopic>>;
}

/** What applying a definition came to. */
export type DefinitionResult = StatementResult | RegistryOutcome | CapturedResult | { readonly kind: 'noted' };

export interface CapturedResult {
  readonly kind: 'captured';
  readonly topic: string;
  readonly keySchemaId: number | undefined;
  readonly valueSchemaId: number | undefined;
  /** Their texts, of PROTOBUF. */
  readonly keySchema: string | undefined;
  readonly valueSchema: string | undefined;
}

export function statementsTopic(serviceId: string): string {
  return `${serviceId}_statements`;
}

export function encodeDefinition(definition: Definition): Buffer {
  return Buffer.from(JSON.stringify(definition));
}

export function decodeDefinition(value: Buffer): Definition {
  try {
    return JSON.parse(value.toString()) as Definition;
  } catch (cause) {
    throw new AppError('log-corrupt', 'a record of the statements topic is not a definition', { cause });
  }
}
