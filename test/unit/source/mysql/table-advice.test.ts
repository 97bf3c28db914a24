// What is said of tables by their engine, also of those that servers of the tests do not have.
import { expect, it } from 'vitest';
import { parseConfig } from '../../../../src/source/mysql/config.js';
import type { Session } from '../../../../src/source/mysql/connection.js';
import { TableFilter } from '../../../../src/source/mysql/filters.js';
import { adviseOnTables } from '../../../../src/source/mysql/table-advice.js';
import type { TableSchema } from '../../../../src/source/mysql/table-schema.js';

const config = parseConfig({ 'database.hostname': 'h', 'database.user': 'u' });
const strict = { one: () => Promise.resolve({ allowed: '0' }) } as unknown as Session;

function table(engine: string): TableSchema {
  return {
    database: 'shop',
    table: 't',
    columns: [{ name: 'id', nullable: false, form: { kind: 'integer', bytes: 8, unsigned: false } }],
    keyColumns: [0],
    rowsEstimated: null,
    rowBytesEstimated: 0,
    engine,
    signature: '',
    rowEnd: undefined,
    generated: false,
    labels: new Map(),
  };
}

it.each([
  ['InnoDB', [], ''],
  ['MyISAM', ['non-transactional-engine'], 'ALTER TABLE `shop`.`t` ENGINE = InnoDB'],
  ['FEDERATED', ['rows-elsewhere'], 'capture that server (SHOW CREATE TABLE `shop`.`t` says which)'],
  ['SPIDER', ['rows-elsewhere'], 'capture that server'],
  ['CONNECT', ['rows-elsewhere'], 'CREATE TABLE COPY AS SELECT * FROM `shop`.`t`'],
  ['BLACKHOLE', ['rows-elsewhere'], 'ALTER TABLE `shop`.`t` ENGINE = InnoDB'],
  ['MRG_MyISAM', ['rows-elsewhere'], 'SHOW CREATE TABLE `shop`.`t` names them'],
])('of engine %s is said what it comes to', async (engine, codes, hint) => {
  const found = await adviseOnTables(strict, [table(engine)], new TableFilter(config), config);
  expect(found.map(({ code }) => code)).toEqual(codes);
  expect(found.map((finding) => finding.hint).join()).toContain(hint);
});
