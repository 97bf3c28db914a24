// The small tables of the embedded log, with the checksums of their rows (guarded-tables.ts).
import { GuardedTable } from '../../sqlite/guarded-tables.js';

export const guardedLog = {
  log: new GuardedTable({
    name: 'wt_log',
    key: ['only'],
    columns: ['log_id', 'format', 'clean', 'weak'],
    what: () => 'the name of the log',
  }),
  epoch: new GuardedTable({
    name: 'wt_log_epoch',
    key: ['id'],
    columns: ['log_id', 'after_seq'],
    what: ([, logId, afterSeq]) => `the epoch ${String(logId)} of the log, behind seq ${String(afterSeq)}`,
  }),
  topic: new GuardedTable({
    name: 'wt_topic',
    key: ['id'],
    columns: ['name', 'partitions', 'cleanup', 'retention_ms', 'retention_bytes', 'lost_seq', 'deleted'],
    what: ([id, name]) => `the description of topic "${String(name)}" (id ${String(id)})`,
  }),
  partition: new GuardedTable({
    name: 'wt_partition',
    key: ['topic_id', 'partition'],
    columns: ['next_offset', 'cleaned_offset'],
    what: ([id, partition]) => `the offsets of the topic with id ${String(id)}, partition ${String(partition)}`,
  }),
  producer: new GuardedTable({
    name: 'wt_producer',
    key: ['name'],
    columns: ['position', 'seq'],
    what: ([name]) => `the position of producer "${String(name)}"`,
  }),
};

export const guardedFolder = new GuardedTable({
  name: 'wt_log_folder',
  key: ['only'],
  columns: ['token', 'next', 'inode', 'birth', 'mtime'],
  what: () => 'the mark of the data folder',
});
