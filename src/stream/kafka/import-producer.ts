// A topic that others write enters the sequence: what is committed there is fetched, and a commit record says how far each partition is
// read, so that every process applies the same records at the same seq. The records stay where they are; the commit names their
// offsets as it does for topics of the log, without aborted ones and gaps. The producer's position holds the topic's id and the next
// offset of each partition. Only the order of each partition is kept. Rejects when the topic is gone, was made again, or no longer
// holds what comes next: then the rest cannot be imported.
import { AppError } from '../../core/errors.js';
import { AppendGroup } from './append-group.js';
import type { BrokerLink } from './broker-link.js';
import type { CommitPart } from './commit-record.js';
import { eachCommitted, fetchPartition } from './fetch-partition.js';
import type { ProducerLoop } from './producer-loop.js';
import { Outage, retrying } from './retrying.js';
import type { TopicDirectory } from './topic-directory.js';
import type { Logger } from '../../core/logger.js';

export interface ImportEnvironment {
  readonly topic: string;
  readonly loop: ProducerLoop;
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

interface ImportPosition {
  readonly topicId: string;
  readonly next: readonly number[];
}

const partitionBytesMax = 512 * 1024;
const commitBytesMax = 2 * 1024 * 1024;
/** Of all partitions together: so long a record waits at most behind an empty partition. */
const pollMs = 400;
/** So often it is looked whether the topic is still the same, and has more partitions. */
const lookIntervalMs = 5000;

/** Runs until the signal aborts; rejects when the topic cannot be imported any further. */
export async function importTopic(environment: ImportEnvironment): Promise<void> {
  const { topic, loop, logger, signal } = environment;
  const outage = new Outage(`importing topic "${topic}"`, logger);
  let position = await retrying(outage, signal, () => begin(environment));
  let lookedMs = performance.now();
  while (!signal.aborted) {
    if (performance.now() - lookedMs > lookIntervalMs) {
      position = await retrying(outage, signal, () => lookAgain(environment, position));
      lookedMs = performance.now();
    }
    const { parts, next } = await retrying(outage, signal, () => fetch(environment, position));
    position = { ...position, next };
    if (parts.length === 0) continue;
    const group = AppendGroup.ofImported(parts, JSON.stringify(position), Date.now() * 1000);
    await loop.send(
      group,
      () => Promise.resolve(),
      () => {},
    );
  }
}

async function begin(environment: ImportEnvironment): Promise<ImportPosition> {
  const { topic, loop, link, directory } = environment;
  if (loop.position !== null) return lookAgain(environment, JSON.parse(loop.position) as ImportPosition);
  const { topicId, leaders } = await directory.get(topic);
  const next: number[] = [];
  for (const partition of leaders.keys()) {
    const leader = await directory.leader(topic, partition);
    const [start] = await link.listOffsets(leader, [{ topic, partition }], { at: 'start', committed: true });
    next.push(start!);
  }
  return { topicId, next };
}

async function lookAgain({ topic, directory }: ImportEnvironment, position: ImportPosition): Promise<ImportPosition> {
  directory.forget(topic);
  const { topicId, leaders } = await directory.get(topic);
  if (topicId !== position.topicId) {
    throw new AppError('unknown-topic', `topic "${topic}" was deleted and made again while it was imported`, {
      hint: 'DROP what reads it and CREATE it again: the new topic is then imported from its beginning',
    });
  }
  return { topicId, next: [...position.next, ...leaders.slice(position.next.length).map(() => 0)] };
}

/** What each partition has next, within bounds. */
async function fetch(
  { topic, link, directory }: ImportEnvironment,
  { topicId, next: from }: ImportPosition,
): Promise<{ readonly parts: readonly CommitPart[]; readonly next: readonly number[] }> {
  const parts: CommitPart[] = [];
  const next = [...from];
  let bytes = 0;
  for (const [partition, offset] of from.entries()) {
    if (bytes >= commitBytesMax) break;
    // Nothing is waited for once there is something to hand on.
    const waitMs = parts.length > 0 ? 0 : Math.ceil(pollMs / from.length);
    const options = { committed: true, waitMs, bytesMax: partitionBytesMax };
    const part = await fetchPartition(link, directory, { topic, partition, offset, ...options });
    if (part === undefined) {
      throw new AppError(
        'too-old',
        `topic "${topic}", partition ${partition} does not hold offset ${offset} any more`,
        {
          detail: 'its retention has removed records before they were imported, or it lost some',
          hint: 'DROP what reads it and CREATE it again: it is then imported from what is there',
        },
      );
    }
    const segments: number[] = [];
    next[partition] = eachCommitted(part, offset, (reader) => {
      const last = segments.length - 2;
      if (last >= 0 && segments[last]! + segments[last + 1]! === reader.offset) segments[last + 1]!++;
      else segments.push(reader.offset, 1);
    });
    bytes += part.records.length;
    if (segments.length > 0) parts.push({ topic, topicId, partition, segments });
  }
  return { parts, next };
}
