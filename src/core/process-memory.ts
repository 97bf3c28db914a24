// What memory the process has. To read how much of it is resident takes a file descriptor, of which there may be none: then nobody knows,
// and the rest goes on.
import { getHeapStatistics } from 'node:v8';

export function residentBytes(): number | undefined {
  try {
    return process.memoryUsage.rss();
  } catch {
    return undefined; // it is asked again and again, and told when it can be read
  }
}

/** Of the calling thread. */
export function heapBytes(): { readonly used: number; readonly external: number } {
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return { used, external };
}
