// Renames of topics as Java's Matcher does them: the pattern has to match the whole name, `$1` and `${name}` are groups, a backslash
// takes the character behind it as it is.
import { compilePattern } from '../../core/pattern.js';

/** Undefined: the pattern does not match. Throws for a group that there is not. */
export function renamed(topic: string, regex: string, replacement: string): string | undefined {
  const groups = compilePattern(regex, { ignoreCase: false }).groups(topic);
  if (groups === undefined) return undefined;
  return replacement.replaceAll(
    /\\(.)|\$\{([A-Za-z]\w*)\}|\$(\d)/g,
    (_, escaped: string, name: string, digit: string) => {
      if (escaped !== undefined) return escaped;
      const group = name ?? digit;
      if (!groups.has(group)) throw new Error(`the pattern has no group ${group}`);
      return groups.get(group) ?? '';
    },
  );
}

/** Why a rename cannot be done, whatever the topic. */
export function renameProblem(regex: string, replacement: string): string | undefined {
  try {
    // With an alternative that is empty every pattern matches, and its groups are there.
    renamed('', `(?:${regex})|`, replacement);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
