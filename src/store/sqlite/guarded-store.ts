// The small tables of the store, with the checksums of their rows (guarded-tables.ts).
import { GuardedTable } from '../../sqlite/guarded-tables.js';

export const guarded = {
  frontier: new GuardedTable({
    name: 'wt_frontier',
    key: ['only'],
    columns: ['commit_no', 'catalog_version', 'feed_bytes', 'frontier'],
    what: () => 'the place that everything is applied up to',
    byHand: true,
  }),
  table: new GuardedTable({
    name: 'wt_table',
    key: ['id', 'version'],
    columns: ['name', 'schema', 'visible', 'row_count', 'stopped'],
    what: ([id, version, name]) => `the description of table "${String(name)}" (t${String(id)}_v${String(version)})`,
  }),
  keyedState: new GuardedTable({
    name: 'wt_keyed_state',
    key: ['id'],
    columns: ['name', 'spec'],
    what: ([id, name]) => `the description of operator state ${String(name)} (wt_state_${String(id)})`,
  }),
  feedSchema: new GuardedTable({
    name: 'wt_feed_schema',
    key: ['id'],
    columns: ['columns'],
    what: ([id]) => `the columns of the change feed's form ${String(id)}`,
  }),
  feedStart: new GuardedTable({
    name: 'wt_feed_start',
    key: ['table_id'],
    columns: ['seq', 'change_index'],
    what: ([id]) => `the beginning of the change feed of the table with id ${String(id)}`,
  }),
  document: new GuardedTable({
    name: 'wt_document',
    key: ['kind', 'name'],
    columns: ['json'],
    what: ([kind, name]) => `the catalogue's document of kind ${String(kind)}, "${String(name)}"`,
  }),
};

export const guardedOutbox = {
  refused: new GuardedTable({
    name: 'wt_outbox_refused',
    key: ['topic'],
    columns: ['up_to_seq'],
    what: ([topic]) => `the refusal of topic "${String(topic)}" in the outbox`,
  }),
};
