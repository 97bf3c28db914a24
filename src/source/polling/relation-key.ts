// The key of rows that the database gives none: of a view, of the query, or of a table without a primary key. The configuration states it,
// as files for the JDBC source do (ValueToKey); else a column that counts tells rows apart. Whether it does is seen when rows are read:
// they come in the order of the key, so two with the same one come together.
import { AppError } from '../../core/errors.js';
import { statedKey } from '../../core/stated-key.js';
import { topicName, type TopicNaming } from '../../core/topic-name.js';
import type { PollingConfig } from './config.js';
import type { PolledPage, Relation } from './polled-database.js';

/** Throws keyless-table. */
export function relationKey(relation: Relation, config: PollingConfig): readonly string[] {
  const { statedKeys, mode, incrementingColumn } = config;
  const stated = statedKey(topicName(namingOf(config), relation), statedKeys);
  if (stated !== undefined && stated.length > 0) return stated;
  if (mode.endsWith('incrementing') && incrementingColumn !== '') return [incrementingColumn];
  throw new AppError('keyless-table', `nothing tells the rows of ${relation.what} apart`, {
    hint: 'state the columns that do: "transforms": "key", "transforms.key.type": "org.apache.kafka.connect.transforms.ValueToKey", "transforms.key.fields": "COLUMN,COLUMN"',
  });
}

export function namingOf({ topicPrefix, query }: PollingConfig): TopicNaming {
  return { topicPrefix, topicForm: query === undefined ? 'joined' : 'prefix' };
}

/** Indexes of the key's columns. `what`: `view shop.totals`. Throws bad-connector-config. */
export function keyPlaces(
  key: readonly string[],
  columns: readonly { readonly name: string }[],
  what: string,
): number[] {
  return key.map((name) => {
    const found = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase());
    if (found >= 0) return found;
    throw new AppError('bad-connector-config', `${what} has no column ${name}, which its key needs`, {
      hint: `its columns are ${columns.map((column) => column.name).join(', ')}`,
      place: { path: 'transforms' },
    });
  });
}

/** Refuses rows that the key does not tell from the row before; they come in an order in which such rows are neighbours. */
export async function* toldApart(
  pages: AsyncIterable<PolledPage>,
  what: string,
  key: readonly string[],
): AsyncGenerator<PolledPage> {
  let before: readonly string[] | undefined;
  for await (const page of pages) {
    yield {
      ...page,
      write(row, encoder) {
        const place = page.place(row);
        if (before !== undefined && place.every((value, i) => value === before![i]))
          throw new AppError('keyless-table', `rows of ${what} are not told apart by ${key.join(', ')}`, {
            detail: `two of them have ${place.join(', ')}`,
            hint: 'one would overwrite the other: name more columns in ValueToKey (transforms.NAME.fields)',
          });
        before = place;
        page.write(row, encoder);
      },
    };
  }
}
