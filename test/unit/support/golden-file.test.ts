import { describe, expect, it } from 'vitest';
import { parseGolden, rewriteGolden, type GoldenStep } from '../../support/golden/golden-file.js';

const text = `# a title
statement ok
CREATE TABLE a;
CREATE TABLE b;
ingest a
@5 1  {"x": 1}
k,2  -
{"x": 2}
query SELECT *
FROM a;
x=1

changes b
error SELECT nope;
old message
# the end
`;

describe('the golden language', () => {
  it('reads its steps', () => {
    expect(parseGolden(text)).toEqual([
      { kind: 'statement', line: 2, sql: 'CREATE TABLE a;\nCREATE TABLE b;' },
      {
        kind: 'ingest',
        line: 5,
        source: 'a',
        records: [
          { rowtimeMs: 5, key: '1', value: '{"x": 1}' },
          { rowtimeMs: 0, key: 'k,2', value: null },
          { rowtimeMs: 0, key: '', value: '{"x": 2}' },
        ],
      },
      { kind: 'query', line: 9, text: 'SELECT *\nFROM a;', expected: ['x=1'], expectedAt: 10 },
      { kind: 'changes', line: 13, text: 'b', expected: [], expectedAt: 13 },
      { kind: 'error', line: 14, text: 'SELECT nope;', expected: ['old message'], expectedAt: 14 },
    ]);
  });

  it('rewrites what was expected and nothing else', () => {
    const steps = parseGolden(text);
    const same = new Map<GoldenStep, readonly string[]>();
    for (const step of steps) if ('expected' in step) same.set(step, step.expected);
    expect(rewriteGolden(text, same)).toBe(text);
    const [, , query, changes, error] = steps as [GoldenStep, GoldenStep, GoldenStep, GoldenStep, GoldenStep];
    const rewritten = rewriteGolden(
      text,
      new Map([
        [query, []],
        [changes, ['set x=1', 'delete x=1']],
        [error, ['new']],
      ]),
    );
    expect(rewritten).toContain('FROM a;\n\nchanges b\nset x=1\ndelete x=1\nerror SELECT nope;\nnew\n# the end\n');
    expect(parseGolden(rewritten)).toHaveLength(steps.length);
  });

  it('refuses a line that belongs to no step', () => {
    expect(() => parseGolden('SELECT 1;')).toThrow('line 1');
    expect(() => parseGolden('ingest a\nnonsense\n')).toThrow('line 2');
  });
});
