// The files of queries/: applied at start in the order of their names, statement by statement. What is there already from the same text
// is left as it is; a statement whose sources are not there yet waits. A file that is wrong is reported with file, line and excerpt.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, toAppError } from './core/errors.js';
import { parseStatements } from './sql/parser/parse.js';
import { printStatement } from './sql/print/statement.js';
import type { EngineApi } from './threads/engine-api.js';
import type { Remote } from './threads/rpc.js';

export interface QueryFile {
  readonly name: string;
  readonly statements: readonly { readonly sql: string; readonly line: number }[];
}

/** Parses all files before anything is started, so that a typing error costs nothing. */
export function readQueryFiles(folder: string): readonly QueryFile[] {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => name.endsWith('.sql'))
      .toSorted();
  } catch (cause) {
    throw new AppError('bad-config', `cannot read the folder of queries ${folder}`, {
      cause,
      place: { path: 'queries' },
    });
  }
  return names.map((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    try {
      return {
        name,
        statements: parseStatements(text).map((parsed) => ({ sql: parsed.text, line: parsed.place.line })),
      };
    } catch (error) {
      throw inFile(error, name);
    }
  });
}

/** Applies the files; `sameAs` tells the SQL of what exists under the name that a statement makes. */
export async function applyQueryFiles(files: readonly QueryFile[], engine: Remote<EngineApi>): Promise<void> {
  const present = new Set((await engine.queries()).map((query) => normal(query.sql)));
  for (const file of files) {
    for (const { sql, line } of file.statements) {
      if (present.has(normal(sql))) continue;
      try {
        await engine.executeOrWait({ sql, owner: 'file', file: file.name });
      } catch (error) {
        throw inFile(error, file.name, line);
      }
    }
  }
}

/** The statement's meaning as text, so that another layout of the same statement is the same. */
function normal(sql: string): string {
  return parseStatements(sql)
    .map(({ ast }) => printStatement(ast))
    .join(';');
}

function inFile(error: unknown, file: string, firstLine = 1): AppError {
  const known = toAppError(error);
  if (known.code === 'internal') return known;
  const place = { ...known.place, file, line: (known.place?.line ?? 1) + firstLine - 1 };
  return new AppError('bad-query-file', `${file}:${place.line}: ${known.message}`, {
    detail: known.detail,
    hint: known.hint,
    place,
    cause: error,
  });
}
