// The one text that names a table of a source: `database.table`, as people write it, in positions, documents and messages. A part that
// holds a dot (or a backtick) is written between backticks, since `a`.`b.c` and `a.b`.`c` are two tables and would share one text.

export interface TableRef {
  readonly database: string;
  readonly table: string;
}

export function qualifiedName({ database, table }: TableRef): string {
  return `${part(database)}.${part(table)}`;
}

/** Of what `qualifiedName` wrote; a text without a dot is a database of its own. */
export function splitName(name: string): TableRef {
  const quoted = /^`((?:[^`]|``)*)`/.exec(name);
  const end = quoted === null ? name.indexOf('.') : quoted[0].length;
  return { database: whole(name.slice(0, end)), table: whole(name.slice(end + 1)) };
}

function part(text: string): string {
  return /[.`]/.test(text) ? `\`${text.replaceAll('`', '``')}\`` : text;
}

function whole(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1).replaceAll('``', '`') : text;
}
