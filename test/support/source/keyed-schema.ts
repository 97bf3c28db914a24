// Random tables that refer to each other, and random statements over them: for tests of foreign keys that change rows.
import type { Connection } from 'mysql2/promise';
import type { Dice } from '../harness/dice.js';

export interface KeyedSchema {
  readonly create: readonly string[];
  readonly tables: readonly string[];
  statement(dice: Dice): string;
}

interface Key {
  /** What of the parent it refers to. */
  readonly to: 'id' | 'code' | 'pair';
  readonly parent: number;
  readonly columns: readonly string[];
}

interface Table {
  readonly name: string;
  readonly keys: readonly Key[];
}

const actions = ['CASCADE', 'CASCADE', 'SET NULL', 'RESTRICT'];

export function randomKeys(dice: Dice, product: 'mysql' | 'mariadb'): KeyedSchema {
  const count = dice.between(3, 5);
  const collation = dice.pick(
    product === 'mysql'
      ? ['utf8mb4_0900_ai_ci', 'utf8mb4_bin', 'utf8mb4_general_ci']
      : ['utf8mb4_general_ci', 'utf8mb4_bin', 'utf8mb4_unicode_ci', 'latin1_swedish_ci'],
  );
  const charset = collation.split('_')[0]!;
  const tables: Table[] = [];
  const create: string[] = [];
  for (let t = 0; t < count; t++) {
    const keys: Key[] = [];
    const lines: string[] = [];
    const wide = dice.chance(0.3);
    for (let k = t === 0 ? 0 : dice.between(1, 2); k > 0; k--) {
      const self = dice.chance(0.2);
      const parent = self ? t : dice.between(0, t - 1);
      const to = dice.pick(['id', 'id', 'code', 'pair'] as const);
      const columns = to === 'pair' ? [`g${k}`, `f${k}`] : [`f${k}`];
      if (keys.some((key) => key.parent === parent && key.to === to)) continue;
      const onUpdate = self ? 'RESTRICT' : dice.pick(actions);
      const references = { id: 'id', code: 'code', pair: 'grp, id' }[to];
      const text = `VARCHAR(12) CHARACTER SET ${charset} COLLATE ${collation}`;
      lines.push(...columns.map((column) => `${column} ${to === 'code' ? text : 'INT'}`));
      lines.push(
        `FOREIGN KEY (${columns.join(', ')}) REFERENCES t${parent} (${references}) ON DELETE ${dice.pick(actions)} ON UPDATE ${onUpdate}`,
      );
      keys.push({ to, parent, columns });
    }
    // A key of its own that follows a parent's.
    const follows = t > 0 && dice.chance(0.3) ? dice.between(0, t - 1) : undefined;
    if (follows !== undefined) {
      lines.push(
        `owner INT NOT NULL`,
        `FOREIGN KEY (owner) REFERENCES t${follows} (id) ON DELETE CASCADE ON UPDATE CASCADE`,
      );
      keys.push({ to: 'id', parent: follows, columns: ['owner'] });
    }
    const primary = follows !== undefined ? 'owner, id' : wide ? 'grp, id' : 'id';
    tables.push({ name: `t${t}`, keys });
    const columns = [
      'id INT NOT NULL',
      'grp INT NOT NULL DEFAULT 1',
      `code VARCHAR(12) CHARACTER SET ${charset} COLLATE ${collation}`,
      'v INT',
    ];
    const indexes = [
      `PRIMARY KEY (${primary})`,
      'UNIQUE KEY by_id (id)',
      'UNIQUE KEY by_pair (grp, id)',
      'UNIQUE KEY by_code (code)',
    ];
    create.push(`CREATE TABLE t${t} (${[...columns, ...lines, ...indexes].join(', ')})`);
  }
  const values = (key: Key, dice: Dice): string[] => {
    const nothing = dice.chance(0.15) && key.columns[0] !== 'owner';
    if (nothing) return key.columns.map(() => 'NULL');
    if (key.to === 'code') return [code(dice)];
    return key.to === 'pair' ? [String(dice.between(1, 2)), id(dice)] : [id(dice)];
  };
  create.push('CREATE TABLE finish (id INT PRIMARY KEY)');
  return {
    create,
    tables: tables.map(({ name }) => name),
    statement(throwing) {
      const { name, keys } = throwing.pick(tables);
      const where = `id ${throwing.pick(['=', '=', '=', '>='])} ${id(throwing)}${throwing.chance(0.2) ? ' ORDER BY id DESC LIMIT 3' : ''}`;
      const kind = throwing.between(0, 11);
      if (kind <= 5) {
        const columns = ['id', 'grp', 'code', 'v', ...keys.flatMap((key) => key.columns)];
        const row = () => [
          id(throwing),
          String(throwing.between(1, 2)),
          throwing.chance(0.5) ? code(throwing) : 'NULL',
          String(throwing.between(0, 99)),
          ...keys.flatMap((key) => values(key, throwing)),
        ];
        const rows = Array.from({ length: throwing.between(1, 3) }, () => `(${row().join(', ')})`).join(', ');
        const verb = throwing.pick(['INSERT', 'INSERT', 'REPLACE', 'INSERT IGNORE']);
        const tail =
          verb === 'INSERT' && throwing.chance(0.3) ? ` ON DUPLICATE KEY UPDATE id = ${id(throwing)}, v = 7` : '';
        return `${verb} INTO ${name} (${columns.join(', ')}) VALUES ${rows}${tail}`;
      }
      if (kind === 6) return `DELETE FROM ${name} WHERE ${where}`;
      if (kind === 7) return `DELETE FROM ${name} WHERE id = ${id(throwing)}`;
      if (kind === 8) return `UPDATE ${name} SET id = ${id(throwing)} WHERE id = ${id(throwing)}`;
      if (kind === 9)
        return `UPDATE ${name} SET code = ${code(throwing)}, grp = ${throwing.between(1, 2)} WHERE id = ${id(throwing)}`;
      if (kind === 10 && keys.length > 0) {
        const key = throwing.pick(keys);
        const to = values(key, throwing);
        return `UPDATE ${name} SET ${key.columns.map((column, i) => `${column} = ${to[i]!}`).join(', ')} WHERE ${where}`;
      }
      return `UPDATE ${name} SET v = v + 1 WHERE ${where}`;
    },
  };
}

