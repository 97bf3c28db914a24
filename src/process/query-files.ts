// The files of queries/: applied at start in the order of their names, statement by statement. What is there already from the same text
// is left as it is; a statement whose sources are not there yet waits. A file that is wrong is reported with file, line and excerpt.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, toAppError } from '../core/errors.js';
import { fileTextMax, parseStatements } from '../sql/parser/parse.js';
import type { EngineApi } from '../engine/engine-api.js';
import type { Remote } from '../threads/rpc.js';

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
        statements: parseStatements(text, { textMax: fileTextMax }).map((parsed) => ({
          sql: parsed.text,
          line: parsed.place.line,
        })),
      };
    } catch (error) {
      throw inFile(error, name);
    }
  });
}

/** Applies the files, each statement by itself: what is there already is told by the engine. */
export async function applyQueryFiles(files: readonly QueryFile[], engine: Remote<EngineApi>): Promise<void> {
  for (const file of files) {
    for (const { sql, line } of file.statements) {
      try {
        await engine.executeOrWait({ sql, owner: 'file', file: file.name });
      } catch (error) {
        throw inFile(error, file.name, line);
      }
    }
  }
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
