// The clauses of ALTER TABLE that leave every row as it is but for columns that come, empty, or go: ADD COLUMN of one that is NULL in the
// rows that are there, DROP COLUMN, and MODIFY. Like neutral clauses they are known by their whole text. What they name is a claim, which
// is held against the columns from before and behind it (altered-tables.ts) before anything follows from it.
import type { Words } from './statement-words.js';

/** Columns as a statement names them. */
export interface ColumnChanges {
  /** NULL in all rows that are there. */
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  /** What a value becomes in the column as it is then depends on what it was before. */
  readonly modified: readonly string[];
}

const keyWords =
  'PRIMARY|INDEX|KEY|UNIQUE|FULLTEXT|SPATIAL|VECTOR|FOREIGN|CONSTRAINT|CHECK|PARTITION|PERIOD|SYSTEM|COLUMN|IF';
const column = String.raw`(?!(?:${keyWords})\b)[^\s(),=.]+`;
const types =
  'TINYINT|SMALLINT|MEDIUMINT|INT|INTEGER|BIGINT|DECIMAL|DEC|NUMERIC|FIXED|FLOAT|DOUBLE(?: PRECISION)?|REAL|BOOL|BOOLEAN|BIT|CHAR|CHARACTER|VARCHAR|BINARY|VARBINARY|TINYTEXT|TEXT|MEDIUMTEXT|LONGTEXT|TINYBLOB|BLOB|MEDIUMBLOB|LONGBLOB|JSON|DATE|TIME|DATETIME|YEAR|ENUM|SET|UUID|INET4|INET6|GEOMETRY|POINT|LINESTRING|POLYGON|MULTIPOINT|MULTILINESTRING|MULTIPOLYGON|GEOMETRYCOLLECTION|VECTOR';
const sized = String.raw`(?: \(\))?(?: (?:UNSIGNED|SIGNED|ZEROFILL))*`;
const text = "(?:''|x)";
const attribute = String.raw`COMMENT ${text}|(?:CHARACTER SET|CHARSET) [^\s(),=]+|COLLATE [^\s(),=]+|INVISIBLE|VISIBLE|SRID \w+|CHECK \(\)`;
const place = String.raw`(?: FIRST| AFTER [^\s(),=.]+)?`;

/** TIMESTAMP is NOT NULL, and has a default, unless it says otherwise, under explicit_defaults_for_timestamp=OFF. */
const emptyColumn = new RegExp(
  String.raw`^ADD (?:COLUMN )?${column} (?:(?:${types})${sized}|TIMESTAMP(?: \(\))? NULL)(?: (?:NULL|DEFAULT NULL|UNIQUE(?: KEY)?|${attribute}))*${place}$`,
);
const droppedColumn = new RegExp(String.raw`^DROP (?:COLUMN )?${column}(?: RESTRICT| CASCADE)?$`);
/** Not AUTO_INCREMENT, which numbers rows that have none. */
const modifiedColumn = new RegExp(
  String.raw`^(?:MODIFY (?:COLUMN )?${column}|CHANGE (?:COLUMN )?${column} ${column}) (?:${types})${sized}(?: (?:NULL|NOT NULL|DEFAULT (?:NULL|(?:[-+] )?\d+(?: \. \d+)?|${text})|${attribute}))*${place}$`,
);

/** Undefined: there is one that may be otherwise. Of no clauses, none. */
export function columnChanges(clauses: readonly Words[]): ColumnChanges | undefined {
  const changes = { added: [] as string[], dropped: [] as string[], modified: [] as string[] };
  for (const clause of clauses) {
    const shape = clause.shape();
    const kind = emptyColumn.test(shape)
      ? 'added'
      : droppedColumn.test(shape)
        ? 'dropped'
        : modifiedColumn.test(shape)
          ? 'modified'
          : undefined;
    if (kind === undefined) return undefined;
    const verb = clause.next();
    clause.take('COLUMN');
    const name = clause.name()?.table;
    if (name === undefined) return undefined;
    // A column that gets another name is another one here.
    if (verb === 'CHANGE' && clause.name()?.table !== name) return undefined;
    changes[kind].push(name);
  }
  return changes;
}
