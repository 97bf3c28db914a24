// Session variables of a request: `${name}` in its SQL text is replaced before anything reads it, as ksqlDB does. An unknown
// name stays as it is written.
export function substituteVariables(sql: string, variables: Readonly<Record<string, string>>): string {
  if (Object.keys(variables).length === 0) return sql;
  const byName = new Map(Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]));
  return sql.replace(/\$\{(\w+)\}/g, (whole, name: string) => byName.get(name.toLowerCase()) ?? whole);
}
