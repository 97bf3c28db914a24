// Snapshot and stream meet on one object per table, or changes of keys would not reach the windows of the snapshot's chunks, and old rows
// would overwrite new ones. And what statements come to: whose rows they take, which tables they end, which have to be read again.
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
  it('is one object as long as its columns are the same, and another one with others', async () => {
    let calls = 0;
    const tables = new CapturedTables(
      filter,
      () => {
        calls++;
        return Promise.resolve({ topic: 'items' } as RowEncoder);
      },
      logger,
    );
    const opened = await tables.open(items);
    expect(await tables.open(items)).toBe(opened);
    expect(tables.get('shop', 'items')).toBe(opened);
    expect(calls).toBe(1);
    // Told of the reason for which it is read again.
    expect(await tables.open(items, { cause: 'asked for' })).toBe(opened);
    expect(calls).toBe(2);
    const wider: TableDescription = {
      ...items,
      columns: [...items.columns, { name: 'n', nullable: true, form: { kind: 'integer', bytes: 4, unsigned: false } }],
    };
    expect(tables.isAs(opened, wider)).toBe(false);
    expect(await tables.open(wider)).not.toBe(opened);
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

describe('what a statement comes to', () => {
  const someFilter = new TableFilter(
    parseConfig({ 'database.hostname': 'h', 'database.user': 'u', 'table.exclude.list': '.*\\.out.*' }),
  );

  /** shop.items is open, shop.held was captured before. */
  async function tablesAt(foldsCase = false): Promise<CapturedTables> {
    const tables = new CapturedTables(someFilter, () => Promise.resolve({ topic: 't' } as RowEncoder), logger);
    tables.known.start(foldsCase, ['shop.items', 'shop.held']);
    await tables.open(items);
    return tables;
  }

  /** emptied / ended / changed */
  function effectOf(tables: CapturedTables, sql: string): string {
    const statement = classify(sql);
    if (statement.kind !== 'create-table' && statement.kind !== 'table-change' && statement.kind !== 'drop-database')
      return statement.kind;
    const { emptied, ended, changed } = tables.known.effectOf(statement, 'shop');
    const names = (all: readonly string[]) => all.map((name) => name.replace('shop.', '')).join(' ');
    return [
      names([...emptied.tables, ...emptied.databases.map((name) => `* of ${name}`)]),
      names(ended),
      names(changed.map(({ name }) => name)),
    ].join(' / ');
  }

  it.each([
    ['TRUNCATE items', 'items /  / '],
    ['DROP TABLE items, out1, held', 'items held / items held / '],
    ['DROP DATABASE shop', '* of shop / items held / '],
    ['DROP DATABASE other', '* of other /  / '],
    ['ALTER TABLE items ADD COLUMN a INT', ' /  / items'],
    ['ALTER TABLE items DROP INDEX `PRIMARY`', ' /  / items'],
    ['DROP INDEX `PRIMARY` ON shop.items', ' /  / items'],
    ['REPAIR TABLE items', ' /  / items'],
    ['ALTER TABLE out1 RENAME TO items2', ' /  / items2'],
    ['ALTER TABLE elsewhere.out1 RENAME shop.items2', ' /  / items2'],
    ['RENAME TABLE items TO items2', 'items / items / items2'],
    ['RENAME TABLE out1 TO out2, out2 TO items2', ' /  / items2'],
    ['RENAME TABLE items TO out1, out2 TO items', ' / items / items'],
    ['RENAME TABLE items TO tmp, held TO items, tmp TO held', 'tmp / items held tmp / items held'],
    ['ALTER TABLE out1 EXCHANGE PARTITION p0 WITH TABLE items', ' /  / items'],
    ['ALTER TABLE items EXCHANGE PARTITION p0 WITH TABLE out1', ' /  / items'],
    ['ALTER TABLE out1 CONVERT PARTITION p0 TO TABLE new1', ' /  / new1'],
    ['ALTER TABLE out1 CONVERT TABLE items TO PARTITION p0', 'items / items / '],
    ['CREATE TABLE new1 (id INT PRIMARY KEY)', ' /  / new1'],
    ['CREATE TABLE new1 AS SELECT * FROM out1', ' /  / new1'],
    ['CREATE TABLE IF NOT EXISTS new1 (id INT PRIMARY KEY)', ' /  / new1'],
    // Written by applications at every start.
    ['CREATE TABLE IF NOT EXISTS items (id INT PRIMARY KEY)', ' /  / '],
    ['CREATE TABLE IF NOT EXISTS held (id INT PRIMARY KEY)', ' /  / '],
    ['CREATE OR REPLACE TABLE items (id INT PRIMARY KEY)', ' / items / items'],
    ['TRUNCATE TABLE `it\uFFFDms`', ' /  / items held'],
    ['ALTER TABLE out2 ADD COLUMN items INT, DROP PRIMARY KEY', ' /  / '],
    ['ALTER TABLE out2 ADD FOREIGN KEY (a) REFERENCES items (id)', 'neutral'],
    ['CREATE DATABASE other', 'neutral'],
  ])('%s', async (sql, effect) => {
    expect(effectOf(await tablesAt(), sql)).toBe(effect);
  });

  it('compares names as the server does', async () => {
    expect(effectOf(await tablesAt(), 'TRUNCATE SHOP.Items')).toBe('SHOP.Items /  / ');
    expect(effectOf(await tablesAt(true), 'TRUNCATE SHOP.Items')).toBe('items /  / ');
  });

  it('a table that is left out stays so until a statement changes it', async () => {
    const { known } = await tablesAt();
    expect(known.captures(items)).toBe(true);
    known.leaveOut('shop.items', 'no key');
    expect(known.captures(items)).toBe(false);
    known.apply({
      emptied: { tables: [], databases: [] },
      ended: [],
      changed: [{ name: 'shop.items', cause: 'ALTER' }],
    });
    expect(known.captures(items)).toBe(true);
  });
});
