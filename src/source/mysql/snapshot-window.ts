// How a part of a table is read beside the stream: keys that the stream changes are recorded from before the view begins.
import type { Logger } from '../../core/logger.js';
import type { OpenTable } from './captured-tables.js';
import type { MysqlConfig } from './config.js';
import type { ResolvedOptions, Session } from './connection.js';
import { KeyWindow } from './key-window.js';
import type { FileOffset, StreamPosition } from './position.js';
import type { Server } from './server.js';
import { openView, type SnapshotView } from './snapshot-view.js';
import type { Wakeup } from './wakeup.js';

/** What the stream has read at some moment. */
export interface StreamRead {
  readonly read: StreamPosition;
  readonly place: FileOffset | undefined;
}

export interface WindowOptions {
  readonly config: MysqlConfig;
  readonly connection: ResolvedOptions;
  readonly server: Server;
  readonly session: Session;
  readonly open: OpenTable;
  /**
   * Calls `begin` when the stream stands between two transactions, at once where it does, with a copy of what it has read.
   * Rejects when the run ends before.
   */
  readonly betweenTransactions: <T>(begin: (read: StreamRead) => T) => Promise<T>;
  readonly signal: AbortSignal;
  readonly wakeup: Wakeup;
  readonly logger: Logger;
}

export interface OpenWindow {
  readonly window: KeyWindow;
  readonly view: SnapshotView;
  readonly release: () => void;
}

/**
 * Begins to record changed keys, and then opens the view: whatever the view does not see is recorded, because it comes in the stream behind
 * what had been read when the recording began. In the middle of a transaction its first rows would be missed.
 */
export async function openWindow(
  options: Omit<WindowOptions, 'config' | 'connection' | 'wakeup'>,
): Promise<OpenWindow> {
  const { server, session, open, betweenTransactions, signal, logger } = options;
  const window = new KeyWindow();
  const release = () => {
    open.windows = open.windows.filter((other) => other !== window);
  };
  const read = await betweenTransactions((now) => {
    open.windows = [...open.windows, window];
    return now;
  });
  try {
    const view = await openView({ session, server, ...read, signal, logger });
    return { window, view, release };
  } catch (error) {
    release();
    throw error;
  }
}
