// Text to syntax trees: the entry of the parser. DEFINE and UNDEFINE take effect on the statements behind them in the text.
import type { StatementNode } from '../ast.js';
import { namingStatement, withExcerpt, type Place } from '../sql-error.js';
import { splitStatements, substituteVariables, type StatementText, type Variables } from '../split.js';
import { TokenReader } from './token-reader.js';
import { parseStatement } from './statement.js';

export interface ParsedStatement {
  readonly ast: StatementNode;
  /** As written, variables put in. */
  readonly text: string;
  readonly place: Place;
}

export interface ParseOptions {
  /** Session variables by name. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

/** All statements of a text, or `syntax-error` with place and excerpt. */
export function parseStatements(text: string, options: ParseOptions = {}): ParsedStatement[] {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(options.variables ?? {})) variables.set(name.toLowerCase(), value);
  try {
    return splitStatements(text).map((statement) => parseOne(statement, variables));
  } catch (error) {
    throw withExcerpt(error, text, { line: 1, column: 1 });
  }
}

function parseOne(written: StatementText, variables: Map<string, string>): ParsedStatement {
  const statement = substituteVariables(written, variables as Variables);
  try {
    const cursor = new TokenReader(statement.tokens);
    const ast = parseStatement(cursor);
    cursor.expectEnd();
    if (ast.kind === 'define') variables.set(ast.name.text.toLowerCase(), ast.value);
    if (ast.kind === 'undefine') variables.delete(ast.name.text.toLowerCase());
    return { ast, text: statement.text, place: statement.place };
  } catch (error) {
    throw withExcerpt(namingStatement(error, statement.text), statement.text, statement.place);
  }
}
