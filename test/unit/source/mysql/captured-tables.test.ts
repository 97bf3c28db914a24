// Snapshot and stream open the same table at the same moment: they must meet on one object, or changes of keys would not reach the
// windows of the snapshot's chunks, and old rows would overwrite new ones.
import { describe, expect, it } from 'vitest';
import type { RowEncoder } from '../../../../src/core/row-encoder.js';
import { CapturedTables, type TableDescription } from '../../../../src/source/mysql/captured-tables.js';
import { parseConfig } from '../../../../src/source/mysql/config.js';
import { TableFilter } from '../../../../src/source/mysql/filters.js';
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
