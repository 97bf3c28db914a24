// Snapshot and stream open the same table at the same moment: they must meet on one object, or changes of keys would not reach the
// windows of the snapshot's chunks, and old rows would overwrite new ones.
import { describe, expect, it } from 'vitest';
import type { RowEncoder } from '../../../../src/core/row-encoder.js';
import { CapturedTables } from '../../../../src/source/mysql/captured-tables.js';
import { parseConfig } from '../../../../src/source/mysql/config.js';
import { TableFilter } from '../../../../src/source/mysql/filters.js';
import type { TableDescription } from '../../../../src/source/mysql/table-knowledge.js';
import { classify } from '../../../../src/source/mysql/statement.js';
import { createLogger } from '../../../../src/core/logger.js';

const filter = new TableFilter(parseConfig({ 'database.hostname': 'h', 'database.user': 'u' }));
const logger = createLogger(() => {}, {});
const items: TableDescription = {
  database: 'shop',
  table: 'items',
  columns: [{ name: 'id', nullable: false, form: { kind: 'integer', bytes: 8, unsigned: false } }],
  keyColumns: [0],
};

describe('a captured table', () => {
  it('is opened once, whoever asks while it is being opened', async () => {
    let calls = 0;
    const tables = new CapturedTables(
      filter,
      async () => {
        calls++;
        await new Promise((resolve) => setImmediate(resolve));
        return { topic: 'items' } as RowEncoder;
      },
      logger,
    );
    const [snapshot, stream] = await Promise.all([tables.open(items), tables.open(items)]);
    expect(stream).toBe(snapshot);
    expect(tables.get('shop', 'items')).toBe(snapshot);
    expect(calls).toBe(1);
  });

  it('can be opened again after a failure', async () => {
    let calls = 0;
    const open = () =>
      ++calls === 1 ? Promise.reject(new Error('not now')) : Promise.resolve({ topic: 't' } as RowEncoder);
    const tables = new CapturedTables(filter, open, logger);
    await expect(tables.open(items)).rejects.toThrow('not now');
    await expect(tables.open(items)).resolves.toMatchObject({ name: 'shop.items' });
  });
});

