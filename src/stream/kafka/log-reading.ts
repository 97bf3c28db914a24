// `read` of the Kafka log: follows the commit topic and fetches the data partitions as far as it names them, so that appends come
// whole and in one order for every process. No consumer group: a group would have to join again for each new topic.
import { isAbort } from '../../core/backoff.js';
import type { Logger } from '../../core/logger.js';
import type { Append } from '../../core/record.js';
import type { ReadOptions } from '../event-log.js';
import { AppendBuilder } from './append-builder.js';
import type { BrokerLink } from './broker-link.js';
import { endOf, offsetOf, seqOf } from './commit-record.js';
import type { CommitPage, CommitTopic, PlacedCommit } from './commit-topic.js';
import { DataFetcher } from './data-fetcher.js';
import type { PartitionFeed } from './partition-feed.js';
import { Outage, retrying } from './retrying.js';
import { throwIfAborted } from './stopping.js';
import type { TopicDirectory } from './topic-directory.js';

export interface LogReading {
  readonly commits: CommitTopic;
  readonly directory: TopicDirectory;
  readonly logger: Logger;
  /** Ends with the log. */
  readonly signal: AbortSignal;
  openLink(): BrokerLink;
  /** Behind everything that is visible, own appends that are durable included. */
  visibleEnd(): Promise<number>;
}

/** A group ends with the commit that takes it over this. */
const groupBytesMax = 4 * 1024 * 1024;
/** The broker answers at once when something comes; until then one request a second says that we are there. */
const pollMs = 1000;

export async function* readLog(
  log: LogReading,
  after: number,
  options: ReadOptions,
): AsyncGenerator<readonly Append[]> {
  const signal = options.signal === undefined ? log.signal : AbortSignal.any([log.signal, options.signal]);
  if (signal.aborted) return;
  // One waits at the end of the commit topic, the other must not wait behind it.
  const commitLink = log.openLink();
  const dataLink = log.openLink();
  const hangUp = () => {
    commitLink.close();
    dataLink.close();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    const topics = options.topics === undefined ? undefined : new Set(options.topics);
    const { directory, logger } = log;
    const fetcher = new DataFetcher({ link: dataLink, directory, logger, signal, topics });
    const outage = new Outage('following the log', logger);
    const end = options.follow ? Infinity : await log.visibleEnd();
    let at = offsetOf(log.commits.header, after);
    while (at < end) {
      throwIfAborted(signal);
      const page: CommitPage = await retrying(outage, signal, () =>
        log.directory.doubting(() => log.commits.page(commitLink, at, options.follow ? pollMs : 0)),
      );
      yield* groups(log, fetcher, page.commits, after);
      at = page.next;
    }
  } catch (error) {
    // Whoever aborts knows that the iteration ends.
    if (!signal.aborted || !isAbort(error)) throw error;
  } finally {
    signal.removeEventListener('abort', hangUp);
    hangUp();
  }
}

async function* groups(
  { commits: { header } }: LogReading,
  fetcher: DataFetcher,
  commits: readonly PlacedCommit[],
  after: number,
): AsyncGenerator<readonly Append[]> {
  const wanted: [PlacedCommit, (PartitionFeed | undefined)[]][] = [];
  for (const placed of commits) {
    const { sink, appends } = placed.commit;
    // A reader that goes on behind a commit must not need its records, which may be gone.
    if (sink || appends.length === 0 || seqOf(header, placed.offset, appends.length - 1) <= after) continue;
    wanted.push([placed, placed.commit.parts.map((part) => fetcher.want(part))]);
  }
  if (wanted.length > 0) fetcher.start();
  let group: Append[] = [];
  let bytes = 0;
  for (const [placed, feeds] of wanted) {
    for (const [i, feed] of feeds.entries()) {
      if (feed !== undefined) await fetcher.ready(feed, endOf(placed.commit.parts[i]!));
    }
    const builder = new AppendBuilder(placed, feeds, header);
    for (const append of builder.appends(after)) group.push(append);
    bytes += builder.bytes;
    if (bytes < groupBytesMax) continue;
    yield group;
    fetcher.start();
    group = [];
    bytes = 0;
  }
  if (group.length > 0) yield group;
}
