// What ReplaceField makes of the name of a field.
import type { TransformStep } from './transform-step.js';

/** Undefined: the field is taken away. */
export function replacedName(
  { exclude, include, renames }: TransformStep & { kind: 'replace' },
  name: string,
): string | undefined {
  if (exclude.includes(name) || (include.length > 0 && !include.includes(name))) return undefined;
  return Object.hasOwn(renames, name) ? renames[name] : name;
}
