// Version tokens and event ids. A version names a cut of the whole log, an event id a change inside an append; both are valid
// on every process that follows the log and after a rebuild. logId changes with each epoch of the log (architecture: a
// restore or an unclean start under weak durability), so a token of a lost future is recognised.
import { AppError } from './errors.js';

export interface Version {
  readonly logId: string;
  readonly seq: number;
}

/** A place among the changes of one table, right behind one of them. */
export interface Place {
  readonly seq: number;
  /** Of the change among those of its table inside the append, from 0; Infinity: behind the whole append. */
  readonly index: number;
}

export interface EventId extends Version, Place {}

/** Place of the mark of a rebuild in its append: behind all differences, however many there are. */
export const rebuiltIndex = 2_147_483_647;

export function comparePlaces(a: Place, b: Place): number {
  if (a.seq !== b.seq) return a.seq - b.seq;
  return a.index === b.index ? 0 : a.index - b.index;
}

export function printVersion(version: Version): string {
  return `${version.logId}:${version.seq}`;
}

export function printEventId(id: EventId): string {
  return `${id.logId}:${id.seq}.${id.index}`;
}

/** Reads `logId:seq` or `logId:seq.index`; a bare version means "behind the whole append", index = Infinity. */
export function parseEventId(text: string): EventId {
  const match = /^([A-Za-z0-9_-]{1,64}):(\d{1,16})(?:\.(\d{1,10}))?$/.exec(text);
  if (!match) {
    throw new AppError('bad-request', `"${text.slice(0, 80)}" is not an event id`, {
      hint: 'an event id looks like LOGID:SEQ.INDEX; send back the id of the last event that you have handled',
    });
  }
  return {
    logId: match[1]!,
    seq: Number(match[2]),
    index: match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]),
  };
}
