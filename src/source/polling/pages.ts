// Pages of rows that are asked for one by one, each behind the one before, and what is behind a place in SQL.
import type { PolledPage, RowsAsked } from './polled-database.js';

export async function* pageByPage(
  asked: RowsAsked,
  read: (asked: RowsAsked) => PolledPage | Promise<PolledPage>,
): AsyncGenerator<PolledPage> {
  for (let after = asked.after; ;) {
    const page = await read({ ...asked, after });
    yield page;
    if (page.last) return;
    after = page.place(page.count - 1);
  }
}

/** `a > x OR (a = x AND b > y)`, of the expressions that give the order, and a place. */
export function behindPlace(ordered: readonly string[], place: readonly string[]): string {
  return ordered
    .map((expression, k) => {
      const equal = ordered.slice(0, k).map((each, i) => `${each} = ${place[i]!}`);
      return `(${[...equal, `${expression} > ${place[k]!}`].join(' AND ')})`;
    })
    .join(' OR ');
}
