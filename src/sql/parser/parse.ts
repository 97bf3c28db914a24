// Text to syntax trees: the entry of the parser. DEFINE and UNDEFINE take effect on the statements behind them in the text.
import { bounds } from '../../core/bounds.js';
import type { AppError } from '../../core/errors.js';
import type { StatementNode } from '../ast.js';
import { namingStatement, tooLarge, withExcerpt, type Place } from '../sql-error.js';
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
  /** Where the text may be longer than that of a request. */
  readonly textMax?: number | undefined;
  /** The text is of statements that were taken before, perhaps under other bounds, and stand. */
  readonly accepted?: boolean | undefined;
}

/** Of a file of queries. */
export const fileTextMax = 16 * bounds.sqlText.value;

/** All statements of a text, or `syntax-error` with place and excerpt; `statement-too-large` before anything is made of it. */
export function parseStatements(text: string, options: ParseOptions = {}): ParsedStatement[] {
  const { accepted = false, textMax = accepted ? Infinity : bounds.sqlText.value } = options;
  if (text.length > textMax) throw tooLong(textMax, `the SQL text has ${text.length} characters`);
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(options.variables ?? {})) variables.set(name.toLowerCase(), value);
  try {
    const tokensMax = Math.floor((bounds.sqlTokens.value * textMax) / bounds.sqlText.value);
    const statements = splitStatements(text, tokensMax);
    const countMax = accepted ? Infinity : bounds.sqlStatements.value;
    if (statements.length > countMax) {
      const { place } = statements[countMax]!;
      throw tooLarge(place, `the SQL text has ${statements.length} statements`, `send ${countMax} at most at once`);
    }
    let left = textMax;
    const grow = (characters: number) => {
      if ((left -= characters) < 0) throw tooLong(textMax, 'the SQL text becomes too long by its variables');
    };
    return statements.map((statement) => parseOne(statement, { variables, grow, tokensMax, accepted }));
  } catch (error) {
    throw withExcerpt(error, text, { line: 1, column: 1 });
  }
}

function tooLong(textMax: number, message: string): AppError {
  return tooLarge(undefined, message, `${textMax} characters at most`);
}

interface Parsing {
  readonly variables: Map<string, string>;
  readonly grow: (characters: number) => void;
  readonly tokensMax: number;
  readonly accepted: boolean;
}

function parseOne(written: StatementText, { variables, grow, tokensMax, accepted }: Parsing): ParsedStatement {
  const statement = substituteVariables(written, variables as Variables, { grow, tokensMax });
  try {
    const cursor = new TokenReader(statement.tokens, accepted ? Infinity : bounds.sqlName.value);
    const ast = parseStatement(cursor);
    cursor.expectEnd();
    if (ast.kind === 'define') variables.set(ast.name.text.toLowerCase(), ast.value);
    if (ast.kind === 'undefine') variables.delete(ast.name.text.toLowerCase());
    return { ast, text: statement.text, place: statement.place };
  } catch (error) {
    throw withExcerpt(namingStatement(error, statement.text), statement.text, statement.place);
  }
}
