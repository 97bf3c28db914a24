// What `verify` is for: 100 rows are made wrong in the data file of a stopped process, and 100 at the server past its binlog; each of them
// is named, no other, and `--repair` mends all of them.
import { join } from 'node:path';
import type { App } from '../../support/harness/app-process.js';
import type { Figures } from '../../support/harness/figures.js';
import { withConnection, type SqlAddress } from '../../support/servers/sql-client.js';
import { Database } from '../../support/sqlite-driver.js';
import { ledgerDatabase } from './ledger.js';

export interface Falsified {
  readonly app: App;
  readonly primary: SqlAddress;
  readonly verify: (...args: readonly string[]) => Promise<{ readonly code: number; readonly out: string }>;
}

interface Verified {
  readonly differences: readonly { readonly table: string; readonly key: string }[];
}

const wrong = 100;
/** Keys that the server has nowhere begin there. */
const foreign = 1_000_000;

export async function falsifyAndRepair({ app, primary, verify }: Falsified): Promise<Figures> {
  await app.stop();
  const inFile = falsifyFile(join(app.dataDir, 'writethrough.db'));
  await app.start();
  await findAndRepair('the data file', inFile, verify);
  const atServer = await falsifyServer(primary);
  await findAndRepair('the server', atServer, verify);
  return { 'rows falsified in the data file, found, mended': inFile.length, 'at the server': atServer.length };
}

/** Accounts alone: nothing is derived from them, so a wrong row is wrong in one place. */
function falsifyFile(path: string): readonly string[] {
  const file = new Database(path);
  try {
    const [{ name }] = file
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 't%\\_v%' ESCAPE '\\' AND sql LIKE '%balance%'",
      )
      .all() as [{ name: string }];
    const ids = file.prepare(`SELECT id FROM ${name} ORDER BY id * 7919 % 1009 LIMIT ${wrong}`).all() as {
      id: number;
    }[];
    ids.forEach(({ id }, i) => {
      const change = [
        `UPDATE ${name} SET balance = balance + 1 WHERE id = ${id}`,
        `UPDATE ${name} SET owner = owner || 'x' WHERE id = ${id}`,
        `DELETE FROM ${name} WHERE id = ${id}`,
        // A row is missing, and there is one that nobody has.
        `UPDATE ${name} SET id = id + ${foreign} WHERE id = ${id}`,
      ][i % 4]!;
      file.exec(change);
    });
    return ids.flatMap(({ id }, i) => (i % 4 === 3 ? [id, id + foreign] : [id])).map((id) => `accounts {"id":${id}}`);
  } finally {
    file.close();
  }
}

async function falsifyServer(primary: SqlAddress): Promise<readonly string[]> {
  return withConnection(primary, async (connection) => {
    await connection.query(`SET SESSION sql_log_bin = 0; USE ${ledgerDatabase}`);
    const [found] = await connection.query(`SELECT id FROM orders ORDER BY MOD(id * 7919, 1009) LIMIT ${wrong - 20}`);
    const keys: string[] = [];
    for (const [i, { id }] of (found as { id: number }[]).entries()) {
      if (i % 3 === 0) {
        await connection.query(`SET SESSION foreign_key_checks = 0; DELETE FROM orders WHERE id = ${id}`);
      } else await connection.query(`UPDATE orders SET amount = amount + 0.01 WHERE id = ${id}`);
      keys.push(`orders {"id":${id}}`);
    }
    for (let id = 90_001; id <= 90_020; id++) {
      await connection.query(`INSERT INTO orders SELECT ${id}, id, 1, NULL FROM accounts LIMIT 1`);
      keys.push(`orders {"id":${id}}`);
    }
    return keys;
  });
}

async function findAndRepair(where: string, keys: readonly string[], verify: Falsified['verify']): Promise<void> {
  const found = await verify('--json');
  const named = differences(found.out);
  const missed = keys.filter((key) => !named.includes(key));
  const invented = named.filter((key) => !keys.includes(key));
  if (found.code !== 1 || missed.length + invented.length > 0) {
    throw new Error(
      `rows falsified in ${where}: verify ends with ${found.code}, misses ${missed.join()}, and names ${invented.join()}`,
    );
  }
  const repaired = await verify('--repair');
  if (repaired.code !== 0) throw new Error(`rows falsified in ${where}: --repair ends with ${repaired.code}`);
  const after = await verify('--json');
  if (after.code !== 0) throw new Error(`rows falsified in ${where}: after the repair verify ends with ${after.code}`);
}

function differences(out: string): readonly string[] {
  const ended = JSON.parse(out) as readonly Verified[];
  return ended.flatMap((each) => each.differences.map(({ table, key }) => `${table.replace(/^.*\./, '')} ${key}`));
}
