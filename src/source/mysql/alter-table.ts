// ALTER TABLE, clause by clause: which tables it touches without row events, and how. A clause is passed over only when its
// whole text is one that leaves every row, column and primary key as it is. The first table is not the only one that rows move
// out of or into: RENAME, EXCHANGE PARTITION and CONVERT name others, and so may clauses that are not known here.
import { columnChanges, type ColumnChanges } from './column-clauses.js';
import { isPrimary, type TableName, type Words } from './statement-words.js';

/** What a statement does to one table without row events. */
export type TableEffect =
  /** Rows, columns or the key change, or may. */
  | { readonly does: 'change'; readonly table: TableName }
  /** These columns come, go or change, and nothing else does. */
  | { readonly does: 'columns'; readonly table: TableName; readonly columns: ColumnChanges }
  /** As `change`; a table that had no primary key may have one afterwards. */
  | { readonly does: 'key'; readonly table: TableName }
  /** Some of its rows go, and nothing else happens. */
  | { readonly does: 'thin'; readonly table: TableName }
  /** All of its rows go. */
  | { readonly does: 'truncate'; readonly table: TableName }
  /** Rows come into it. */
  | { readonly does: 'fill'; readonly table: TableName }
  /** Named in a clause that is not known here. */
  | { readonly does: 'mention'; readonly table: TableName }
  | { readonly does: 'drop'; readonly table: TableName }
  | { readonly does: 'rename'; readonly table: TableName; readonly to: TableName };

const name = String.raw`(?!PRIMARY\b)[^\s(),=]+`;
const tableOf = String.raw`${name}(?: \. ${name})?`;
const number = String.raw`(?:= )?[\w]+`;
const text = String.raw`(?:= )?(?:''|x)`;
const indexTail = String.raw`(?: (?:USING \w+|TYPE \w+|(?:KEY_BLOCK_SIZE|COMMENT|ENGINE_ATTRIBUTE|SECONDARY_ENGINE_ATTRIBUTE) (?:= )?(?:\w+|'')|WITH PARSER ${name}|VISIBLE|INVISIBLE|IGNORED|NOT IGNORED))*`;
const indexKind =
  '(?:UNIQUE(?: INDEX| KEY)?|FULLTEXT(?: INDEX| KEY)?|SPATIAL(?: INDEX| KEY)?|VECTOR (?:INDEX|KEY)|INDEX|KEY)';
/** A number, a text, a function or an expression in brackets. */
const literal = String.raw`(?:(?:[-+] )?(?:\w+(?: \. \w+)?(?: (?:''|\(\)))?|x)|''|\(\))`;
const constraint = `(?:CONSTRAINT (?:IF NOT EXISTS )?(?:${name} )?)?`;
/** Engines that hold what any other of them holds. Others lose rows: BLACKHOLE all, MEMORY at the next start, ARCHIVE and CSV keys. */
const engine = '(?:INNODB|MYISAM|ARIA|ROCKSDB)';

