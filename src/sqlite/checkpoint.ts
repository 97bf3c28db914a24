// Moves the write-ahead log back into the database file, on a connection of its own and, for its caller's sake, on another
// thread than the writer's: a checkpoint of many pages would stand in the way of commits. Usually passive (it takes no lock
// that the writer wants); once the log is over its cap, a restart: the writer waits for its last part, and the next commit
// begins at the file's start again. Each checkpoint syncs both files, which commits wait for, and a page that is written time and again
// is moved as often: so a little is left for later (measured beside a load of new rows: a third of the time in checkpoints).
import { openDatabase, type SqliteDatabase } from './database.js';

export interface CheckpointerOptions {
  /** Over this size of the log a restart is tried. */
  readonly walBytesMax?: number | undefined;
  /** So much has to lie in the log before a step moves it, or it has to be there since so long. */
  readonly least?: { readonly bytes: number; readonly ms: number } | undefined;
  /** How long a restart may wait for readers, and so hold the writer up. */
  readonly restartWaitMs?: number | undefined;
}

export interface CheckpointResult {
  /** Size of what lies in the log, bytes, before this step. */
  readonly walBytes: number;
  /** Bytes of it that are in the database file now. */
  readonly checkpointedBytes: number;
  /** A restart was tried, and a reader of an old cut prevented it. */
  readonly blocked: boolean;
  /** What is there was left for a later step. */
  readonly left: boolean;
}

export interface Checkpointer {
  /** One checkpoint; synchronous. Worth calling every 100 ms or so while there are commits. */
  step(): CheckpointResult;
  close(): void;
}

const frameHeaderBytes = 24;

export function openCheckpointer(path: string, options: CheckpointerOptions = {}): Checkpointer {
  const walBytesMax = options.walBytesMax ?? 64 * 1024 * 1024;
  const database = openDatabase(path, { cacheBytes: 64 * 1024, busyTimeoutMs: options.restartWaitMs ?? 100 });
  const frameBytes = Number(database.raw.pragma('page_size', { simple: true })) + frameHeaderBytes;
  const { least } = options;
  let movedMs = performance.now();
  /** Since the last move there is little, and that is young. */
  function mayWait(): { walBytes: number } | undefined {
    if (least === undefined || performance.now() - movedMs >= least.ms) return undefined;
    const { frames, moved } = checkpoint(database, 'NOOP');
    const walBytes = frames * frameBytes;
    return (frames - moved) * frameBytes < least.bytes ? { walBytes } : undefined;
  }
  return {
    step() {
      const waiting = mayWait();
      if (waiting) return { ...waiting, checkpointedBytes: 0, blocked: false, left: true };
      movedMs = performance.now();
      const passive = checkpoint(database, 'PASSIVE');
      const walBytes = passive.frames * frameBytes;
      if (walBytes <= walBytesMax)
        return { walBytes, checkpointedBytes: passive.moved * frameBytes, blocked: false, left: false };
      const restart = checkpoint(database, 'RESTART');
      return { walBytes, checkpointedBytes: restart.moved * frameBytes, blocked: restart.busy, left: false };
    },
    close() {
      database.close();
    },
  };
}

function checkpoint(
  database: SqliteDatabase,
  mode: 'NOOP' | 'PASSIVE' | 'RESTART',
): { busy: boolean; frames: number; moved: number } {
  const [busy, frames, moved] = database.statement(`PRAGMA wal_checkpoint(${mode})`).get()!;
  // -1: the file has no log at all (not in write-ahead mode, or nothing was written yet).
  return { busy: busy !== 0, frames: Math.max(0, Number(frames)), moved: Math.max(0, Number(moved)) };
}
