// A source database of a run, whatever its product: made empty, written to by sessions, read whole by the checker.
import type { Dialect, Param } from './columns.js';

export interface SourceSession {
  begin(): Promise<void>;
  run(sql: string, params: readonly Param[]): Promise<void>;
  /** Rows of texts (or nulls). */
  select(sql: string): Promise<readonly (readonly unknown[])[]>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

export interface SourceDatabase {
  readonly dialect: Dialect;
  /** Database part of topic names and of filters. */
  readonly name: string;
  readonly url: string;
  /** What the source part of a connector's configuration is. */
  readonly connector: Readonly<Record<string, string>>;
  /** How many sessions may write at once. */
  readonly writers: number;
  openSession(): Promise<SourceSession>;
  execute(sql: string): Promise<void>;
  select(sql: string): Promise<readonly (readonly unknown[])[]>;
  drop(): Promise<void>;
}