/** Options of a table, which may stand behind each other without a comma. */
const neutralOptions = [
  `(?:AUTO_INCREMENT|STATS_PERSISTENT|STATS_AUTO_RECALC|STATS_SAMPLE_PAGES|AVG_ROW_LENGTH|MAX_ROWS|MIN_ROWS|ALGORITHM|LOCK|ROW_FORMAT|KEY_BLOCK_SIZE|CHECKSUM|TABLE_CHECKSUM|PAGE_CHECKSUM|DELAY_KEY_WRITE|PACK_KEYS|TRANSACTIONAL|ENCRYPTED|ENCRYPTION_KEY_ID|PAGE_COMPRESSED|PAGE_COMPRESSION_LEVEL|AUTOEXTEND_SIZE) ${number}`,
  `(?:COMMENT|COMPRESSION|ENCRYPTION|ENGINE_ATTRIBUTE|SECONDARY_ENGINE_ATTRIBUTE) ${text}`,
  // Of the table: columns that are there keep their own.
  `(?:DEFAULT )?(?:CHARACTER SET|CHARSET) (?:= )?${name}`,
  `(?:DEFAULT )?COLLATE (?:= )?${name}`,
  `ENGINE (?:= )?${engine}`,
];
const neutralClauses = [
  '',
  String.raw`ADD (?:CONSTRAINT (?:${name} )?(?=UNIQUE))?${indexKind}(?: IF NOT EXISTS)?(?: (?!USING\b|TYPE\b)${name})?(?: (?:USING|TYPE) \w+)? \(\)${indexTail}`,
  `DROP (?:INDEX|KEY) (?:IF EXISTS )?${name}`,
  `RENAME (?:INDEX|KEY) (?:IF EXISTS )?${name} TO ${name}`,
  `ALTER (?:INDEX|KEY) (?:IF EXISTS )?${name} (?:VISIBLE|INVISIBLE|IGNORED|NOT IGNORED)`,
  `ALTER (?:COLUMN )?(?:IF EXISTS )?(?!INDEX\\b|KEY\\b|CHECK\\b|CONSTRAINT\\b)${name} (?:SET DEFAULT ${literal}|DROP DEFAULT|SET VISIBLE|SET INVISIBLE)`,
  String.raw`ADD ${constraint}CHECK \(\)(?: (?:NOT )?ENFORCED)?`,
  // What its rules do to rows later is another matter (cascades.ts).
  String.raw`ADD ${constraint}FOREIGN KEY(?: IF NOT EXISTS)?(?: ${name})? \(\) REFERENCES ${tableOf} \(\)(?: MATCH \w+)?(?: ON (?:DELETE|UPDATE) (?:RESTRICT|NO ACTION|CASCADE|SET NULL|SET DEFAULT))*`,
  `DROP (?:CHECK|CONSTRAINT|FOREIGN KEY) (?:IF EXISTS )?${name}`,
  `ALTER (?:CHECK|CONSTRAINT) ${name} (?:NOT )?ENFORCED`,
  '(?:DISABLE|ENABLE) KEYS',
  'FORCE',
];
/** The whole clause, or several options behind each other. */
const options = neutralOptions.join('|');
const neutral = new RegExp(`^(?:(?:${neutralClauses.join('|')})|(?:${options})(?: (?:${options}))*)$`);

const local = '(?:(?:NO_WRITE_TO_BINLOG|LOCAL) )?';
const partitions = `(?:ALL|${name}(?: , ${name})*)`;
const partitionBy = String.raw`(?:(?:LINEAR )?HASH \(\)|(?:LINEAR )?KEY (?:ALGORITHM = \d+ )?\(\)|(?:RANGE|LIST) (?:COLUMNS )?\(\))`;
/**
 * The whole statement, since names of partitions stand behind commas, too. They put rows elsewhere; a row that no partition would take
 * is an error.
 */
const neutralPartitioning = new RegExp(
  `^(?:${[
    `(?:REBUILD|OPTIMIZE|ANALYZE|CHECK) PARTITION ${local}${partitions}`,
    String.raw`ADD PARTITION (?:IF NOT EXISTS )?${local}(?:\(\)|PARTITIONS \d+)`,
    String.raw`COALESCE PARTITION ${local}\d+`,
    String.raw`REORGANIZE PARTITION(?: ${local}${partitions} INTO \(\))?`,
    'REMOVE PARTITIONING',
    String.raw`PARTITION BY ${partitionBy}(?: PARTITIONS \d+)?(?: SUBPARTITION BY ${partitionBy}(?: SUBPARTITIONS \d+)?)?(?: \(\))?`,
  ].join('|')})$`,
);
/** The whole statement. Rows of the partitions go, and others stay where and as they are. */
const thinningPartitioning = new RegExp(`^(DROP|TRUNCATE) PARTITION (?:IF EXISTS )?${partitions}$`);

/** Words that a clause or an option may begin with and name no other table than by the forms looked for below. */
const knownClause =
  /^(?:ADD|ALTER|CHANGE|MODIFY|DROP|RENAME|ORDER|CONVERT|DEFAULT|CHARACTER|CHARSET|COLLATE|DISCARD|IMPORT|TRUNCATE|COALESCE|REORGANIZE|EXCHANGE|ANALYZE|CHECK|OPTIMIZE|REBUILD|REPAIR|REMOVE|PARTITION|UPGRADE|FORCE|ENGINE|ROW_FORMAT|KEY_BLOCK_SIZE|AUTO_INCREMENT|COMMENT|WITH|WITHOUT|ALGORITHM|LOCK|DISABLE|ENABLE|STATS_\w+|AVG_ROW_LENGTH|MAX_ROWS|MIN_ROWS|CHECKSUM|DELAY_KEY_WRITE|INSERT_METHOD|PACK_KEYS|PAGE_CHECKSUM|PAGE_COMPRESSED|PAGE_COMPRESSION_LEVEL|COMPRESSION|CONNECTION|DATA|INDEX|ENCRYPTION|ENCRYPTED|ENCRYPTION_KEY_ID|TABLESPACE|TRANSACTIONAL|SECONDARY_\w+|ENGINE_ATTRIBUTE|AUTOEXTEND_SIZE|START|PASSWORD|SEQUENCE|IETF_QUOTES|NOWAIT|WAIT)\b/;

