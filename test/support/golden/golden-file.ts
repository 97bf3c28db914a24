// The language of golden files: steps, each a line that says what to do, with its lines below it up to the next step, a comment
// or an empty line.
//
//   statement ok          statements follow, which must be accepted
//   ingest NAME           records of a stream or table follow: `[@rowtime] key {json}`, `key -` deletes, `,` between key columns
//   query SQL;            rows follow: `column=value ...`
//   changes NAME          what came out of a query since the last look follows: `set ...`, `delete key`, `fact ...`
//   error SQL;            a part of the message follows
//
// Rewriting puts what really came in place of what was expected; comments and everything else stay as they are.
export type GoldenStep =
  | { readonly kind: 'statement'; readonly line: number; readonly sql: string }
  | {
      readonly kind: 'ingest';
      readonly line: number;
      readonly source: string;
      readonly records: readonly GoldenRecord[];
    }
  | {
      readonly kind: 'query' | 'changes' | 'error';
      readonly line: number;
      /** SQL, or the name for `changes`. */
      readonly text: string;
      readonly expected: readonly string[];
      /** Index of the first expected line in the file. */
      readonly expectedAt: number;
    };

export interface GoldenRecord {
  readonly rowtimeMs: number;
  readonly key: string;
  /** JSON text; null deletes. */
  readonly value: string | null;
}

const directive = /^(statement ok$|ingest |query |changes |error )/;

export function parseGolden(text: string): readonly GoldenStep[] {
  const lines = text.split('\n');
  const steps: GoldenStep[] = [];
  let at = 0;

  const isBody = (line: string | undefined): line is string =>
    line !== undefined && line !== '' && !line.startsWith('#') && !directive.test(line);
  const body = (): string[] => {
    const from = at;
    while (isBody(lines[at])) at++;
    return lines.slice(from, at);
  };

  while (at < lines.length) {
    const line = at + 1;
    const head = lines[at++]!;
    if (head === '' || head.startsWith('#')) continue;
    const word = directive.exec(head)?.[1]?.trim();
    if (word === undefined) throw new Error(`line ${line}: neither a step nor part of one: ${head}`);
    let rest = head.slice(word.length).trim();
    switch (word) {
      case 'statement ok':
        steps.push({ kind: 'statement', line, sql: body().join('\n') });
        break;
      case 'ingest':
        steps.push({
          kind: 'ingest',
          line,
          source: rest,
          records: body().map((record, i) => parseRecord(record, line + i + 1)),
        });
        break;
      case 'query':
      case 'error':
      case 'changes':
        // A statement goes on to the line that ends it.
        if (word !== 'changes') while (!rest.endsWith(';') && at < lines.length) rest += `\n${lines[at++]!}`;
        steps.push({ kind: word, line, text: rest, expectedAt: at, expected: body() });
        break;
      default:
        throw new Error(`line ${line}: unknown step ${word}`);
    }
  }
  return steps;
}

function parseRecord(text: string, line: number): GoldenRecord {
  const match = /^(?:@(\d+)\s+)?(?:(\S+)\s+)?(\{.*\}|-)$/.exec(text);
  if (match === null) throw new Error(`line ${line}: a record is "key {json}" or "key -": ${text}`);
  const [, rowtime, key, value] = match;
  return { rowtimeMs: Number(rowtime ?? 0), key: key ?? '', value: value === '-' ? null : value! };
}

/** The text with other expected lines; `actual` by step. */
export function rewriteGolden(text: string, actual: ReadonlyMap<GoldenStep, readonly string[]>): string {
  const lines = text.split('\n');
  const steps = [...actual].toReversed();
  for (const [step, found] of steps) {
    if (step.kind === 'statement' || step.kind === 'ingest') continue;
    lines.splice(step.expectedAt, step.expected.length, ...found);
  }
  return lines.join('\n');
}
