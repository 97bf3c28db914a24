// The one rule by which names of tables, columns and queries are told apart: without regard to the case of letters. Everything that looks a
// name up by this rule, on any thread, uses this function; no other folding of names is allowed beside it.

/**
 * What equal names have in common. Letters of every script are folded one by one, so that the key is as long as the name: `ß` stays (in
 * upper case it would become `SS` and meet another name), and so does the Turkish `İ` (in lower case it would become two characters).
 * Where languages disagree the plain letters win: `I`, `i` are one name, `ı` and `İ` are others. Idempotent.
 */
export function nameKey(name: string): string {
  // Nearly every name is plain letters, where the engine's own loop is right.
  if (!unusual.test(name)) return name.toUpperCase();
  let key = '';
  for (const letter of name) key += foldLetter(letter);
  return key;
}

/** Two names for the same thing. */
export function sameName(a: string, b: string): boolean {
  return a === b || nameKey(a) === nameKey(b);
}

const unusual = /[^ -~]/;

/** A letter whose upper case is one letter of its own that leads back to it; any other stays as it is. */
function foldLetter(letter: string): string {
  const upper = letter.toUpperCase();
  return upper.length === letter.length && upper.toLowerCase() === letter ? upper : letter;
}

/** Whether what a connector has captured under `database.table` is no table of its source, but records beside those of rows. */
export function isSideTable(name: string): boolean {
  return name.startsWith('.');
}
