// The labels of ENUM and SET, out of the text that the server has for the type of a column.

/** By the name of the column, in their order. */
export type ColumnLabels = ReadonlyMap<string, readonly string[]>;

export function labelsOf(text: string): string[] {
  return (text.match(/'(?:[^']|'')*'/g) ?? []).map((label) => label.slice(1, -1).replaceAll("''", "'"));
}
