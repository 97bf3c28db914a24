// For a comparer outside: one JSON file per script, source and way, `NAME.PRODUCT.WAY.json`, of the end of the script:
//   { name, product, way, verdict, reason, tables: [ { database, table, servedAs, key: [column], columns: [{ name, declared }],
//     server: [[cell]], captured: [[value]] } ] }
// A cell is what the source's SELECT gives: null, { "text": ... } or, where its bytes are no UTF-8, { "hex": ... } (geometries with their
// SRID in front, BIT as a number, FLOAT widened, SQLite's values behind the letter of their class). A value is the JSON that /v1 gives,
// in the order of the columns. `servedAs` null: the table is left out. Rows have no order.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { End, Run } from './run.js';

export function dumpRun(dir: string, product: string, { script, way, comparison, end }: Run): void {
  const tables = (comparison?.tables ?? []).map(({ source, servedAs, served }) => ({
    database: source.database,
    table: source.table,
    servedAs: servedAs ?? null,
    key: source.key,
    columns: source.columns.map(({ name, declared }) => ({ name, declared })),
    server: source.rows.map((row) => row.map(cell)),
    captured: served.map((row) => source.columns.map(({ name }) => row.get(name) ?? null)),
  }));
  const file = `${script.name}.${product}.${way.way}.json`;
  const head = { name: script.name, product, way: way.way, ...verdict(end) };
  writeFileSync(join(dir, file), `${JSON.stringify({ ...head, tables }, undefined, 1)}\n`);
}

function verdict(end: End | undefined): { verdict: string; reason: string } {
  if (end === undefined) return { verdict: 'ok', reason: '' };
  return end.kind === 'skip' ? { verdict: 'skip', reason: end.errno } : { verdict: 'FAIL', reason: end.reason };
}

function cell(value: Buffer | null): null | { text: string } | { hex: string } {
  if (value === null) return null;
  const text = value.toString('utf8');
  return Buffer.from(text).equals(value) ? { text } : { hex: value.toString('hex') };
}