describe('a statement or table map that would leave rows behind', () => {
  const someFilter = new TableFilter(
    parseConfig({ 'database.hostname': 'h', 'database.user': 'u', 'table.exclude.list': '.*\\.out.*' }),
  );
  const describeTable = (table: string, keyColumns: readonly number[] = [0]): TableDescription => ({
    ...items,
    table,
    keyColumns,
  });

  /** shop.items is captured, shop.nokey has no key, shop.v is a view; `resumed`: none of that is known but what is open. */
  async function tablesAt(start: 'fresh' | 'resumed', foldsCase = false): Promise<CapturedTables> {
    const tables = new CapturedTables(someFilter, () => Promise.resolve({ topic: 't' } as RowEncoder), logger);
    tables.known.foldCase(foldsCase);
    if (start === 'fresh') tables.known.startWith({ keyed: ['shop.items'], keyless: ['shop.nokey'] });
    await tables.open(items);
    return tables;
  }

  function apply(tables: CapturedTables, ...statements: string[]): void {
    for (const sql of statements) {
      const statement = classify(sql);
      if (statement.kind === 'create-table' || statement.kind === 'table-change' || statement.kind === 'drop-database')
        tables.known.apply(statement, 'shop', false);
      else expect(statement.kind).toBe('neutral');
    }
  }

  it.each([
    ['ALTER TABLE out1 RENAME TO items2', 'shop.items2'],
    ['ALTER TABLE elsewhere.out1 RENAME shop.items2', 'shop.items2'],
    ['RENAME TABLE out1 TO out2, out2 TO items2', 'shop.items2'],
    ['ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE items', 'shop.items'],
    ['ALTER TABLE items EXCHANGE PARTITION p0 WITH TABLE out1', 'shop.items'],
    ['ALTER TABLE out1 CONVERT PARTITION p0 TO TABLE new1', 'shop.new1'],
    ['ALTER TABLE out1 CONVERT TABLE items TO PARTITION p0', 'shop.items'],
    ['ALTER TABLE out1 `MOVE` items', 'shop.'],
    ['ALTER TABLE items DROP INDEX `PRIMARY`', 'shop.items'],
    ['DROP INDEX `PRIMARY` ON shop.items', 'shop.items'],
    ['REPAIR TABLE items', 'shop.items'],
    ['ALTER TABLE nokey ADD PRIMARY KEY (id)', 'shop.nokey'],
    ['ALTER TABLE nokey ADD COLUMN n INT AUTO_INCREMENT KEY', 'shop.nokey'],
    ['DROP DATABASE shop', 'shop'],
    ['CREATE OR REPLACE DATABASE shop', 'shop'],
    ['CREATE OR REPLACE TABLE items (id INT PRIMARY KEY)', 'shop.items'],
    ['CREATE TABLE new1 AS SELECT * FROM out1', 'shop.new1'],
    ['TRUNCATE TABLE `it\uFFFDms`', 'cannot be read'],
  ])('%s stops, fresh and after a resume', async (sql, name) => {
    for (const start of ['fresh', 'resumed'] as const) {
      const tables = await tablesAt(start);
      expect(() => apply(tables, sql)).toThrow(expect.objectContaining({ code: 'unsupported-change' }) as Error);
      expect(() => apply(tables, sql)).toThrow(name);
    }
  });

  it.each([
    [['CREATE TABLE new1 (id INT PRIMARY KEY)', 'ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE new1']],
    [['CREATE TABLE new1 (id INT PRIMARY KEY)', 'ALTER TABLE new1 IMPORT TABLESPACE']],
    [['CREATE TABLE new1 (id INT PRIMARY KEY)', 'RENAME TABLE items TO out1, new1 TO items']],
    [['TRUNCATE out1', 'ALTER TABLE out1 SWAP WITH items']],
    [['RENAME TABLE nokey TO nokey2', 'ALTER TABLE nokey2 ADD PRIMARY KEY (id)']],
  ])('%s stops', async (statements) => {
    const tables = await tablesAt('fresh');
    apply(tables, ...statements.slice(0, -1));
    expect(() => apply(tables, statements.at(-1)!)).toThrow(
      expect.objectContaining({
        code: 'unsupported-change',
        hint: expect.stringContaining('--topics') as string,
      }) as Error,
    );
  });

  it('passes over what touches only tables that are not captured', async () => {
    const tables = await tablesAt('fresh');
    apply(
      tables,
      'ALTER TABLE out1 RENAME TO out2',
      'ALTER TABLE out2 EXCHANGE PARTITION p0 WITH TABLE out3',
      'ALTER TABLE out2 CONVERT PARTITION p0 TO TABLE out4, COMMENT "items"',
      'ALTER TABLE out2 ADD COLUMN items INT, DROP PRIMARY KEY',
      'ALTER TABLE out2 ADD FOREIGN KEY (a) REFERENCES items (id)',
      'ALTER TABLE nokey ADD COLUMN v INT, ADD UNIQUE KEY (v)',
      'RENAME TABLE nokey TO nokey2, v TO w',
      'TRUNCATE nokey2',
      'DROP TABLE nokey2',
      'CREATE TABLE nokey (id INT)',
      'ALTER TABLE nokey ADD PRIMARY KEY (id)',
      'ALTER TABLE nokey RENAME TO keyed',
      'CREATE DATABASE other',
      'DROP DATABASE other',
    );
    expect(tables.known.begins(describeTable('keyed'), describeTable('keyed'))).toBe(true);
  });

  it('compares names as the server does', async () => {
    const exact = await tablesAt('fresh');
    apply(exact, 'TRUNCATE ITEMS');
    const folding = await tablesAt('fresh', true);
    expect(() => apply(folding, 'TRUNCATE SHOP.Items')).toThrow('shop.items');
  });

  it('is seen in the table map, whatever statement was hidden', async () => {
    const tables = await tablesAt('fresh');
    const [nokey, unseen] = [describeTable('nokey'), describeTable('unseen')];
    expect(() => tables.known.captures(describeTable('items', []))).toThrow('shop.items has lost its primary key');
    expect(() => tables.known.begins(nokey, nokey)).toThrow('shop.nokey has a primary key now');
    expect(() => tables.known.begins(unseen, unseen)).toThrow('no CREATE TABLE');
    apply(tables, 'CREATE TABLE unseen (id INT)');
    expect(tables.known.captures(describeTable('unseen', []))).toBe(false);
    expect(() => tables.known.begins(unseen, unseen)).toThrow('shop.unseen has a primary key now');
  });

  it('leaves out a table whose map shows a unique key where there is no primary key', async () => {
    for (const start of ['fresh', 'resumed'] as const) {
      const tables = await tablesAt(start);
      const nokey = describeTable('nokey');
      expect(tables.known.captures(nokey)).toBe(true);
      expect(tables.known.begins(nokey, describeTable('nokey', []))).toBe(false);
      expect(tables.known.captures(nokey)).toBe(false);
      expect(() => apply(tables, 'ALTER TABLE nokey ADD PRIMARY KEY (id)')).toThrow('shop.nokey');
    }
  });
});
