// The beginning of a group: a transaction, or a statement of its own.
import { eventType, header, parseGtid, parseMariadbGtid, parseTaggedGtid } from './binlog-event.js';
import { idOfGtid } from './gtid-set.js';
import { idOfMariadbGtid } from './mariadb-gtid.js';
import type { Group } from './open-group.js';

/** Of an event with a GTID, or in its place. */
export function groupOf(event: Buffer): Group {
  const type = header.type(event);
  if (type === eventType.mariadbGtid) {
    const { gtid, standalone, prepared: xa } = parseMariadbGtid(event);
    const commitTimeUs = header.seconds(event) * 1_000_000;
    return { gtid, id: idOfMariadbGtid(gtid), commitTimeUs, begun: !standalone, xa, rowCount: 0 };
  }
  const { gtid, commitTimeUs } = type === eventType.gtidTagged ? parseTaggedGtid(event) : parseGtid(event);
  return { gtid, id: gtid && idOfGtid(gtid), commitTimeUs, begun: false, xa: false, rowCount: 0 };
}

/** Of a BEGIN with nothing before it. */
export function groupWithoutId(event: Buffer): Group {
  const commitTimeUs = header.seconds(event) * 1_000_000;
  return { gtid: undefined, id: undefined, commitTimeUs, begun: true, xa: false, rowCount: 0 };
}
