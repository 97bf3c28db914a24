// How far the program is, asked over HTTP: are the tables visible, which transactions of the writers does it show.
import { parseExact, printScalar, type ExactJson } from './exact-json.js';
import { request, requestJson } from './http-client.js';
import type { LoadTable } from './load-tables.js';
import { waitFor } from './wait-for.js';

/** Until the tables have been read once and are shown. */
export async function waitForTables(
  url: string,
  tables: readonly Pick<LoadTable, 'name'>[],
  timeoutMs = 120_000,
): Promise<void> {
  await waitFor(
    `the tables ${tables.map(({ name }) => name).join(', ')}`,
    async () => {
      const answer = await requestJson<{ tables: { name: string; visible: boolean }[] }>(`${url}/v1/tables`);
      return tables.every(({ name }) => answer.tables.some((table) => table.name === name && table.visible));
    },
    { timeoutMs },
  );
}

/** Newest transaction per writer as the table of marks shows it; undefined while it cannot be read. */
export async function readMarks(url: string): Promise<Map<string, bigint> | undefined> {
  const { status, text } = await request(`${url}/v1/tables/marks/rows?limit=1000`);
  if (status !== 200) return undefined;
  const { rows } = parseExact(text) as { rows: readonly Readonly<Record<string, ExactJson>>[] };
  return new Map(rows.map((row) => [printScalar(row['writer']), BigInt(printScalar(row['tx']))]));
}

/** How many transactions of all writers are applied. */
export async function appliedTransactions(url: string): Promise<bigint> {
  const marks = await readMarks(url);
  if (marks === undefined) throw new Error('the marks cannot be read yet');
  let sum = 0n;
  for (const tx of marks.values()) sum += tx;
  return sum + 1n; // so that none is not mistaken for nothing
}

/** Resolves with the ms that it took. */
export async function waitForMarks(
  url: string,
  wanted: ReadonlyMap<string, bigint>,
  timeoutMs = 90_000,
): Promise<number> {
  const begun = performance.now();
  let seen: Map<string, bigint> | undefined;
  try {
    await waitFor(
      'the last transaction',
      async () => {
        seen = await readMarks(url);
        return seen !== undefined && [...wanted].every(([writer, tx]) => (seen!.get(writer) ?? -1n) >= tx);
      },
      { timeoutMs },
    );
  } catch (cause) {
    const print = (marks: ReadonlyMap<string, bigint> | undefined) =>
      [...(marks ?? [])].map(([w, tx]) => `${w}: ${tx}`).join(', ');
    throw new Error(`the source is at (${print(wanted)}), the tables stay at (${print(seen)}) after ${timeoutMs} ms`, {
      cause,
    });
  }
  return performance.now() - begun;
}
