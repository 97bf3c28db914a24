// A capture begins, where nothing was handed over yet or the position was given up: what was captured before that is read again in place,
// and what is held of tables that are not captured any more is ended. Or it goes on.
import { sameSchema } from '../../core/schema-change.js';
import { qualifiedName, splitName } from '../../core/table-name.js';
import type { HeldTable, SourceContext } from '../source-connector.js';
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';
import { selectTables, throwErrors } from './filter.js';
import { install, readInstallation, type InstalledTable, type Installation, type RefusedTable } from './install.js';
import { tableNames } from './table-description.js';
import { refusal, type Survey } from './table-survey.js';
import { sourceTableOf } from './table-types.js';

export interface Beginning {
  readonly config: SqliteSourceConfig;
  readonly installation: Installation;
  readonly uncapturable: readonly RefusedTable[];
  /** Installed tables of which something is held. */
  readonly again: readonly string[];
  readonly first: readonly string[];
  /** Held tables that are not installed. */
  readonly ended: Survey;
}

/** Throws where the configuration asks for what the file does not have. */
export function beginCapture(writer: SqliteDatabase, given: SqliteSourceConfig, held: readonly HeldTable[]): Beginning {
  const before = new Set(held.map(({ name }) => splitName(name).table));
  // The tables keep their names although the file may have got another.
  const config = held[0] ? { ...given, database: splitName(held[0].name).database } : given;
  const { tables, refused, findings } = selectTables(writer, config);
  throwErrors(findings);
  const uncapturable = install(writer, config, tables);
  const installation = readInstallation(writer, config)!;
  const installed = installation.tables.map(({ description }) => description.name);
  const inFile = new Set(tableNames(writer));
  const left = [...before].filter((name) => !installed.includes(name));
  const reason = (name: string) =>
    uncapturable.find(({ table }) => table.name === name)?.error ?? refusal(name, refused.get(name));
  return {
    config,
    installation,
    uncapturable,
    again: installed.filter((name) => before.has(name)),
    first: installed.filter((name) => !before.has(name)),
    ended: {
      called: [],
      gone: left.filter((name) => !inFile.has(name)),
      refused: left.filter((name) => inFile.has(name)).map((name) => ({ name, error: reason(name) })),
      findings,
    },
  };
}

/** A capture that goes on: tables that are to be read, because what is held of them is not what they are installed as. */
export function calledAtStart(
  installed: readonly InstalledTable[],
  config: SqliteSourceConfig,
  context: Pick<SourceContext, 'recordsOf'>,
  held: readonly HeldTable[],
): readonly { readonly name: string; readonly cause: string }[] {
  return installed.flatMap((table) => {
    const { name } = table.description;
    const before = held.find((each) => each.name === qualifiedName({ database: config.database, table: name }));
    if (!before) return [{ name, cause: 'it was not captured before' }];
    if (!before.schema || sameSchema(before.schema, context.recordsOf(sourceTableOf(table, config)))) return [];
    return [{ name, cause: 'it has other columns than before' }];
  });
}