/** Undefined: it leaves rows, columns and keys as they are. `words` stand behind ALTER TABLE. */
export function alterTable(words: Words, ignore: boolean): { verb: string; effects: TableEffect[] } | undefined {
  words.take('IF', 'EXISTS');
  const table = words.name();
  if (words.take('WAIT')) words.next();
  words.take('NOWAIT');
  if (!table) return { verb: 'ALTER', effects: [] };
  const clauses = words.clauses();
  if (!ignore) {
    const changing = clauses.filter((clause) => !neutral.test(clause.shape()));
    if (changing.length === 0 || neutralPartitioning.test(words.shape())) return undefined;
    const thinning = thinningPartitioning.exec(words.shape());
    if (thinning) return { verb: `ALTER ... ${thinning[1]} PARTITION`, effects: [{ does: 'thin', table }] };
    // Read from a copy, since the clauses are stepped through.
    const columns = columnChanges(words.clauses().filter((clause) => !neutral.test(clause.shape())));
    if (columns) return { verb: 'ALTER', effects: [{ does: 'columns', table, columns }] };
  }

  const verbs = new Set<string>();
  const effects: TableEffect[] = [{ does: clauses.some(mayAddKey) ? 'key' : 'change', table }];
  const renames: TableEffect[] = [];
  for (const clause of clauses) {
    const shape = clause.shape();
    if (shape.startsWith('EXCHANGE PARTITION ') && clause.skipTo('TABLE')) {
      verbs.add('EXCHANGE PARTITION');
      effects.push({ does: 'fill', table }, ...withName(clause.name(), (other) => ({ does: 'fill', table: other })));
    } else if (shape.startsWith('CONVERT PARTITION ') && clause.skipTo('TABLE')) {
      verbs.add('CONVERT PARTITION');
      effects.push(...withName(clause.name(), (other) => ({ does: 'fill', table: other })));
    } else if (shape.startsWith('CONVERT TABLE ') && clause.skipTo('TABLE')) {
      verbs.add('CONVERT TABLE');
      effects.push({ does: 'fill', table }, ...withName(clause.name(), (other) => ({ does: 'drop', table: other })));
    } else if (shape.startsWith('RENAME ') && !/^RENAME (?:COLUMN|INDEX|KEY|CONSTRAINT) /.test(shape)) {
      verbs.add('RENAME');
      clause.take('RENAME');
      const filler = clause.take('TO') || clause.take('AS') || clause.take('=');
      const to = clause.name();
      if (to) renames.push({ does: 'rename', table, to });
      else if (filler) renames.push({ does: 'fill', table });
    } else if (
      /\bUNION (?:= )?\(\)/.test(shape) ||
      /^IMPORT\b/.test(shape) ||
      /\bIMPORT (?:PARTITION .*)?TABLESPACE\b/.test(shape)
    ) {
      verbs.add(/\bIMPORT\b/.test(shape) ? 'IMPORT TABLESPACE' : 'UNION');
      effects.push({ does: 'fill', table });
    } else if (!knownClause.test(shape)) {
      effects.push(...clause.anyNames().map((other): TableEffect => ({ does: 'mention', table: other })));
    }
    if (/^DROP (?:PRIMARY KEY$|(?:INDEX|KEY|CONSTRAINT) (?:IF EXISTS )?PRIMARY$)/.test(shape))
      verbs.add('DROP PRIMARY KEY');
  }
  if (effects[0]!.does === 'key') verbs.add('ADD PRIMARY KEY');
  // The new name counts at the end: every other clause means the table by its old one.
  return { verb: ['ALTER', ...verbs].join(' ... '), effects: [...effects, ...renames] };
}

function withName(table: TableName | undefined, effect: (table: TableName) => TableEffect): TableEffect[] {
  return table ? [effect(table)] : [];
}

/** KEY alone is short for PRIMARY KEY behind a column's type, and only there. */
const otherKeyWords: ReadonlySet<string> = new Set([
  'ADD',
  'ALTER',
  'BY',
  'DROP',
  'FOREIGN',
  'FULLTEXT',
  'LINEAR',
  'RENAME',
  'SPATIAL',
  'UNIQUE',
  'VECTOR',
]);

function mayAddKey(clause: Words): boolean {
  const words = clause.words();
  if (words[0] === 'DROP') return false;
  return words.some(
    (word, i) => isPrimary(word) || (word === 'KEY' && !otherKeyWords.has(words[i - 1] ?? '') && words[i - 1] !== '('),
  );
}
