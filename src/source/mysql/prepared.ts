// XA transactions that are prepared and not yet committed or rolled back. Their rows stand in the binlog at XA PREPARE, and count only when
// an XA COMMIT comes, perhaps after a restart of ours: so they are part of the position, which stays whole beside them, and the stream then
// begins where they come again. A transaction that cannot come again (its binlog is purged) costs its tables another reading when it is
// committed, and nothing when it is rolled back.

export interface Prepared {
  /** As XA COMMIT names it; or `anyOther`. */
  readonly xid: string;
  /** Its GTID; without GTIDs the place at which it begins. */
  readonly id: string;
  /** Tables with rows in it, folded, captured or not. */
  readonly tables: readonly string[];
  /**
   * Where the stream has to begin for it to come again: on MariaDB the transaction of its domain before it (empty: it is the first), else
   * its id. Null: it does not have to, or it cannot.
   */
  readonly from: string | null;
}

/**
 * Stands for all that were prepared before the stream began (prepared-before.ts), and is kept for good, since these may be committed at any
 * time. Its tables are those that any of them may have rows in, captured or not.
 */
export const anyOther = '';

/** Part of a position's text. */
export function printPrepared(prepared: readonly Prepared[]): string {
  return prepared.length === 0 ? '' : `,"prepared":${JSON.stringify(prepared)}`;
}

export function isPrepared(json: unknown): json is readonly Prepared[] {
  return (
    Array.isArray(json) &&
    json.every((each: unknown) => {
      const { xid, id, tables, from } = (each ?? {}) as Readonly<Record<string, unknown>>;
      const areNames = Array.isArray(tables) && tables.every((name) => typeof name === 'string');
      return (
        typeof xid === 'string' && typeof id === 'string' && areNames && (from === null || typeof from === 'string')
      );
    })
  );
}

/** Behind another place there are others. */
export function withNames(prepared: readonly Prepared[]): Prepared[] {
  return prepared.filter(({ xid }) => xid !== anyOther);
}

/** They do not come again. */
export function withoutReturn(prepared: readonly Prepared[]): Prepared[] {
  return prepared.map((each) => ({ ...each, from: null }));
}
