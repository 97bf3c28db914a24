// Markers end a transaction in each of its partitions; without one, its records there are neither committed nor aborted. The
// coordinator answers before they are written, and Kafka 4.3.1 leaves them out for good in partitions that have no leader at that
// moment (a single broker that is being stopped): the next transaction's marker then decides for both. So a commit counts
// only when its markers are seen, and a new epoch looks for what an earlier one has left undecided.
import { delay } from '../../core/backoff.js';
import type { BrokerLink } from './broker-link.js';
import { groupBy, groupValues } from './group-by.js';
import { KafkaProtocolError } from './kafka-errors.js';
import { RecordReader } from './record-reader.js';
import { fetchRequest, type FetchedPart } from './requests.js';
import type { TopicDirectory } from './topic-directory.js';

export type Marker = 'commit' | 'abort' | 'none';

/** A partition, and where its records of a transaction end. */
export interface TransactionEnd {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly end: number;
}

export interface MarkerReading {
  readonly link: BrokerLink;
  readonly directory: TopicDirectory;
  readonly producerId: number;
}

const fetchWaitMs = 500;
/** Markers take some ms. When they have not come by then they may never come. */
const markerWaitMs = 5000;
const offsetOutOfRange = 1;
const fetchBytesMax = 64 * 1024;

interface Search {
  readonly target: TransactionEnd;
  at: number;
  marker: Marker;
  done: boolean;
}

/** Waits until each partition has a marker of the producer behind the transaction's end; rejects where none comes. */
export async function awaitMarkers(
  reading: MarkerReading,
  targets: readonly TransactionEnd[],
  signal: AbortSignal,
): Promise<Marker[]> {
  const searches = begin(targets);
  const deadlineMs = performance.now() + markerWaitMs;
  for (let open = searches; open.length > 0; open = open.filter(({ marker }) => marker === 'none')) {
    await look(reading, open, fetchWaitMs);
    if (performance.now() > deadlineMs && open.some(({ marker }) => marker === 'none')) {
      throw new KafkaProtocolError(7, 'the end of a transaction that does not show');
    }
    if (signal.aborted) await delay(0, signal);
  }
  return searches.map(({ marker }) => marker);
}

/** The markers that are there now. */
export async function findMarkers(reading: MarkerReading, targets: readonly TransactionEnd[]): Promise<Marker[]> {
  const searches = begin(targets);
  for (let open = searches; open.length > 0; open = open.filter(({ marker, done }) => marker === 'none' && !done)) {
    await look(reading, open, 0);
  }
  return searches.map(({ marker }) => marker);
}

function begin(targets: readonly TransactionEnd[]): Search[] {
  return targets.map((target) => ({ target, at: target.end, marker: 'none', done: false }));
}

async function look(
  { link, directory, producerId }: MarkerReading,
  searches: readonly Search[],
  waitMs: number,
): Promise<void> {
  const leaders: [number, Search][] = [];
  for (const search of searches)
    leaders.push([await directory.leader(search.target.topic, search.target.partition), search]);
  for (const [leader, group] of groupValues(leaders)) {
    const parts = group.map(({ target: { topicId, partition }, at }) => ({
      topicId,
      partition,
      offset: at,
      bytesMax: fetchBytesMax,
    }));
    const request = fetchRequest(parts, { committed: false, waitMs, bytesMax: fetchBytesMax * 16 });
    const answers = groupBy(
      await link.send(await link.broker(leader), request),
      ({ topicId, partition }) => `${topicId}/${partition}`,
    );
    for (const search of group) {
      const answer = answers.get(`${search.target.topicId}/${search.target.partition}`)?.[0];
      if (answer !== undefined) read(search, answer, producerId, directory);
    }
  }
}

function read(search: Search, answer: FetchedPart, producerId: number, directory: TopicDirectory): void {
  const { topic, partition } = search.target;
  if (answer.errorCode === offsetOutOfRange) {
    // The broker has lost what it had stored; then there is nothing to decide either.
    search.done = true;
    return;
  }
  if (answer.errorCode !== 0) {
    directory.forget(topic);
    throw new KafkaProtocolError(answer.errorCode, `topic "${topic}", partition ${partition}`);
  }
  const reader = new RecordReader(answer.records);
  while (reader.nextBatch()) {
    search.at = Math.max(search.at, reader.lastOffset + 1);
    if (!reader.control || reader.producerId !== producerId || reader.baseOffset < search.target.end) continue;
    const type = reader.controlType();
    if (type === 'other') continue;
    search.marker = type;
    return;
  }
  search.done = search.at >= answer.highWatermark;
}
