// The MySQL source against real servers, driven as connect drives it: what one append is, where it goes on after a stop, and
// that a snapshot beside a running writer leaves exactly the rows of the source.
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.js';
import type { SourceTable } from '../../src/core/row-encoder.js';
import { createMysqlSource } from '../../src/source/mysql/mysql-source.js';
import { createDatabase, createUser, withConnection, type TestDatabase } from '../support/servers/sql-client.js';
import { sharedServers } from '../support/servers/shared-servers.js';
import { mysqlConfig } from '../support/source/mysql-config.js';
import { startWriter } from '../support/source/mysql-writer.js';
import { foldAppends, runSource, type SourceRun, type TestAppend } from '../support/source-run.js';

const servers = await sharedServers('mysql', 'mariadb');

describe.skipIf(servers.missing).each(['mysql', 'mariadb'] as const)('the source on %s', (product) => {
  let database: TestDatabase;
  const runs: SourceRun[] = [];

  beforeAll(async () => {
    database = await createDatabase(servers[product], 'source');
  });
  afterAll(async () => {
    await Promise.all(runs.map((run) => run.stop()));
    await database.drop();
  });

  const connector = (more: Record<string, string> = {}) =>
    createMysqlSource(mysqlConfig(servers[product], database.name, more), silentLogger);

  /** A run over some tables of the database, stopped at the latest with the file. */
  function run(
    tables: string,
    position: string | null = null,
    more: Record<string, string> = {},
    after?: Pick<SourceRun, 'appends' | 'tables'>,
  ): SourceRun {
    const source = connector({ 'table.include.list': `${database.name}\\.(${tables})`, ...more });
    const started = runSource(source, position, { ...(after && { after }) });
    runs.push(started);
    return started;
  }

  function use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return withConnection(servers[product], async (connection) => {
      await connection.query(`USE ${database.name}`);
      return work(connection);
    });
  }
  const query = (...statements: string[]) =>
    use(async (connection) => {
      for (const statement of statements) await connection.query(statement);
    });

  const isCompleted = (control: TestAppend['control'], table: string) =>
    control?.kind === 'snapshot-completed' && control.topics.includes(table);
  const completed = (appends: readonly TestAppend[]) =>
    appends.some(({ control }) => control?.kind === 'snapshot-completed');
  const recordCount = (appends: readonly TestAppend[]) =>
    appends.reduce((sum, append) => sum + append.records.length, 0);

  it('gives each transaction as one append, also one of many chunks', async () => {
    await query('CREATE TABLE whole (id INT PRIMARY KEY, text VARCHAR(200))');
    const source = run('whole');
    await source.until(completed);
    const before = source.appends.length;
    await use(async (connection) => {
      await connection.beginTransaction();
      for (let i = 0; i < 10; i++) {
        const rows = Array.from({ length: 1000 }, (_, j) => [i * 1000 + j, 'x'.repeat(150)]);
        await connection.query('INSERT INTO whole VALUES ?', [rows]);
      }
      await connection.query('DELETE FROM whole WHERE id >= 5000');
      await connection.commit();
      await connection.query("INSERT INTO whole VALUES (20000, 'next')");
    });
    await source.until((appends) => appends.some(({ records }) => records.at(-1)?.key === '{"id":20000}'));
    const appends = source.appends.slice(before).filter((append) => append.records.length > 0);
    expect(appends.map((append) => append.records.length)).toEqual([15_000, 1]);
    expect(appends[0]!.transactionId).toMatch(product === 'mysql' ? /^[0-9a-f-]{36}:\d+$/ : /^\d+-\d+-\d+$/);
    expect(Math.abs(appends[1]!.commitTimeUs - Date.now() * 1000)).toBeLessThan(30_000_000);
  });

  it('makes a changed key a tombstone and a row, and a delete a tombstone', async () => {
    await query('CREATE TABLE keys2 (b VARCHAR(10), a INT, v INT, PRIMARY KEY (a, b))');
    const source = run('keys2');
    await source.until(completed);
    await query(
      "INSERT INTO keys2 VALUES ('x', 1, 1)",
      'UPDATE keys2 SET v = 2',
      "UPDATE keys2 SET b = 'y'",
      'DELETE FROM keys2',
    );
    await source.until((appends) => recordCount(appends) === 5);
    expect(source.appends.flatMap((append) => append.records)).toEqual([
      { table: 'keys2', op: 'c', key: '{"a":1,"b":"x"}', value: '{"b":"x","a":1,"v":1}' },
      { table: 'keys2', op: 'u', key: '{"a":1,"b":"x"}', value: '{"b":"x","a":1,"v":2}' },
      { table: 'keys2', op: 'd', key: '{"a":1,"b":"x"}', value: null },
      { table: 'keys2', op: 'c', key: '{"a":1,"b":"y"}', value: '{"b":"y","a":1,"v":2}' },
      { table: 'keys2', op: 'd', key: '{"a":1,"b":"y"}', value: null },
    ]);
  });

  it('moves the position for transactions that touch no captured table', async () => {
    await query('CREATE TABLE mine (id INT PRIMARY KEY)', 'CREATE TABLE other (id INT PRIMARY KEY)');
    const source = run('mine');
    await source.until(completed);
    await query('INSERT INTO other VALUES (1)');
    const { gtid } = await use(async (connection) => {
      const [rows] = await connection.query<RowDataPacket[]>(
        product === 'mysql' ? 'SELECT @@GLOBAL.gtid_executed AS gtid' : 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid',
      );
      return rows[0] as { gtid: string };
    });
    const text = gtid.replaceAll(/\s/g, '');
    await source.until((appends) => appends.at(-1)!.position!.includes(`"${text}"`), `position ${text}`);
    expect(source.appends.at(-1)!.records).toEqual([]);
  });

  it('leaves nothing of a rolled-back transaction or savepoint', async () => {
    await query('CREATE TABLE undone (id INT PRIMARY KEY)');
    const source = run('undone');
    await source.until(completed);
    await use(async (connection) => {
      await connection.query('BEGIN');
      await connection.query('INSERT INTO undone VALUES (1)');
      await connection.query('ROLLBACK');
      await connection.query('BEGIN');
      await connection.query('INSERT INTO undone VALUES (2)');
      await connection.query('SAVEPOINT s');
      await connection.query('INSERT INTO undone VALUES (3)');
      await connection.query('ROLLBACK TO s');
      await connection.query('INSERT INTO undone VALUES (4)');
      await connection.query('COMMIT');
    });
    await source.until((appends) => recordCount(appends) === 2);
    expect(source.appends.flatMap((append) => append.records.map((record) => record.key))).toEqual([
      '{"id":2}',
      '{"id":4}',
    ]);
  });

  it('captures a table that is created later from its first row, and follows it through harmless DDL', async () => {
    await query('CREATE TABLE early (id INT PRIMARY KEY)');
    const source = run('early|late.*');
    await source.until(completed);
    await query(
      'CREATE TABLE late (id INT PRIMARY KEY, v VARCHAR(10))',
      'ALTER TABLE late ADD COLUMN w INT',
      "INSERT INTO late VALUES (1, 'a', 7)",
      'CREATE INDEX v ON late (v)',
      'ALTER TABLE late ADD INDEX w (w)',
      'ANALYZE TABLE late',
      'DROP TABLE IF EXISTS late_never',
      'CREATE TABLE late_draft (id INT PRIMARY KEY)',
      'DROP TABLE late_draft',
      'CREATE TEMPORARY TABLE late_temporary (id INT PRIMARY KEY)',
      'INSERT INTO late_temporary VALUES (1)',
      'TRUNCATE TABLE late_temporary',
      "INSERT INTO late VALUES (2, 'b', 8)",
    );
    // It is made readable when what it held, if anything, has been read.
    await source.until((appends) => appends.some(({ control }) => isCompleted(control, 'late')));
    await query("INSERT INTO late VALUES (3, 'c', 9)");
    await source.until((appends) => foldAppends(appends).get('late')?.size === 3);
    expect([...foldAppends(source.appends).get('late')!.values()].toSorted()).toEqual([
      '{"id":1,"v":"a","w":7}',
      '{"id":2,"v":"b","w":8}',
      '{"id":3,"v":"c","w":9}',
    ]);
  });

  it('stops aloud when a session writes statements or incomplete rows', async () => {
    await query('CREATE TABLE strict_rows (id INT PRIMARY KEY, v INT)', 'INSERT INTO strict_rows VALUES (1, 1)');
    const statements = run('strict_rows');
    await statements.until(completed);
    await query("SET SESSION binlog_format = 'STATEMENT'; UPDATE strict_rows SET v = 2");
    expect(await statements.failure()).toMatchObject({ code: 'statement-format-change' });
    const images = run('strict_rows');
    await images.until(completed);
    await query("SET SESSION binlog_row_image = 'MINIMAL'; UPDATE strict_rows SET v = 3");
    expect(await images.failure()).toMatchObject({
      code: 'statement-format-change',
      message: expect.stringContaining('strict_rows') as string,
    });
  });

  it('reads XA transactions with rows of a captured table, and passes over others', async () => {
    await query('CREATE TABLE xa_mine (id INT PRIMARY KEY)', 'CREATE TABLE xa_other (id INT PRIMARY KEY)');
    const source = run('xa_mine');
    await source.until(completed);
    const xa = (table: string, id: number) =>
      query(
        `XA START 'x${id}'; INSERT INTO ${table} VALUES (${id}); XA END 'x${id}'; XA PREPARE 'x${id}'; XA COMMIT 'x${id}'`,
      );
    await xa('xa_other', 1);
    await query("XA START 'one'; INSERT INTO xa_mine VALUES (1); XA END 'one'; XA COMMIT 'one' ONE PHASE");
    await source.until((appends) => recordCount(appends) === 1);
    await xa('xa_mine', 2);
    await source.until((appends) => recordCount(appends) === 2);
    await source.stop();
  });

  it('goes on when its connection is killed, also in the middle of a transaction', async () => {
    await query('CREATE TABLE killed (id INT PRIMARY KEY, text VARCHAR(200))');
    // By its user it is told apart from the connectors of other tests.
    const { user, password } = await createUser(servers[product], { grants: ['ALL ON *.*'] });
    const source = run('killed', null, { 'database.user': user, 'database.password': password });
    await source.until(completed);
    let killed = 0;
    const kill = () =>
      use(async (connection) => {
        const [rows] = await connection.query<RowDataPacket[]>(
          "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' AND USER = ?",
          [user],
        );
        killed += rows.length;
        for (const { id } of rows as { id: number }[]) await connection.query(`KILL ${id}`).catch(() => {});
      });
    for (let round = 0; round < 3; round++) {
      await use(async (connection) => {
        const rows = Array.from({ length: 20_000 }, (_, j) => [round * 20_000 + j, 'x'.repeat(150)]);
        await connection.query('INSERT INTO killed VALUES ?', [rows]);
      });
      await kill();
    }
    expect(killed).toBeGreaterThan(0);
    await source.until((appends) => recordCount(appends) >= 60_000, 'all rows');
    const filled = source.appends.filter((append) => append.records.length > 0);
    expect(filled.map((append) => append.records.length)).toEqual([20_000, 20_000, 20_000]);
    expect(new Set(filled.flatMap((append) => append.records.map((record) => record.key))).size).toBe(60_000);
    expect(source.states.some((state) => state.phase === 'waiting')).toBe(true);
  });

  it('goes on exactly behind any append that has a position after a stop', async () => {
    await query('CREATE TABLE steps (id INT PRIMARY KEY, v INT)');
    const first = run('steps');
    await first.until(completed);
    await query(
      ...Array.from(
        { length: 30 },
        (_, i) => `INSERT INTO steps VALUES (${i}, -1); UPDATE steps SET v = ${i} WHERE id <= ${i}`,
      ),
    );
    const all = (appends: readonly TestAppend[]) => appends.filter((append) => append.records.length > 0);
    await first.until((appends) => all(appends).length === 60);
    await first.stop();
    const whole = all(first.appends);
    const withoutPositions = (appends: readonly TestAppend[]) =>
      all(appends).map((append) => ({ ...append, position: undefined }));
    for (const from of [0, 1, 17, 42, 58]) {
      const at = whole.findIndex(({ position }, i) => i >= from && position !== null);
      const again = run('steps', whole[at]!.position, {}, first);
      await again.until((appends) => all(appends).length >= 59 - at);
      await again.stop();
      // Which of them have a position depends on how they come.
      expect(withoutPositions(again.appends)).toEqual(withoutPositions(whole).slice(at + 1));
    }
  });

  // Composite, unsigned, binary, case-insensitive and labelled keys, each beside a writer that changes keys, too.
  it.each([
    ['id BIGINT UNSIGNED', 'id', (i: number) => `${BigInt(i) * 19_000_000_000_000_000n}`],
    ['id VARBINARY(6)', 'id', (i: number) => `X'${(i * 7919).toString(16).padStart(8, '0')}'`],
    ['id VARCHAR(20)', 'id', (i: number) => `'Key ${i % 2 ? 'a' : 'B'}${i}'`],
    [
      'a INT, id DECIMAL(6,2), c DATE',
      'a, id, c',
      (i: number) => `${i % 3}, ${i}.50, '2024-01-${String((i % 28) + 1).padStart(2, '0')}'`,
    ],
    ["e ENUM('z','m','a'), id INT", 'e, id', (i: number) => `'${['z', 'm', 'a'][i % 3]!}', ${i}`],
    [
      'id DATETIME(6), t TIME(3), y YEAR',
      'id, t, y',
      (i: number) => `'2024-01-01 00:00:00.${String(i * 1000).padStart(6, '0')}', '00:00:01.5', ${2000 + (i % 5)}`,
    ],
  ])(
    'snapshots key (%s) beside a writer, through stops, into exactly the rows of the source',
    async (columns, key, value) => {
      await query('DROP TABLE IF EXISTS hot', `CREATE TABLE hot (${columns}, v INT, PRIMARY KEY (${key}))`);
      await query(`INSERT INTO hot VALUES ${Array.from({ length: 600 }, (_, i) => `(${value(i)}, 0)`).join(', ')}`);
      const writer = await startWriter(servers[product], database.name, 'hot', key.split(', '), value);
      const appends: TestAppend[] = [];
      const tables = new Map<string, SourceTable>();
      let position: string | null = null;
      try {
        for (let part = 0; ; part++) {
          const source = run('hot', position, { 'snapshot.fetch.size': '17' }, { appends, tables });
          const enough = part < 4 ? 3 + part * 2 : Infinity;
          await source.until(
            (seen) =>
              completed(seen) ||
              seen.filter((append) => append.records.some((record) => record.op === 'r')).length >= enough,
          );
          await source.stop();
          appends.push(...source.appends);
          for (const [name, table] of source.tables) tables.set(name, table);
          position = appends.at(-1)!.position;
          if (completed(appends)) break;
          expect(position).toContain('"snapshot"');
        }
      } finally {
        await writer.stop();
      }
      const before = { appends: [...appends], tables };
      const rest = run('hot', position, {}, before);
      // A last row that nothing else writes: when it is here, everything before it is.
      await query(`INSERT INTO hot VALUES (${value(950)}, -1)`);
      await rest.until((seen) =>
        seen.some((append) => append.records.some((record) => record.value?.includes('"v":-1'))),
      );
      await rest.stop();
      const rows = foldAppends([...appends, ...rest.appends]).get('hot')!;
      // The source's rows through a snapshot of their own, which the type tests compare with the server.
      const fresh = run('hot');
      await fresh.until(completed);
      await fresh.stop();
      const truth = foldAppends(fresh.appends).get('hot')!;
      expect(writer.transactions).toBeGreaterThan(20);
      expect(rows).toEqual(truth);
      // Rows that go and come behind the binlog's back are found when a statement calls for the table.
      const held = { appends: [...appends, ...rest.appends], tables };
      const again = run('hot', rest.appends.at(-1)!.position, { 'snapshot.fetch.size': '17' }, held);
      await query(
        `SET SESSION sql_log_bin = 0; DELETE FROM hot WHERE v % 3 = 0; INSERT INTO hot VALUES (${value(951)}, 7); SET SESSION sql_log_bin = 1`,
        'ALTER TABLE hot ADD COLUMN extra INT DEFAULT 5',
      );
      await again.until((seen) => seen.some(({ control }) => isCompleted(control, 'hot')));
      await again.stop();
      const last = run('hot');
      await last.until(completed);
      await last.stop();
      const read = foldAppends([...held.appends, ...again.appends]).get('hot')!;
      expect(read).toEqual(foldAppends(last.appends).get('hot')!);
      expect(read.size).toBeLessThan(rows.size);
    },
  );

  it('reads a table from its beginning that changes again while it is read again, also behind a stop', async () => {
    await query('DROP TABLE IF EXISTS twice', 'CREATE TABLE twice (id INT PRIMARY KEY, v INT)');
    await query(`INSERT INTO twice VALUES ${Array.from({ length: 400 }, (_, i) => `(${i}, 0)`).join(', ')}`);
    const few = { 'snapshot.fetch.size': '17' };
    const tables = new Map<string, SourceTable>();
    const appends: TestAppend[] = [];
    const keep = async (source: SourceRun) => {
      await source.stop();
      appends.push(...source.appends);
      for (const [name, table] of source.tables) tables.set(name, table);
    };
    const first = run('twice', null, few);
    await first.until(completed);
    await query('ALTER TABLE twice ADD COLUMN extra INT DEFAULT 1');
    const isUnderWay = ({ position }: TestAppend) => /"key":\[.*"only":true/.test(position ?? '');
    await first.until((seen) => seen.some(isUnderWay));
    await keep(first);
    const at = appends.findIndex(isUnderWay);
    const until = { appends: appends.slice(0, at + 1), tables };
    await query('ALTER TABLE twice MODIFY v VARCHAR(9)', "SET sql_log_bin = 0; UPDATE twice SET v = 'new'");
    const rest = run('twice', appends[at]!.position, few, until);
    await rest.until((seen) => seen.some(({ control }) => isCompleted(control, 'twice')));
    await rest.stop();
    const last = run('twice');
    await last.until(completed);
    await last.stop();
    const read = foldAppends([...until.appends, ...rest.appends]).get('twice')!;
    expect(read.size).toBe(400);
    expect(read).toEqual(foldAppends(last.appends).get('twice')!);
  });

  it('completes the snapshot at one cut: transfers between tables never change the total', async () => {
    await query(
      'CREATE TABLE left_side (id INT PRIMARY KEY, amount INT)',
      'CREATE TABLE right_side (id INT PRIMARY KEY, amount INT)',
      `INSERT INTO left_side VALUES ${Array.from({ length: 400 }, (_, i) => `(${i}, 100)`).join(', ')}`,
      'INSERT INTO right_side SELECT * FROM left_side',
    );
    let running = true;
    const transfers = use(async (connection) => {
      for (let i = 0; running; i++) {
        const [a, b] = [(i * 31) % 400, (i * 17) % 400];
        await connection.query(
          `BEGIN; UPDATE left_side SET amount = amount - 1 WHERE id = ${a}; UPDATE right_side SET amount = amount + 1 WHERE id = ${b}; COMMIT`,
        );
      }
    });
    const source = run('(left|right)_side', null, { 'snapshot.fetch.size': '20' });
    await source.until(completed);
    const done = source.appends.length;
    await source.until((appends) => appends.length > done + 20);
    running = false;
    await transfers;
    await source.stop();
    const from = source.appends.findIndex((append) => append.control !== undefined);
    for (let end = from; end < Math.min(source.appends.length, from + 20); end++) {
      const tables = foldAppends(source.appends.slice(0, end + 1));
      const total = [...tables.values()]
        .flatMap((rows) => [...rows.values()])
        .reduce((sum, row) => sum + (JSON.parse(row) as { amount: number }).amount, 0);
      expect(total).toBe(80_000);
    }
    expect(source.appends[from]!.control).toEqual({
      kind: 'snapshot-completed',
      connector: 'test',
      topics: ['left_side', 'right_side'],
    });
  });

  it('takes no snapshot, or only one, when asked for that', async () => {
    await query('CREATE TABLE modes (id INT PRIMARY KEY)', 'INSERT INTO modes VALUES (1)');
    const none = run('modes', null, { 'snapshot.mode': 'no_data' });
    await none.until(completed);
    await query('INSERT INTO modes VALUES (2)');
    await none.until((appends) => recordCount(appends) === 1);
    await none.stop();
    const only = runSource(
      connector({ 'table.include.list': `${database.name}.modes`, 'snapshot.mode': 'initial_only' }),
      null,
    );
    await only.until(completed);
    await only.stop();
    expect(recordCount(only.appends)).toBe(2);
  });

  it('tells what is wrong before it starts', async () => {
    await query('CREATE TABLE no_key (a INT)', 'CREATE TABLE departments (id INT PRIMARY KEY)');
    const validate = (more: Record<string, string>) => connector(more).validate();
    expect(await validate({ 'table.include.list': `${database.name}\\.(no_key|departments)` })).toContainEqual(
      expect.objectContaining({
        severity: 'warning',
        code: 'keyless-table',
        message: expect.stringContaining('no_key') as string,
      }),
    );
    const named = await validate({ 'table.include.list': `${database.name}.no_key` });
    expect(named.find((finding) => finding.severity === 'error')).toMatchObject({ code: 'keyless-table' });
    const contradiction = await validate({
      'database.include.list': 'employee',
      'table.include.list': `${database.name}.departments`,
    });
    expect(contradiction.find((finding) => finding.severity === 'error')).toMatchObject({
      code: 'filter-matches-nothing',
      message: expect.stringContaining('database.include.list "employee"') as string,
      hint: expect.stringContaining(`${database.name}.departments`) as string,
    });
    const typo = await validate({ 'table.include.list': `${database.name}.department` });
    expect(typo.find((finding) => finding.severity === 'error')?.hint).toContain(`${database.name}.departments`);
    await query(
      'CREATE TABLE child (id INT PRIMARY KEY, parent INT, CONSTRAINT cascading FOREIGN KEY (parent) REFERENCES departments (id) ON DELETE CASCADE)',
    );
    const cascades = async (tables: string, more: Record<string, string> = {}) =>
      (await validate({ 'table.include.list': `${database.name}\\.(${tables})`, ...more })).filter(({ code }) =>
        code.startsWith('cascades-'),
      );
    const found = (severity: string, code: string, text = 'cascading') =>
      product === 'mariadb' ? [{ severity, code, message: expect.stringContaining(text) as string }] : [];
    const both = 'child|departments';
    expect(await cascades(both)).toMatchObject(found('note', 'cascades-emulated'));
    expect(await cascades(both, { cascades: 'ignore' })).toMatchObject(found('warning', 'cascades-ignored'));
    for (const [tables, more, reason] of [
      [both, { cascades: 'refuse' }, 'cascades=refuse'],
      [both, { 'table.create': 'false' }, 'table.create=false'],
      [both, { 'snapshot.mode': 'never' }, 'without a snapshot'],
      [both, { 'column.exclude.list': `${database.name}\\.child\\.parent` }, 'column.exclude.list leaves out'],
      ['child', {}, 'departments is not captured'],
    ] as const)
      expect(await cascades(tables, more)).toMatchObject(found('error', 'cascades-not-captured', reason));
  });

  it('tells which privileges are missing, and that a password is wrong', async () => {
    await query('CREATE TABLE secret (id INT PRIMARY KEY)');
    const poor = await createUser(servers[product], { grants: [`SELECT ON ${database.name}.*`] });
    const as = (password: string) =>
      createMysqlSource(
        mysqlConfig({ ...servers[product], user: poor.user, password }, database.name, {
          'table.include.list': `${database.name}.secret`,
        }),
        silentLogger,
      );
    const findings = await as(poor.password).validate();
    expect(
      findings.filter((finding) => finding.code === 'source-missing-grant').map((finding) => finding.hint),
    ).toEqual([
      expect.stringMatching(/^GRANT REPLICATION (CLIENT|SLAVE) ON \*\.\* TO /),
      expect.stringMatching(/^GRANT (REPLICATION SLAVE|BINLOG MONITOR) ON \*\.\* TO /),
    ]);
    await expect(as('wrong').validate()).rejects.toMatchObject({ code: 'source-access-denied' });
    expect(await runSource(as('wrong'), null).failure()).toMatchObject({ code: 'source-access-denied' });
  });
});
