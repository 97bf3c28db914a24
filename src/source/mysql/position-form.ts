// What positions of MySQL and MariaDB mean to those who do not read their source: which contains which, and how they are shown. While a
// snapshot runs, positions at one place of the stream differ in its cursor, which has no order of its own: of those, the one without a
// cursor (the snapshot is done) contains the others.
import { positionToken, type PositionForm } from '../../core/position.js';
import { contains, parsePosition, printCursor, type Position } from './position.js';

export const mysqlPositions: PositionForm = {
  reads: (position) => position.startsWith('{"kind":"'),
  contains(a, b) {
    if (a === b) return true;
    const [x, y] = [parsed(a), parsed(b)];
    if (x === undefined || y === undefined || !contains(x.stream, y.stream)) return false;
    if (cursorOf(x) === cursorOf(y) || !contains(y.stream, x.stream)) return true;
    return x.snapshot === undefined && x.moved !== true;
  },
  print(position) {
    const of = parsed(position);
    if (of === undefined) return position;
    const { stream, snapshot } = of;
    const place = stream.kind === 'file' ? `${stream.at.file}:${stream.at.offset}` : stream.gtids.toString();
    if (snapshot === undefined) return of.moved === true ? `${place} (set by hand)` : place;
    if (snapshot.only) return `${place} (reading again ${snapshot.again?.join(', ')})`;
    return `${place} (snapshot at ${snapshot.table ?? 'its beginning'})`;
  },
  token(position) {
    const of = parsed(position);
    if (of === undefined) return positionToken(position.slice(0, 16), position);
    const { stream, snapshot, moved } = of;
    const whole = snapshot === undefined && moved !== true;
    switch (stream.kind) {
      case 'file':
        return short(`${stream.at.file}:${stream.at.offset}`, whole, position);
      case 'mariadb-gtid':
        return short(stream.gtids.toString(), whole, position);
      case 'mysql-gtid': {
        const newest = stream.gtids.newest;
        return positionToken(newest === undefined ? '' : `${newest.uuid.slice(0, 8)}:${newest.number}`, position);
      }
    }
  },
};

function short(place: string, whole: boolean, position: string): string {
  if (whole && place.length <= 64 && /^[\x21-\x7d]*$/.test(place)) return place;
  return positionToken(place.slice(0, 64), position);
}

function cursorOf({ snapshot, moved }: Position): string {
  return `${snapshot === undefined ? '' : printCursor(snapshot)}${moved ? ',moved' : ''}`;
}

// One long set is asked about again and again, against ever newer ones: the last few stay parsed.
const known = new Map<string, Position | undefined>();
const knownMax = 16;

function parsed(text: string): Position | undefined {
  if (known.has(text)) return known.get(text);
  let position: Position | undefined;
  try {
    position = parsePosition(text);
  } catch {
    // Not ours after all: it is treated as opaque.
  }
  if (known.size >= knownMax) known.delete(known.keys().next().value!);
  known.set(text, position);
  return position;
}
