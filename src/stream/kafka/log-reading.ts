// `read` of the Kafka log: follows the commit topic and fetches the data partitions as far as it names them, so that appends come
// whole and in one order for every process. No consumer group: a group would have to join again for each new topic.
import { isAbort, untilAborted } from '../../core/backoff.js';
import type { Logger } from '../../core/logger.js';
import type { Append } from '../../core/append.js';
import type { ReadOptions } from '../event-log.js';
import { SpillFile } from '../spill-file.js';
import { AppendBuilder } from './append-builder.js';
import { AppendMerge } from './append-merge.js';
import type { BrokerLink } from './broker-link.js';
import { endOf, offsetOf, seqOf } from './commit-record.js';
import type { CommitPage, CommitTopic, PlacedCommit } from './commit-topic.js';
import { DataFetcher } from './data-fetcher.js';
import type { FetchQueue } from './fetch-queue.js';
import { Outage, retrying } from './retrying.js';
import { throwIfAborted } from './stopping.js';
import type { TopicDirectory } from './topic-directory.js';

export interface LogReading {
  readonly commits: CommitTopic;
  readonly directory: TopicDirectory;
  readonly logger: Logger;
  /** Where the records of appends wait that are longer than `bytes` in the log. Undefined: all are held in memory. */
  readonly spill: { readonly folder: string; readonly bytes: number } | undefined;
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
    const end = options.follow ? Infinity : await untilAborted(signal, log.visibleEnd());
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
  { commits: { header }, spill, signal }: LogReading,
  fetcher: DataFetcher,
  commits: readonly PlacedCommit[],
  after: number,
): AsyncGenerator<readonly Append[]> {
  const wanted: [PlacedCommit, (FetchQueue | undefined)[]][] = [];
  for (const placed of commits) {
    const { sink, appends } = placed.commit;
    // A reader that goes on behind a commit must not need its records, which may be gone.
    if (sink || appends.length === 0 || seqOf(header, placed.offset, appends.length - 1) <= after) continue;
    wanted.push([placed, placed.commit.parts.map((part) => fetcher.want(part, placed.commit.imported))]);
  }
  if (wanted.length > 0) fetcher.start();
  let group: Append[] = [];
  let bytes = 0;
  for (const [placed, queues] of wanted) {
    if (!(await fetchedWithin(spill?.bytes ?? Infinity, fetcher, placed, queues))) {
      if (group.length > 0) yield group;
      group = [];
      bytes = 0;
      const file = new SpillFile(spill!.folder);
      // A reader that is given up without its end being asked for: the file goes with the log.
      const close = () => file.close();
      try {
        const merge = new AppendMerge(placed, queues, {
          header,
          file,
          ready: (queue, position) => fetcher.ready(queue, position),
        });
        const appends = await merge.appends(after);
        signal.addEventListener('abort', close, { once: true });
        yield appends;
      } finally {
        signal.removeEventListener('abort', close);
        close();
      }
      fetcher.start();
      continue;
    }
    const builder = new AppendBuilder(placed, queues, header);
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

/** Fetches the records of a commit; false: they are `bytesMax` or more, and not all of them are there. */
async function fetchedWithin(
  bytesMax: number,
  fetcher: DataFetcher,
  { commit: { parts } }: PlacedCommit,
  queues: readonly (FetchQueue | undefined)[],
): Promise<boolean> {
  const fits = () => {
    let bytes = 0;
    for (const [i, queue] of queues.entries())
      bytes += queue?.bytesBetween(parts[i]!.segments[0]!, endOf(parts[i]!)) ?? 0;
    return bytes < bytesMax;
  };
  for (const [i, queue] of queues.entries()) {
    if (queue === undefined) continue;
    for (const end = endOf(parts[i]!); !queue.gone && queue.position < end;) {
      if (!fits()) return false;
      await fetcher.ready(queue, queue.position + 1);
    }
  }
  return fits();
}
