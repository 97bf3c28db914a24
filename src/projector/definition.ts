// The records of the topic `<service.id>_statements`: every change of the catalogue is one, so that definitions are part of the
// sequence and every process that follows the log makes them at the same seq.
import type { RowSchema } from '../core/data-type.js';
import { AppError } from '../core/errors.js';
import type { Owner, SchemaIds } from '../catalog/catalog.js';
import type { SourceProperties } from '../sql/plan.js';

export type Definition =
  | {
      readonly kind: 'statement';
      readonly sql: string;
      readonly owner: Owner;
      readonly strict: boolean;
      readonly schemaIds: SchemaIds | null;
      /** The topic that it declares is written by others. */
      readonly imported?: true | undefined;
    }
  /** A table that a connector captures becomes a queryable table. */
  | {
      readonly kind: 'captured-table';
      readonly connector: string;
      readonly database: string;
      readonly table: string;
      readonly schema: RowSchema;
      readonly properties: SourceProperties;
      readonly keyShape: 'bare' | 'object';
      readonly deletedField: boolean;
      /** It stays hidden until its snapshot is complete. */
      readonly hidden: boolean;
    };

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
