// Words that cannot be a name without quotes, because they would make a clause ambiguous. Fewer than ksqlDB reserves: a column
// called `size` or `topic` needs no quotes here. The printer quotes by the same list.

export const reservedWords: ReadonlySet<string> = new Set(
  (
    'SELECT FROM AS ALL DISTINCT WHERE WITHIN WINDOW GROUP BY HAVING LIMIT OR AND IN NOT EXISTS BETWEEN LIKE IS NULL ' +
    'TRUE FALSE CASE WHEN THEN ELSE END JOIN FULL OUTER INNER LEFT RIGHT ON WITH VALUES CREATE INSERT INTO DELETE DROP ' +
    'DESCRIBE CAST STREAM TABLE'
  ).split(' '),
);

/** True when the text can stand as a name as it is. */
export function isPlainName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_@]*$/.test(text) && !reservedWords.has(text.toUpperCase());
}
