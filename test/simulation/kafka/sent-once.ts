// Derived records go out behind the engine's commit, in groups that are numbered by what caused them: every number once, in their order,
// whatever became of processes, folders and connections meanwhile. The commit topic tells.
import { isBehind, nothingDerived, parseNumber, printNumber } from '../../../src/core/derived.js';
import { parseCommit } from '../../../src/stream/kafka/commit-record.js';
import { eachCommitted } from '../../../src/stream/kafka/fetch-partition.js';
import { sinkProducerName } from '../../../src/stream/kafka/sink-producer.js';
import type { SimulatedPartition } from './partition.js';

export function checkSentOnce(commits: SimulatedPartition, breach: (text: string) => void): void {
  const { records, aborted } = commits.read(0, true, Infinity);
  const part = { topicId: '', partition: 0, errorCode: 0, highWatermark: 0, lastStableOffset: 0, logStartOffset: 0 };
  let newest = nothingDerived;
  eachCommitted({ ...part, records, aborted }, 0, (reader) => {
    if (reader.key()?.toString() !== sinkProducerName) return;
    const { position, parts } = parseCommit(reader.value(), 'the commit topic');
    const number = parseNumber(position ?? '0.0')!;
    // One without records opens a session, or moves the position past what is left out.
    if (parts.length > 0 && !isBehind(number, newest))
      breach(`derived records of ${printNumber(number)} are sent behind those of ${printNumber(newest)}`);
    if (isBehind(number, newest)) newest = number;
  });
}
