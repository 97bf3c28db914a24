// Names as SQL text. Everything that is quoted here is a name that the file itself gave us.

/** A quoted identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A quoted string. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What we add to a file: every name of ours, whatever connector it belongs to, has this form. */
export function isOurs(name: string): boolean {
  return /^_wt_[a-z0-9_]+_(?:meta|tables|changes|displaced_\d+)$/.test(name);
}
