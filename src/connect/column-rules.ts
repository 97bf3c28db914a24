// Debezium's masks of columns: properties whose name says what is done and whose value says to which columns. They hold for text that is
// no part of a key: of other types nothing could be told in their place, and a changed key would be another row.
import type { ColumnUse } from '../schema/formats/projected-row-encoder.js';
import { AppError } from '../core/errors.js';
import { splitPatterns, wholeName } from '../core/pattern-list.js';
import type { SourceColumn, SourceTable } from '../core/row-encoder.js';
import { group, patterns, type PropertyDef } from './properties/property.js';
import { own } from '../core/own.js';

/** Plain values: they go to another thread. */
export interface ColumnRule {
  readonly property: string;
  /** Regular expressions for whole names `database.table.column`. */
  readonly columns: readonly string[];
  readonly use: Extract<ColumnUse, { readonly kind: 'constant' | 'hash' | 'shorten' }>;
}

const types = group('Types');
/** By Java's names of them. */
const algorithms: Readonly<Record<string, string>> = {
  md5: 'md5',
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
};

/** What the name of a property says is done; undefined: it is none of these. */
function useOf(property: string): ColumnRule['use'] | undefined {
  const masked = /^column\.mask\.with\.(\d{1,6})\.chars$/.exec(property)?.[1];
  if (masked !== undefined)
    return {
      kind: 'constant',
      type: { kind: 'STRING' },
      value: '*'.repeat(Math.min(Number(masked), 65_535)),
      // Whether there is a value is hidden, too.
      ofNull: true,
    };
  const length = /^column\.truncate\.to\.([1-9]\d{0,8})\.chars$/.exec(property)?.[1];
  if (length !== undefined) return { kind: 'shorten', length: Number(length) };
  const [, v2, name = '', salt = ''] = /^column\.mask\.hash\.(v2\.)?([^.]+)\.with\.salt\.(.+)$/.exec(property) ?? [];
  const algorithm = own(algorithms, name.toLowerCase());
  return algorithm === undefined ? undefined : { kind: 'hash', algorithm, salt, ofObject: v2 === undefined };
}

/** The properties of this kind that a configuration has. */
export function columnRuleDefs(config: Readonly<Record<string, unknown>>): readonly PropertyDef[] {
  return Object.keys(config)
    .filter((name) => useOf(name) !== undefined)
    .map((name) => types.implemented(name, 'regular expressions over `database.table.column`', patterns));
}

export function columnRules(values: ReadonlyMap<string, string>): readonly ColumnRule[] {
  return [...values].flatMap(([property, text]) => {
    const use = useOf(property);
    return use === undefined ? [] : [{ property, columns: splitPatterns(text), use }];
  });
}

/** What is done to a column; the first rule that names it holds. */
export function ruleOf(
  rules: readonly ColumnRule[],
  { database, table, keyColumns, columns }: SourceTable,
  column: SourceColumn,
): ColumnRule['use'] | undefined {
  const name = `${database}.${table}.${column.name}`;
  const rule = rules.find((each) => each.columns.some((item) => wholeName(item).test(name)));
  if (rule === undefined) return undefined;
  const problem = (message: string, hint: string) =>
    new AppError('bad-connector-config', `column ${name} ${message}`, { hint, place: { path: rule.property } });
  if (keyColumns.some((at) => columns[at] === column)) {
    if (rule.use.kind === 'shorten') return undefined;
    throw problem('identifies its rows, and would be masked', `let ${rule.property} leave it out`);
  }
  if (column.type.kind === 'STRING') return rule.use;
  // What is too long is a matter of text; what is to be hidden must not be shown because it is something else.
  if (rule.use.kind === 'shorten') return undefined;
  throw problem(
    `is ${column.sourceType}, and masks are text`,
    'leave it out by column.exclude.list, or mask it by the transform MaskField',
  );
}
