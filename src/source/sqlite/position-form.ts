// What positions of SQLite files mean to those who do not read their source. Numbers count within one installation of our change
// tables; while snapshots are pending, positions at one change differ in the tables that still wait.
import { positionToken, type PositionForm } from '../../core/position.js';
import { parsePosition, type SqlitePosition } from './position.js';

export const sqlitePositions: PositionForm = {
  reads: (position) => position.startsWith('{"capture":'),
  contains(a, b) {
    if (a === b) return true;
    const [x, y] = [parsed(a), parsed(b)];
    if (x === undefined || y === undefined || x.capture !== y.capture) return false;
    if (x.sequence !== y.sequence) return x.sequence > y.sequence;
    return x.pending.every((table) => y.pending.includes(table));
  },
  print(position) {
    const of = parsed(position);
    if (of === undefined) return position;
    return of.pending.length === 0
      ? `change ${of.sequence}`
      : `change ${of.sequence} (${of.pending.length} snapshots pending)`;
  },
  token(position) {
    const of = parsed(position);
    if (of === undefined) return positionToken(position.slice(0, 16), position);
    return of.pending.length === 0 ? String(of.sequence) : positionToken(String(of.sequence), position);
  },
};

function parsed(text: string): SqlitePosition | undefined {
  try {
    return parsePosition(text);
  } catch {
    return undefined; // not ours after all: it is treated as opaque
  }
}
