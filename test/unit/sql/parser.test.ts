import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/core/errors.js';
import { parseStatements } from '../../../src/sql/parser/parse.js';
import { printStatement } from '../../../src/sql/print/statement.js';
import { statement } from '../../support/ast-arbitraries.js';
import { sqlText } from '../../support/sql-text.js';

const withoutPlaces = (node: unknown): unknown =>
  JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === 'place' ? undefined : value)));

function errorOf(text: string): AppError {
  try {
    parseStatements(text);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it parsed');
}

const printed = (text: string): string =>
  parseStatements(text)
    .map((s) => printStatement(s.ast))
    .join('; ');

describe('parseStatements', () => {
  it('gives back the tree that was printed', () => {
    fc.assert(
      fc.property(statement, (tree) => {
        const text = printStatement(tree);
        const [parsed, ...more] = parseStatements(`${text};`);
        expect(more).toEqual([]);
        expect(withoutPlaces(parsed!.ast)).toEqual(withoutPlaces(tree));
      }),
      { numRuns: 1500 },
    );
  });

  it('throws nothing but AppErrors on whatever text', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        try {
          parseStatements(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          expect((error as AppError).code).toBe('syntax-error');
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('binds operators as SQL does', () => {
    expect(printed('SELECT a + b * -c || d FROM t WHERE NOT a = 1 AND b > 2 OR c IS NOT NULL')).toBe(
      'SELECT ((a + (b * -c)) || d) FROM t WHERE (((NOT (a = 1)) AND (b > 2)) OR (c IS NOT NULL))',
    );
    expect(printed("SELECT a->b[1]->c, m['k'] FROM t")).toBe("SELECT a->b[1]->c, m['k'] FROM t");
    expect(printed('SELECT a BETWEEN 1 AND 2 AND b FROM t')).toBe('SELECT ((a BETWEEN 1 AND 2) AND b) FROM t');
  });

  it('knows an alias from a clause', () => {
    expect(printed('SELECT * FROM t emit EMIT CHANGES')).toBe('SELECT * FROM t AS emit EMIT CHANGES');
    expect(printed('SELECT a b FROM t PARTITION BY a')).toBe('SELECT a AS b FROM t PARTITION BY (a)');
    expect(printed('SELECT * FROM t LEFT JOIN u ON t.a = u.a')).toBe('SELECT * FROM t LEFT JOIN u ON (t.a = u.a)');
  });

  it('gives each statement its text and place', () => {
    const statements = parseStatements('-- first\nSHOW TABLES ;;  SHOW\n STREAMS');
    expect(statements.map(({ text, place }) => ({ text, place }))).toEqual([
      { text: 'SHOW TABLES ;', place: { line: 2, column: 1 } },
      { text: 'SHOW\n STREAMS', place: { line: 2, column: 17 } },
    ]);
  });

  it('shows the place of an error with a caret', () => {
    const error = errorOf('SHOW TABLES;\n  SELECT a FORM t;');
    expect(error.code).toBe('syntax-error');
    expect(error.place).toEqual({ line: 2, column: 17 });
    expect(error.message).toContain('line 2:17: Syntax Error');
    expect(error.detail).toBe('SELECT a FORM t;\n              ^');
  });

  it('hints at a misspelt word and at a reserved one', () => {
    expect(errorOf('SELCT * FROM t;').hint).toBe('did you mean SELECT?');
    expect(errorOf('SELECT from FROM t;').message).toContain("Syntax error at or near 'from' at line 1:8");
  });

  it('refuses what would exhaust the stack', () => {
    expect(errorOf(`SELECT ${'('.repeat(12_000)} FROM t;`).message).toContain('nests deeper');
    expect(errorOf(`SELECT a${' + a'.repeat(12_000)} FROM t;`).message).toContain('more than 1000 operators');
    expect(errorOf(`SELECT ${'NOT '.repeat(12_000)} a FROM t;`).message).toContain('nests deeper');
    expect(errorOf(`SELECT ${'- '.repeat(12_000)} a FROM t;`).message).toContain('nests deeper');
    expect(errorOf(`SELECT a${'[1]'.repeat(12_000)} FROM t;`).message).toContain('operators');
    expect(errorOf(`CREATE TABLE t (a INT${' ARRAY'.repeat(12_000)});`).message).toContain('operators');
  });
});

describe('variables', () => {
  it('stand for names, values and parts of texts', () => {
    const [, parsed] = parseStatements(
      "DEFINE t = 'orders'; SELECT ${c} FROM ${T} WHERE name = '${who}''s ${other}';",
      {
        variables: { c: 'a, b', who: "O'Hara" },
      },
    );
    expect(parsed!.text).toBe("SELECT a, b FROM orders WHERE name = 'O''Hara''s ${other}';");
  });

  it('are gone after UNDEFINE, and unknown ones are refused', () => {
    expect(() => parseStatements("DEFINE a = '1'; UNDEFINE a; SHOW ${a};")).toThrow('the variable "a" is not defined');
  });

  it('cannot hold variables', () => {
    expect(() => parseStatements("DEFINE a = '${b}'; SELECT ${a} FROM t;", { variables: {} })).toThrow('cannot hold');
  });
});
