// A table derived row by row from the load's `items`, and what its sink topic must hold by the journal: each change once and in order per
// key, whoever led when it was made.
import { parseExact, printScalar, type ExactJson } from './exact-json.js';
import type { TableJournal } from './journal.js';
import { readRecordKey, type LoadTable } from './load-tables.js';

export const sinkName = 'item_changes';

export function sinkSql(topic: string): string {
  return `CREATE TABLE ${sinkName} WITH (KAFKA_TOPIC='${topic}', FORMAT='JSON') AS SELECT id, change_no, quantity FROM items;`;
}

/** `change_no` is another one in each version of a row, so it tells them apart. */
export function compareSink(
  items: LoadTable,
  journal: TableJournal,
  records: readonly { readonly key: string | null; readonly value: string | null }[],
): string[] {
  const changeOf = (version: string | null) =>
    version === null ? 'deleted' : (JSON.parse(version) as readonly (string | null)[])[1]!;
  const found = new Map<string, string[]>();
  for (const { key, value } of records) {
    const change = value === null ? 'deleted' : printScalar((parseExact(value) as Fields)['change_no']);
    const list = found.get(readRecordKey(items, key!)) ?? [];
    list.push(change);
    found.set(readRecordKey(items, key!), list);
  }
  const problems: string[] = [];
  for (const key of new Set([...journal.initial.keys(), ...journal.versions.keys(), ...found.keys()])) {
    const initial = journal.initial.get(key);
    const versions = [...(initial === undefined ? [] : [initial]), ...(journal.versions.get(key) ?? [])];
    const expected = versions.map(changeOf).join();
    const there = (found.get(key) ?? []).join();
    if (there !== expected) problems.push(`sink of items: key ${key} has the changes ${there}, expected ${expected}`);
  }
  return problems;
}

type Fields = Readonly<Record<string, ExactJson>>;