export async function writeRandomly(
  connection: Connection,
  schema: KeyedSchema,
  dice: Dice,
  transactions: number,
): Promise<void> {
  for (let i = 0; i < transactions; i++) {
    const whole = dice.chance(0.7);
    if (whole) await connection.query('BEGIN');
    const unchecked = dice.chance(0.08);
    if (unchecked) await connection.query('SET foreign_key_checks = 0');
    for (let n = dice.between(1, 10); n > 0; n--) {
      try {
        await connection.query(schema.statement(dice));
      } catch (error) {
        const { errno } = error as { errno?: number };
        // A duplicate key, or what a foreign key does not let through; a column that takes no NULL.
        if (![1062, 1451, 1452, 1048, 1761].includes(errno ?? 0)) throw error;
      }
    }
    if (unchecked) await connection.query('SET foreign_key_checks = 1');
    if (whole) await connection.query(dice.chance(0.15) ? 'ROLLBACK' : 'COMMIT');
  }
}

function id(dice: Dice): string {
  return String(dice.between(1, 9));
}

/** Some are equal by case, accent or spaces at their end, as collations have it. */
function code(dice: Dice): string {
  const text = dice.pick(['a', 'A', 'b', 'B ', 'b', 'c', 'ä', 'Ä', 'd', 'D', 'e', 'é', 'ss', 'ß', 'f', 'g']);
  return `'${text}'`;
}
