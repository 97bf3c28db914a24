// A transform at a table: whether it is one of its, and what is said where it cannot be done with it.
import { AppError } from '../../core/errors.js';
import { matchesWhole } from '../../core/pattern.js';
import type { SourceTable } from '../../core/row-encoder.js';
import type { Transform } from './transform-step.js';

export type Fail = (message: string, hint: string) => AppError;

export function failOf(transform: Transform, { database, table }: SourceTable): Fail {
  return (message, hint) =>
    new AppError('bad-connector-config', `table ${database}.${table}: transform "${transform.name}" ${message}`, {
      hint,
      place: { path: `transforms.${transform.name}.type` },
    });
}

export function applies({ when }: Transform, topic: string): boolean {
  return when === undefined || matchesWhole(when.topic, topic) !== when.negate;
}
