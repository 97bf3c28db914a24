// The registry over a real store: what is there after a rollback and a restart, and who keeps a schema from being deleted for good.
import { expect, it } from 'vitest';
import { Catalog, type SourceEntry } from '../../../src/catalog/catalog.js';
import { INTEGER } from '../../../src/core/data-type.js';
import { schemaDocuments, topicWithSchemas } from '../../../src/engine/schema-documents.js';
import { Registry } from '../../../src/registry/registry.js';
import { openDatabase } from '../../../src/sqlite/database.js';
import { openStateStore } from '../../../src/store/sqlite/state-store.js';

function source(name: string, topic: string): SourceEntry {
  return {
    name,
    sourceKind: 'stream',
    schema: { columns: [{ name: 'id', type: INTEGER }], keyColumns: [] },
    properties: { topic, keyFormat: 'AVRO', valueFormat: 'AVRO', partitions: 1, timestampColumn: null },
    writtenBy: null,
    readOnly: false,
    owner: { kind: 'api', name: null },
    sql: null,
    table: null,
    captured: null,
    visible: true,
    failed: null,
    schemaIds: null,
  };
}

it('gives no id twice over a restart, whatever was deleted for good, and forgets what was rolled back', () => {
  const database = openDatabase(':memory:');
  const state = openStateStore(database, { logId: 'l' });
  const told: string[] = [];
  const open = () =>
    new Registry(
      schemaDocuments({ state, tell: (key, value) => told.push(`${key.toString()} ${value?.toString() ?? null}`) }),
    );
  const registry = open();
  state.transaction(() => {
    registry.registerNow('s', '"int"', 'AVRO');
    registry.registerNow('s', '"long"', 'AVRO');
    registry.apply({ kind: 'delete-subject', subject: 's' });
    registry.apply({ kind: 'delete-subject', subject: 's', permanent: true });
  });
  expect(told.slice(-3)).toEqual([
    '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1} null',
    '{"keytype":"SCHEMA","subject":"s","version":2,"magic":1} null',
    '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0} null',
  ]);
  expect(open().state.subjects('all')).toEqual([]);
  expect(() =>
    state.transaction(() => {
      registry.registerNow('t', '"string"', 'AVRO');
      throw new Error('rolled back');
    }),
  ).toThrow('rolled back');
  registry.reload();
  expect(registry.state.subjects('all')).toEqual([]);
  state.transaction(() => expect(open().registerNow('s', '"int"', 'AVRO')).toBe(3));
  expect(open().state.versions('s', 'all')).toEqual([
    { subject: 's', version: 1, id: 3, schemaType: 'AVRO', schema: '"int"' },
  ]);
  database.close();
});

it('the subjects of a topic are in use while a stream or table is over it', () => {
  const database = openDatabase(':memory:');
  const state = openStateStore(database, { logId: 'l' });
  const catalog = new Catalog(state);
  state.transaction(() => catalog.putSource(source('orders', 'shop-orders')));
  for (const part of ['key', 'value'])
    expect(topicWithSchemas(catalog, `shop-orders-${part}`)).toBe('topic shop-orders');
  for (const other of ['shop-orders', 'shop-value', 'shop-orders-value-value'])
    expect(topicWithSchemas(catalog, other)).toBeUndefined();
  database.close();
});
