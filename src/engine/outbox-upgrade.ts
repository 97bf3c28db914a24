// Data folders of earlier versions keep the outbox as documents (base64, numbered by a counter of their own), and the position on Kafka
// counts in those numbers. What is not out yet is numbered anew here, behind everything that the folder has applied: all of it was caused
// by appends up to the frontier, and what comes later has higher numbers. A folder that has applied nothing cannot tell what is out.
import { AppError } from '../core/errors.js';
import { RecordSet } from '../core/record.js';
import type { OutboxStore } from '../store/outbox-store.js';
import type { StateWriter } from '../store/state-store.js';
import type { SinkPosition } from '../stream/kafka/sink-producer.js';

const kind = 'outbox';

interface EarlierEntry {
  readonly commitTimeUs: number;
  readonly topics: readonly string[];
  readonly count: number;
  /** base64, as are the next two */
  readonly data: string;
  readonly extents: string;
  readonly timestamps: string;
}

/** Before anything is applied or sent. */
export function upgradeOutbox(state: StateWriter, store: OutboxStore, position: SinkPosition, log: string): void {
  const { seq } = state.frontier;
  if (position.kind === 'earlier' && seq === 0) {
    throw new AppError('log-foreign', `the derived records of the log "${log}" were numbered by an earlier version`, {
      detail: 'a data folder that begins with this log cannot tell which of them are in their topics already',
      hint: 'start once with the data folder that wrote them and let it write something; or take another service.id',
    });
  }
  const entries = state.documents(kind);
  if (entries.length === 0) return;
  const out = position.kind === 'earlier' ? position.number : 0;
  state.transaction(() => {
    let piece = 0;
    for (const { name, json } of entries) {
      if (Number(name) > out) store.add({ seq, piece: piece++, ...decode(JSON.parse(json) as EarlierEntry) });
      state.deleteDocument(kind, name);
    }
  });
}

function decode({ commitTimeUs, topics, count, data, extents, timestamps }: EarlierEntry) {
  const own = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer;
  const records = new RecordSet({
    buffers: [Buffer.from(data, 'base64')],
    topics,
    count,
    extents: new Int32Array(own(extents)),
    timestamps: new Float64Array(own(timestamps)),
  });
  return { commitTimeUs, records };
}
