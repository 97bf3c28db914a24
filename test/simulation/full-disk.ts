// A disk that is full at a write that the dice choose: any statement of a transaction, its commit included, fails as SQLite says it, and
// now and then SQLite has rolled back by itself by then, as it does. Only connections that are in a transaction write.
import { Database } from '../support/sqlite-driver.js';

interface Write {
  readonly source?: string;
  readonly database: InstanceType<typeof Database>;
}

export interface FullDiskOptions {
  /** Of the data file: other connections of the thread are left alone. */
  readonly path: string;
  /** Asked once for each write. */
  readonly isFull: () => boolean;
  /** Asked when it is: SQLite rolls back before it says so. */
  readonly rollsBack: () => boolean;
}

const notWrites = /^\s*(SELECT|BEGIN|ROLLBACK|PRAGMA|WITH)\b/i;

/** Gives what takes it back. */
export function plantFullDisk({ path, isFull, rollsBack }: FullDiskOptions): () => void {
  const memory = new Database(':memory:');
  const statements = Object.getPrototypeOf(memory.prepare('SELECT 1')) as { run: (...args: unknown[]) => unknown };
  memory.close();
  const { run } = statements;
  // oxlint-disable-next-line typescript/unbound-method -- called with its connection
  const { exec } = Database.prototype;
  // A commit behind which nothing was written takes no room.
  let wrote = false;
  const write = (sql: string, database: InstanceType<typeof Database>): void => {
    if (database.name !== path || database.readonly) return;
    if (!database.inTransaction) wrote = false;
    if (!database.inTransaction || notWrites.test(sql) || (sql === 'COMMIT' && !wrote)) return;
    wrote = true;
    if (!isFull()) return;
    if (rollsBack()) exec.call(database, 'ROLLBACK');
    throw Object.assign(new Error('database or disk is full'), { name: 'SqliteError', code: 'SQLITE_FULL' });
  };
  statements.run = function (this: Required<Write>, ...args: unknown[]) {
    write(this.source, this.database);
    return run.apply(this, args);
  };
  Database.prototype.exec = function (this: InstanceType<typeof Database>, sql: string) {
    write(sql, this);
    return exec.call(this, sql);
  };
  return () => {
    statements.run = run;
    Database.prototype.exec = exec;
  };
}
