// Tables come and go while a connector begins: what is gone when it is asked about refuses nobody, and hides no table that is refused.
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/core/errors.js';
import { parseConfig } from '../../../../src/source/mysql/config.js';
import type { Session } from '../../../../src/source/mysql/connection.js';
import { TableFilter } from '../../../../src/source/mysql/filters.js';
import { checkSelect } from '../../../../src/source/mysql/select-grants.js';
import { sourceError } from '../../../../src/source/mysql/source-error.js';
import type { TableSchema } from '../../../../src/source/mysql/table-schema.js';

const filter = new TableFilter(parseConfig({ 'database.hostname': 'h', 'database.user': 'u' }));

function table(name: string): TableSchema {
  const columns: TableSchema['columns'] = [
    { name: 'id', nullable: false, form: { kind: 'integer', bytes: 8, unsigned: false } },
  ];
  return {
    database: 'shop',
    table: name,
    columns,
    keyColumns: [0],
    rowsEstimated: null,
    rowBytesEstimated: 0,
    engine: 'InnoDB',
    signature: '',
    rowEnd: undefined,
    generated: false,
    labels: new Map(),
  };
}

/** A server that says this number of each statement over the table. */
function server(numbers: Readonly<Record<string, number>>): Session {
  const query = (sql: string): Promise<readonly unknown[]> => {
    const found = Object.entries(numbers).find(([name]) => sql.includes(`\`shop\`.\`${name}\``));
    if (found === undefined) return Promise.resolve([]);
    const error = Object.assign(new Error(`about ${found[0]}`), { errno: found[1], code: 'ER' });
    return Promise.reject(sourceError(error, 'being asked', 'u'));
  };
  return { query } as unknown as Session;
}

describe('who may read the captured tables', () => {
  const tables = ['first', 'second', 'third'].map(table);

  it.each([
    ['is dropped', 1146],
    ['loses a column', 1054],
  ])('is not asked of a table that %s meanwhile', async (_, errno) => {
    expect(await checkSelect(server({ first: errno }), tables, filter, 'u')).toEqual([]);
  });

  it('is told of each table that is refused, also beside one that is gone', async () => {
    const findings = await checkSelect(server({ first: 1146, third: 1142 }), tables, filter, 'u');
    expect(findings.map(({ hint }) => hint)).toEqual(["GRANT SELECT ON `shop`.`third` TO 'u'@'%'"]);
  });

  it('is not known when the server fails in another way', async () => {
    await expect(checkSelect(server({ second: 1030 }), tables, filter, 'u')).rejects.toThrow(AppError);
  });
});
