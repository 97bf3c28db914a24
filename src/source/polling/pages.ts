// Pages of rows that are asked for one by one, each behind the one before.
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
