// Session variables of a request: `${name}` in its SQL text is replaced before anything reads it, as ksqlDB does. An unknown
// name stays as it is written.
import { assertSqlText } from './statement-kind.js';

export function substituteVariables(sql: string, variables: Readonly<Record<string, string>>): string {
  let size = sql.length;
  assertSqlText(size);
  if (Object.keys(variables).length === 0) return sql;
  const byName = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]));
  return sql.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = byName.get(name.toLowerCase()) ?? whole;
    assertSqlText((size += value.length - whole.length));
    return value;
  });
}
