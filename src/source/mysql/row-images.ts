// The rows of a rows event as values, one by one, for what has to look at them: those that foreign keys concern.
import type { Row } from '../../core/data-type.js';
import { ValueCollector } from '../../schema/formats/collect-values.js';
import { firstImage, type RowsTable } from './rows-event.js';

/** Captured columns only. Null: there was no such row, or there is none any more. */
export interface RowImages {
  readonly before: Row | null;
  readonly after: Row | null;
}

export function* rowImages(event: Buffer, table: RowsTable): Generator<RowImages> {
  const { decoder } = table;
  const { change, at: first } = firstImage(event, table);
  const values = new ValueCollector();
  for (let at = first; at < event.length;) {
    at = decoder.readRow(event, at, values);
    const row = values.take();
    if (change === 'insert') yield { before: null, after: row };
    else if (change === 'delete') yield { before: row, after: null };
    else {
      at = decoder.readRow(event, at, values);
      yield { before: row, after: values.take() };
    }
  }
}
