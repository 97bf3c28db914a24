// The independent judge: compares tables with the source row by row and column by column, topics and subscribers with the
// writer's journal. It asks the source by its own SELECTs and casts, reads topics through Kafka's own consumer or the tap, and
// imports nothing of the program. Each function gives a list of differences; empty is right.
import { consoleConsumer } from '../servers/console-consumer.js';
import { parseExact, type ExactJson } from './exact-json.js';
import { request, requestJson } from './http-client.js';
import type { TableJournal, Version } from './journal.js';
import {
  keyOf,
  printRow,
  readJsonRow,
  readRecordKey,
  readSourceRow,
  selectSql,
  type LoadTable,
} from './load-tables.js';
import type { SourceDatabase } from './source-database.js';

const differencesMax = 4;

class Differences {
  readonly list: string[] = [];
  #count = 0;

  add(text: string): void {
    this.#count++;
    if (this.list.length < differencesMax) this.list.push(text);
  }

  take(): string[] {
    return this.#count > this.list.length ? [...this.list, `and ${this.#count - this.list.length} more`] : this.list;
  }
}

/** Rows of the source as its own functions print them, by key. */
export async function sourceRows(source: SourceDatabase, table: LoadTable): Promise<Map<string, string>> {
  const rows = await source.select(selectSql(table, source.dialect));
  return new Map(
    rows.map((row) => {
      const canonical = readSourceRow(table, row);
      return [keyOf(table, canonical), printRow(canonical)];
    }),
  );
}

/** Rows of a table of the program, page by page. */
export async function tableRows(url: string, table: LoadTable): Promise<Map<string, string>> {
  const rows = new Map<string, string>();
  let after: string | undefined;
  do {
    const page = `${url}/v1/tables/${table.name}/rows?limit=20000${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
    const { status, text } = await request(page);
    if (status !== 200) throw new Error(`${page}: ${status} ${text.slice(0, 500)}`);
    const body = parseExact(text) as { rows: readonly ExactJson[]; next?: string | null };
    for (const row of body.rows) {
      const canonical = readJsonRow(table, row, 'answer');
      rows.set(keyOf(table, canonical), printRow(canonical));
    }
    after = body.next ?? undefined;
  } while (after !== undefined);
  return rows;
}

export function compareRows(
  what: string,
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): string[] {
  const differences = new Differences();
  for (const [key, row] of expected) {
    const found = actual.get(key);
    if (found !== row) differences.add(`${what}: key ${show(key)} is ${found ?? 'missing'}, expected ${row}`);
  }
  for (const [key, row] of actual)
    if (!expected.has(key)) differences.add(`${what}: key ${show(key)} should not be there: ${row}`);
  return differences.take();
}

export function journalRows(journal: TableJournal): Map<string, string> {
  return new Map([...journal.rows].map(([key, row]) => [key, printRow(row)]));
}

/**
 * Versions per key against the journal. `exact`: nothing happened while the snapshot ran, so each key has its initial version and
 * then every later one. `joined`: writes and snapshot overlapped; a key's versions begin anywhere and from there nothing is
 * missing, and the version at the seam may stand twice.
 */
export function compareVersions(
  what: string,
  journal: TableJournal,
  actual: ReadonlyMap<string, readonly Version[]>,
  law: 'exact' | 'joined',
): string[] {
  const differences = new Differences();
  const keys = new Set([...journal.initial.keys(), ...journal.versions.keys(), ...actual.keys()]);
  for (const key of keys) {
    const initial = journal.initial.get(key);
    const expected = [...(initial === undefined ? [] : [initial]), ...(journal.versions.get(key) ?? [])];
    const found = actual.get(key) ?? [];
    const fits = law === 'exact' ? equal(expected, found) : isSuffix(expected, withoutRepeats(found));
    if (!fits) differences.add(`${what}: key ${show(key)} ${firstDifference(expected, found)}`);
  }
  return differences.take();
}

function equal(one: readonly Version[], other: readonly Version[]): boolean {
  return one.length === other.length && one.every((version, i) => version === other[i]);
}

function isSuffix(all: readonly Version[], part: readonly Version[]): boolean {
  return part.length <= all.length && part.every((version, i) => version === all[all.length - part.length + i]);
}

function withoutRepeats(versions: readonly Version[]): readonly Version[] {
  return versions.filter((version, i) => i === 0 || version !== versions[i - 1]);
}

function firstDifference(expected: readonly Version[], found: readonly Version[]): string {
  const at = expected.findIndex((version, i) => version !== found[i]);
  const place = at < 0 ? expected.length : at;
  const numbers =
    expected.length + found.length > 30
      ? ''
      : ` (as places in the journal: ${found.map((version) => expected.indexOf(version)).join(', ')})`;
  return `has ${found.length} versions instead of ${expected.length}${numbers}; version ${place} is ${found[place] ?? String(found[place])}, expected ${expected[place] ?? String(expected[place])}`;
}

function show(key: string): string {
  return JSON.stringify(key.replaceAll('\u0001', '|'));
}

interface TopicRecord {
  readonly key: string | null;
  readonly value: string | null;
}

/** Versions per key as they lie in a topic. */
export function topicVersions(table: LoadTable, records: readonly TopicRecord[]): Map<string, Version[]> {
  const versions = new Map<string, Version[]>();
  for (const record of records) {
    if (record.key === null) throw new Error(`a record of ${table.name} has no key`);
    const key = readRecordKey(table, record.key);
    const version = record.value === null ? null : printRow(readJsonRow(table, parseExact(record.value), 'record'));
    const list = versions.get(key);
    if (list === undefined) versions.set(key, [version]);
    else list.push(version);
  }
  return versions;
}

/** All records of a topic with one partition, through the tap. */
export async function tapRecords(url: string, topic: string): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  let offset = '0';
  for (;;) {
    const page = await requestJson<{
      records: (TopicRecord & { offset: string })[];
      nextOffset: string;
      endOffset: string;
    }>(`${url}/v1/topics/${encodeURIComponent(topic)}/records?partition=0&offset=${offset}&limit=10000`);
    records.push(...page.records);
    if (page.nextOffset === offset || page.nextOffset === page.endOffset) return records;
    offset = page.nextOffset;
  }
}

/** The same through Kafka's own console consumer, committed records only. */
export async function kafkaRecords(brokers: readonly string[], topic: string): Promise<TopicRecord[]> {
  const records = await consoleConsumer({ brokers: [...brokers], topic, timeoutMs: 120_000 });
  return records.map(({ key, value }) => ({ key, value }));
}
