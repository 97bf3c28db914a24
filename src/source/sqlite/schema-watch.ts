// Looks what has become of the tables whenever the schema of the file has changed since the last look.
import type { SqliteDatabase } from '../../sqlite/database.js';
import type { SqliteSourceConfig } from './config.js';
import { checkPosition } from './history.js';
import { schemaVersion, type InstalledTable, type RefusedTable } from './install.js';
import type { SqlitePosition } from './position.js';
import { SchemaMoves } from './schema-moves.js';
import { surveyTables, type Survey, type UninstalledTables } from './table-survey.js';

export interface SchemaLook {
  readonly config: SqliteSourceConfig;
  readonly position: SqlitePosition;
  readonly installed: readonly InstalledTable[];
  readonly others: UninstalledTables;
}

export class SchemaWatch {
  readonly moves = new SchemaMoves();
  #seen = -1;
  /** Tables that could not be installed, as they were then. */
  readonly #uncapturable = new Map<string, string>();

  uncapturable({ table }: RefusedTable): void {
    this.#uncapturable.set(table.name, JSON.stringify(table));
  }

  /** Inside the read transaction, so that what is checked is what is read. Undefined: the schema is that of the last look. */
  look(reader: SqliteDatabase, { config, position, installed, others }: SchemaLook): Survey | undefined {
    const version = schemaVersion(reader);
    this.moves.look(version);
    if (version === this.#seen) return undefined;
    // First, since a restored file may have other tables too, and that is then not what is wrong with it.
    checkPosition(reader, config, position);
    const survey = surveyTables(reader, config, installed, others);
    this.#seen = version;
    const called = survey.called.filter(({ table }) => this.#uncapturable.get(table.name) !== JSON.stringify(table));
    return { ...survey, called };
  }
}
