/**
 * What a record has under a name that comes from outside. Read plainly, every record has a `constructor` and a `__proto__`. (And what such
 * names lead to is put into a record by `Object.fromEntries`, since an assignment to `__proto__` is none.)
 */
export function own<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}
