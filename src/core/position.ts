// The port of positions. To the log and to the store a position is opaque text of the source that wrote it; what it *means* is known by
// the source's family, which gives a form. A position is a set ("everything of these transactions"), so two of them need not be in any
// order: after a failover each may hold what the other lacks.
// Laws (test/unit/core/position.test.ts runs them over every form): `contains` is reflexive and transitive; of one producer's positions
// a later one contains every earlier one; equal texts have equal tokens, and different ones practically never do.
import { hash } from 'node:crypto';

export interface PositionForm {
  /** Whether the text is a position of this family. Cheap: asked before each of the others. */
  reads(position: string): boolean;
  /**
   * Everything that a source had committed at `b` is contained in `a`. Of two families, or of two histories of one (another server's
   * binlog files, a file whose capture was set up anew), neither contains the other. Never throws: what it cannot read contains itself.
   */
  contains(a: string, b: string): boolean;
  /** The whole, as the source's own tools write it: a set of GTIDs, `binlog.000003:1234`, a change number. */
  print(position: string): string;
  /**
   * Short (at most `tokenLengthMax`) and stable ASCII for headers and lists, however long the position is: where it stands, and, if that
   * is not the whole, `~` and a hash of the whole. Good for comparing and for the eye; what is waited for is the whole.
   */
  token(position: string): string;
}

export const tokenLengthMax = 80;

/** -1: `a` lies before `b`; 0: they hold the same; 1: behind it; undefined: each may hold what the other lacks. */
export function comparePositions(form: PositionForm, a: string, b: string): -1 | 0 | 1 | undefined {
  const [behind, before] = [form.contains(a, b), form.contains(b, a)];
  if (behind && before) return 0;
  return behind ? 1 : before ? -1 : undefined;
}

/** `head`, and what tells positions with the same head apart. */
export function positionToken(head: string, whole: string): string {
  return `${head.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, tokenLengthMax - 9)}~${hash('sha1', whole, 'hex').slice(0, 8)}`;
}

/** Text that no family knows: it contains itself and nothing else. */
export const opaquePositions: PositionForm = {
  reads: () => true,
  contains: (a, b) => a === b,
  print: (position) => position,
  token: (position) =>
    position.length <= 40 && /^[\x21-\x7d]*$/.test(position)
      ? position
      : positionToken(position.slice(0, 16), position),
};

/** The form that each position's own text asks for. */
export function positionsOf(families: readonly PositionForm[]): PositionForm {
  const of = (position: string) => families.find((form) => form.reads(position)) ?? opaquePositions;
  return {
    reads: () => true,
    contains: (a, b) => a === b || of(a).contains(a, b),
    print: (position) => of(position).print(position),
    token: (position) => of(position).token(position),
  };
}
