// Gives memory back when a thread has come to rest. V8 collects when it allocates: a thread that stops after much work keeps its garbage
// (after a snapshot or a compaction some 100 MB) for as long as nothing happens. Looked at now and then: when the event loop has hardly
// worked since the last look, and the heap is well over what the last collections left, it is collected, twice. What the collections of all
// threads and the caches of the engine have freed is then given back to the operating system by one of them.
//
// Measured with 1,000,000 rows, a minute after their snapshot (MB resident): with this 101; without any of it 235, with MALLOC_ARENA_MAX=2
// 224, with that and a young generation of 4 MB 178; the collection alone 231, the giving back alone 136. So no setting of the allocator
// does instead, and each half is worth its lines.
import { setFlagsFromString, getHeapStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { performance } from 'node:perf_hooks';
import { residentBytes } from '../core/process-memory.js';
import { trimHeap } from '../sqlite/heap-trim.js';

const lookMs = 5_000;
/** Busier than this is no rest: a collection would stop somebody who waits. */
const restUtilization = 0.05;
/** Caches are worth more than their memory to a thread that has anything to do. */
const idleUtilization = 0.01;
const worthBytes = 8 * 1024 * 1024;

/** One collection leaves buffers behind whose last holders it has only just ended: what a compaction had in memory, 60 MB. */
const collections = 2;
/** What other threads free soon after goes back with the next ones: they collect at looks of their own. */
const trims = 3;

/** Called once by a thread; by the one that gives back for the whole process, with what frees its caches. */
export function freeMemoryAtRest(freeCaches?: () => void): void {
  let collect: (() => void) | undefined;
  /** Still to be done, one a look. */
  let collecting = 0;
  let trimming = 0;
  let keptBytes = 0;
  let keptRssBytes = 0;
  let last = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    if (utilization > restUtilization) return;
    if (collecting === 0 && heldBytes() >= keptBytes + worthBytes) collecting = collections;
    if (collecting > 0) {
      collecting--;
      trimming = trims;
      collect ??= collector();
      collect();
      keptBytes = heldBytes();
      // Buffers are freed beside the thread, some time after the collection: by the next look.
      return;
    }
    keptBytes = Math.min(keptBytes, heldBytes());
    if (freeCaches === undefined || utilization > idleUtilization) return;
    const rssBytes = residentBytes();
    if (rssBytes === undefined) return;
    if (rssBytes >= keptRssBytes + worthBytes) trimming = trims;
    if (trimming === 0) return;
    trimming--;
    freeCaches();
    trimHeap();
    keptRssBytes = residentBytes() ?? rssBytes;
  }, lookMs).unref();
}

function heldBytes(): number {
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

/** Node shows the collector only to whoever asks by a flag; a context made after the flag is set has it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
