// Freed memory back to the operating system. glibc keeps what is freed inside its heaps for as long as anything lives above it; after
// a snapshot that is up to 100 MB, most of it for ever. Its `malloc_trim` gives whole free pages back, but nothing in Node calls it,
// and SQLite's loader of extensions is the one way from here to a C function without a native module of our own: it opens a library
// and calls a function with three pointers, of which malloc_trim(3) takes the first for the bytes to leave at the top of the main
// heap. Its result 1 (something was given back) looks like a failed start of the extension, and 0 like a successful one.
import { isFileShortage } from '../core/file-shortage.js';
import { Database } from './driver.js';

/** The published types leave out the second parameter. */
interface ExtensionLoader {
  loadExtension(path: string, entryPoint: string): void;
}

let useless = process.platform !== 'linux';

/** False where there is no glibc. Takes some ms, during which other threads may wait for memory. */
export function trimHeap(): boolean {
  if (useless) return false;
  const database = new Database(':memory:');
  try {
    (database as unknown as ExtensionLoader).loadExtension('libc.so.6', 'malloc_trim');
  } catch (error) {
    // Without a file descriptor the library cannot be opened just now.
    if (isFileShortage(error)) return false;
    useless = !(error instanceof Error && error.message.startsWith('error during initialization'));
  } finally {
    database.close();
  }
  return !useless;
}
