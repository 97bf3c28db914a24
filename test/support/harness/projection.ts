// A projection over the load's table `stock`, and what it must hold by the journal: keeps aggregation, its sink and its rebuild in
// every run.
import { parseExact, printScalar, type ExactJson } from './exact-json.js';
import { request } from './http-client.js';
import type { TableJournal } from './journal.js';

export const projectionName = 'stock_by_region';
export const projectionSql = `CREATE TABLE ${projectionName} AS SELECT region, COUNT(*) AS places, SUM(CAST(quantity AS BIGINT)) AS pieces, SUM(price) AS value FROM stock GROUP BY region;`;

export async function compareProjection(url: string, stock: TableJournal): Promise<string[]> {
  const expected = new Map<string, { places: bigint; pieces: bigint; cents: bigint }>();
  for (const row of stock.rows.values()) {
    const region = row[0]!;
    const sum = expected.get(region) ?? { places: 0n, pieces: 0n, cents: 0n };
    sum.places++;
    sum.pieces += BigInt(row[3] ?? '0');
    sum.cents += BigInt(row[4]!.replace('.', ''));
    expected.set(region, sum);
  }
  const { status, text } = await request(`${url}/v1/tables/${projectionName}/rows`);
  if (status !== 200) return [`${projectionName}: ${status} ${text.slice(0, 300)}`];
  const problems: string[] = [];
  const { rows } = parseExact(text) as { rows: readonly Readonly<Record<string, ExactJson>>[] };
  for (const row of rows) {
    const region = printScalar(row['region']);
    const wanted = expected.get(region);
    expected.delete(region);
    const found = [
      printScalar(row['places']),
      printScalar(row['pieces'] ?? '0'),
      printScalar(row['value']).replace('.', ''),
    ].map(BigInt);
    if (wanted === undefined || found[0] !== wanted.places || found[1] !== wanted.pieces || found[2] !== wanted.cents) {
      problems.push(
        `${projectionName} of ${region} is ${JSON.stringify(row)}, expected ${wanted && `${wanted.places} places, ${wanted.pieces} pieces, ${wanted.cents} cents`}`,
      );
    }
  }
  for (const region of expected.keys()) problems.push(`${projectionName} lacks ${region}`);
  return problems;
}
