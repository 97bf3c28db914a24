// Where the stream has to begin for a position to go on: before it, where transactions are prepared whose rows have to come again, or where
// the command that asks for a dump cannot name the place.
import { GtidSet } from './gtid-set.js';
import { MariadbPosition } from './mariadb-gtid.js';
import type { FileOffset, StreamPosition } from './position.js';
import type { Prepared } from './prepared.js';

/** The command for a dump has 32 bits for the place in a file. */
const placeMax = 2 ** 32 - 1;
const firstPlace = 4;

export function beginOf(position: StreamPosition, prepared: readonly Prepared[]): StreamPosition {
  const returning = prepared.filter(({ from }) => from !== null);
  switch (position.kind) {
    case 'mysql-gtid': {
      const gtids = GtidSet.parse(position.gtids.toString());
      for (const { id } of returning) gtids.subtract(GtidSet.parse(id));
      return { kind: 'mysql-gtid', gtids };
    }
    case 'mariadb-gtid': {
      const domains = new Map(
        position.gtids
          .toString()
          .split(',')
          .map((gtid) => [domainOf(gtid), gtid] as const),
      );
      // In the order in which they were prepared: the first of a domain counts.
      for (const { id, from } of returning.toReversed()) domains.set(domainOf(id), from!);
      return { kind: 'mariadb-gtid', gtids: MariadbPosition.parse([...domains.values()].filter(Boolean).join(',')) };
    }
    case 'file': {
      const at = returning[0] === undefined ? position.at : parsePlace(returning[0].from!);
      return { ...position, at: at.offset > placeMax ? { file: at.file, offset: firstPlace } : at };
    }
  }
}

export function domainOf(gtid: string): string {
  return gtid.slice(0, gtid.indexOf('-'));
}

export function printPlace({ file, offset }: FileOffset): string {
  return `${file}:${offset}`;
}

function parsePlace(text: string): FileOffset {
  const colon = text.lastIndexOf(':');
  return { file: text.slice(0, colon), offset: Number(text.slice(colon + 1)) };
}
