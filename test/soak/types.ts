// Every column type and every character of every character set of a server, from snapshot and from binlog, against the server's own
// casts and conversions. The matrix is run in rounds with seeds of their own until there are enough values.
import { createDatabase, type SqlAddress } from '../support/servers/sql-client.js';
import { compareTexts } from '../support/source/every-text.js';
import { compareTypes } from '../support/source/every-type.js';
import type { Figures } from '../support/harness/figures.js';

export interface TypesOptions {
  readonly server: SqlAddress;
  readonly seed: number;
  /** Of the matrix, at least; both paths count. */
  readonly values: number;
  readonly tell: (line: string) => void;
}

export async function runTypes({ server, seed, values, tell }: TypesOptions): Promise<Figures> {
  const began = performance.now();
  let compared = 0;
  let rounds = 0;
  let types = 0;
  for (; compared < values; rounds++) {
    const figures = await inDatabase(server, (database) =>
      compareTypes({ server, database }, { rows: 100, seed: seed + rounds }),
    );
    refuse(figures.differences);
    compared += figures.values;
    types = figures.types;
    tell(`${server.product}: ${compared} values of ${types} types`);
  }
  const texts = await inDatabase(server, (database) => compareTexts({ server, database }, { step: 1, seed }));
  refuse(texts.differences);
  tell(`${server.product}: ${texts.characters} characters of ${texts.charsets} character sets`);
  return {
    server: server.version,
    types,
    rounds,
    'values compared': compared,
    'character sets': texts.charsets,
    'characters compared': texts.characters,
    differences: 0,
    seconds: (performance.now() - began) / 1000,
  };
}

async function inDatabase<T>(server: SqlAddress, run: (database: string) => Promise<T>): Promise<T> {
  const database = await createDatabase(server, 'types');
  try {
    return await run(database.name);
  } finally {
    await database.drop();
  }
}

function refuse(differences: readonly string[]): void {
  if (differences.length > 0) throw new Error(`served values differ from the server's:\n${differences.join('\n')}`);
}
