// What holds at every cut, and what holds when everything has come to rest. Nothing here asks the engine's parts: rows, topics and
// documents are read as any reader does, and compared with the model.
import type { ReadSession, TableFrontier } from '../../src/store/state-store.js';
import { rowPrinter } from '../../src/query/printers.js';
import { rowJson, topicOf } from './capture-actor.js';
import { derivedTables, type Model } from './model.js';
import type { SimulatedProcess } from './process.js';

export type Breach = (text: string) => void;

/** Rows of a visible table; undefined where it is not there or not readable. */
function rowsOf(
  session: ReadSession,
  table: string,
): { readonly json: string; readonly at: TableFrontier } | undefined {
  const found = session.tables().find(({ spec, visible }) => spec.name === table && visible);
  if (found === undefined) return undefined;
  return { json: JSON.stringify([...session.scan({ table })].map(({ row }) => row)), at: found.frontier };
}

/** One cut: every table is what the model says for the version that the table says it is of. */
export function checkCut(session: ReadSession, model: Model, breach: Breach): void {
  const { seq } = session.frontier;
  const check = (table: string, wanted: (at: TableFrontier) => string): void => {
    const rows = rowsOf(session, table);
    if (rows === undefined) return;
    if (rows.at.stopped !== true && rows.at.seq !== seq)
      breach(`${table} runs, and is at seq ${rows.at.seq} in a cut of seq ${seq}`);
    const expected = wanted(rows.at);
    if (rows.json !== expected)
      breach(`at seq ${rows.at.seq}${rows.at.stopped ? ' (stopped)' : ''} ${table} is ${rows.json}, not ${expected}`);
  };
  for (const { tables } of model.sources)
    for (const table of tables) check(table, (at) => model.baseRows(table, model.cutOf(at.positions)));
  for (const query of derivedTables) check(query.name, (at) => model.derivedRows(query, model.cutOf(at.positions)));
}

/** All that the sources have committed is applied. */
export function checkApplied(process: SimulatedProcess, model: Model, breach: Breach): void {
  const cut = process.session(({ frontier }) => model.cutOf(frontier.positions));
  for (const { connector, transactions } of model.sources)
    if (cut[connector] !== transactions.length)
      breach(`${cut[connector]} transactions of ${connector} are applied, ${transactions.length} were committed`);
}

/** Every topic of a source on Kafka, where markers take offsets too: the records of all applied transactions, each once, in order. */
export async function checkKafkaTopics(process: SimulatedProcess, model: Model, breach: Breach): Promise<void> {
  for (const source of model.sources) {
    for (const table of source.tables) {
      const records = await process.api.readTopic(topicOf(table), 0, 0, 1_000_000);
      const held = records.map(({ key, value }) => `${key?.toString()} ${value?.toString()}`);
      const wanted = source
        .records(table, source.transactions.length)
        .map(({ key, row, broken }) => `${key} ${broken ? '{"id":' : row === null ? undefined : rowJson(table, row)}`);
      if (JSON.stringify(held) !== JSON.stringify(wanted))
        breach(`topic ${topicOf(table)} holds ${held.length} records, ${held.join(' ')}, not ${wanted.join(' ')}`);
    }
  }
}

/** Every topic of a source: the records of all applied transactions, at their offsets, each once. */
export async function checkTopics(process: SimulatedProcess, model: Model, breach: Breach): Promise<void> {
  const topics = await process.api.topics();
  for (const source of model.sources) {
    const count = source.transactions.length;
    for (const table of source.tables) {
      const topic = topics.find(({ name }) => name === topicOf(table));
      const wanted = source.records(table, count);
      if (topic?.offsets[0]?.next !== wanted.length) {
        breach(`topic ${topicOf(table)} ends at ${topic?.offsets[0]?.next}, ${wanted.length} records were committed`);
        continue;
      }
      const newest = new Map(wanted.flatMap(({ key, row }, offset) => (row === null ? [] : [[key, offset]])));
      for (const [offset, { key, row }] of wanted.entries())
        if (row === null && newest.get(key)! < offset) newest.delete(key);
      for (const { offset, key, value } of await process.api.readTopic(
        topic.name,
        0,
        topic.offsets[0].first,
        1_000_000,
      )) {
        const { broken, ...record } = wanted[offset]!;
        const expected = broken === true ? '{"id":' : record.row === null ? undefined : rowJson(table, record.row);
        if (key?.toString() !== String(record.key) || value?.toString() !== expected)
          breach(
            `topic ${topic.name} holds ${key?.toString()} = ${value?.toString()} at offset ${offset}, not ${expected}`,
          );
        if (newest.get(record.key) === offset) newest.delete(record.key);
      }
      if (newest.size > 0)
        breach(`topic ${topic.name} has lost the newest records of keys ${[...newest.keys()].join()}`);
    }
  }
}

/** The topic of a derived table, folded by key, has as many rows as the table: every change went out, and none twice in another order. */
export async function checkSinks(process: SimulatedProcess, breach: Breach): Promise<void> {
  for (const topic of await process.api.topics()) {
    const query = derivedTables.find(({ name }) => name === topic.name);
    if (query === undefined) continue;
    const rows = process.session((session) => {
      const found = session.tables().find(({ spec, visible }) => spec.name === query.name && visible);
      if (found === undefined || found.frontier.stopped) return undefined;
      const { columns, keyColumns } = found.spec.schema;
      return [...session.scan({ table: query.name })].map(({ row }) => ({
        key: String(row[keyColumns[0]!] as number),
        value: JSON.stringify(
          Object.fromEntries(columns.map(({ name }, i) => [name, row[i]]).filter((_, i) => !keyColumns.includes(i))),
        ),
      }));
    });
    if (rows === undefined) continue;
    const folded = new Map<string, string>();
    for (const { key, value } of await process.api.readTopic(topic.name, 0, topic.offsets[0]!.first, 1_000_000)) {
      if (value === null) folded.delete(key!.toString());
      else folded.set(key!.toString(), value.toString());
    }
    const told = JSON.stringify([...folded].map(([key, value]) => `${key} ${value}`).toSorted());
    const wanted = JSON.stringify(rows.map(({ key, value }) => `${key} ${value}`).toSorted());
    if (told !== wanted) breach(`the topic of ${query.name} folds to ${told}, the table is ${wanted}`);
  }
}

/** The values of a topic, one partition, in order; undefined: there is none. */
export async function valuesOf(process: SimulatedProcess, topic: string): Promise<readonly number[] | undefined> {
  if (!(await process.api.topics()).some(({ name }) => name === topic)) return undefined;
  const records = await process.api.readTopic(topic, 0, 0, 1_000_000);
  return records.map(({ value }) => Number(Object.values(JSON.parse(value!.toString()) as object)[0]));
}

/** As the subscriptions print them. */
export function printedRows(process: SimulatedProcess, table: string): readonly string[] | undefined {
  return process.session((session) => {
    const found = session.tables().find(({ spec, visible }) => spec.name === table && visible);
    if (found === undefined) return undefined;
    const print = rowPrinter(found.spec.schema, 'strings');
    return [...session.scan({ table })].map(({ row }) => JSON.stringify(JSON.parse(print(row))));
  });
}
