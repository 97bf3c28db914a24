// Migrations as the migration tools of Rails, Django, Prisma and Laravel write them: the statements that each sends for what its users ask
// of it, over whatever tables there are. What they add begins with `m_`, and is what they mostly rename, alter and drop, so that the
// application of the sample goes on working.
import type { Dice } from '../../support/harness/dice.js';

export interface Table {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly isKey: boolean }[];
}

export const frameworks = ['rails', 'django', 'prisma', 'laravel'] as const;

type Kind = (dice: Dice, tables: readonly Table[]) => readonly string[];

const q = (name: string): string => `\`${name}\``;
const fresh = (dice: Dice): string => `m_${dice.between(1, 99_999)}`;
const alter = (table: Table, ...clauses: readonly string[]): string =>
  `ALTER TABLE ${q(table.name)} ${clauses.join(', ')}`;

/** Mostly of what migrations added. */
function column(dice: Dice, table: Table): string | undefined {
  const added = table.columns.filter(({ name }) => name.startsWith('m_'));
  const plain = table.columns.filter(({ isKey }) => !isKey);
  const among = added.length > 0 && dice.chance(0.9) ? added : dice.chance(0.1) ? plain : added;
  return among.length === 0 ? undefined : dice.pick(among).name;
}

/** Nothing, where there is no column for it. */
function ofColumn(work: (table: Table, name: string, dice: Dice) => readonly string[]): Kind {
  return (dice, tables) => {
    const candidates = tables.filter(({ columns }) => columns.some(({ name }) => name.startsWith('m_')));
    const table = dice.pick(candidates.length > 0 ? candidates : tables);
    const name = column(dice, table);
    return name === undefined ? [] : work(table, name, dice);
  };
}

const ofTable =
  (work: (table: Table, dice: Dice) => readonly string[]): Kind =>
  (dice, tables) =>
    work(dice.pick(tables), dice);

const parent = [
  'CREATE TABLE IF NOT EXISTS m_parents (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, label VARCHAR(40) NOT NULL)',
  "INSERT INTO m_parents (label) VALUES ('one'), ('two'), ('three')",
];

// Numbers that any column may get are above 0, which MariaDB takes for the zero date: with one a table stands still, as it should, until
// somebody says what becomes of such dates.

const rails: readonly Kind[] = [
  ofTable((table, dice) => [alter(table, `ADD ${q(fresh(dice))} VARCHAR(255)`)]),
  ofTable((table, dice) => [alter(table, `ADD ${q(fresh(dice))} TINYINT(1) DEFAULT ${dice.between(0, 1)} NOT NULL`)]),
  ofTable((table, dice) => [
    alter(
      table,
      `ADD ${q(`${fresh(dice)}_created_at`)} DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) NOT NULL`,
      `ADD ${q(`${fresh(dice)}_updated_at`)} DATETIME(6) NULL`,
    ),
  ]),
  ofColumn((table, name, dice) => [alter(table, `RENAME COLUMN ${q(name)} TO ${q(fresh(dice))}`)]),
  ofColumn((table, name) => [alter(table, `CHANGE ${q(name)} ${q(name)} TEXT`)]),
  ofColumn((table, name, dice) => [
    `UPDATE ${q(table.name)} SET ${q(name)} = ${dice.between(1, 99)} WHERE ${q(name)} IS NULL`,
    alter(table, `CHANGE ${q(name)} ${q(name)} BIGINT NOT NULL`),
  ]),
  ofColumn((table, name) => [
    `CREATE INDEX ${q(`index_${name}`)} ON ${q(table.name)} (${q(name)})`,
    `DROP INDEX ${q(`index_${name}`)} ON ${q(table.name)}`,
  ]),
  ofTable((table, dice) => {
    const name = fresh(dice);
    return [
      ...parent,
      alter(table, `ADD ${q(name)} BIGINT`),
      alter(table, `ADD CONSTRAINT ${q(`fk_${name}`)} FOREIGN KEY (${q(name)}) REFERENCES m_parents (id)`),
      `UPDATE ${q(table.name)} SET ${q(name)} = (SELECT MIN(id) FROM m_parents) LIMIT 10`,
    ];
  }),
  (dice) => [
    'CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR(255) NOT NULL PRIMARY KEY)',
    `INSERT IGNORE INTO schema_migrations VALUES ('2026${dice.between(100_000, 999_999)}')`,
  ],
  (dice) => {
    const name = fresh(dice);
    return [
      `CREATE TABLE ${q(name)} (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, title VARCHAR(255), price DECIMAL(8,2), created_at DATETIME(6) NOT NULL)`,
      `INSERT INTO ${q(name)} (title, price, created_at) VALUES ('a', 1.5, NOW(6)), ('b', NULL, NOW(6))`,
      ...(dice.chance(0.5) ? [`DROP TABLE ${q(name)}`] : []),
    ];
  },
];

const django: readonly Kind[] = [
  ofTable((table, dice) => {
    const name = q(fresh(dice));
    return [
      alter(table, `ADD COLUMN ${name} INTEGER DEFAULT ${dice.between(-9, 9)} NOT NULL`),
      alter(table, `ALTER COLUMN ${name} DROP DEFAULT`),
    ];
  }),
  ofTable((table, dice) => [alter(table, `ADD COLUMN ${q(fresh(dice))} LONGTEXT NULL`)]),
  ofTable((table, dice) => {
    const name = q(fresh(dice));
    return [
      alter(table, `ADD COLUMN ${name} JSON NULL`),
      `UPDATE ${q(table.name)} SET ${name} = '{"a": [1, 2.50]}' LIMIT 7`,
    ];
  }),
  ofColumn((table, name) => [alter(table, `MODIFY ${q(name)} VARCHAR(200) NULL`)]),
  ofColumn((table, name, dice) => [
    'BEGIN',
    `UPDATE ${q(table.name)} SET ${q(name)} = ${dice.between(1, 50)} LIMIT 25`,
    `UPDATE ${q(table.name)} SET ${q(name)} = NULL LIMIT 5`,
    'COMMIT',
  ]),
  ofColumn((table, name) => [
    alter(table, `ADD CONSTRAINT ${q(`uniq_${name}`)} UNIQUE (${q(name)})`),
    alter(table, `DROP INDEX ${q(`uniq_${name}`)}`),
  ]),
  ofTable((table) => [
    `RENAME TABLE ${q(table.name)} TO ${q(`m_renamed_${table.name}`)}`,
    `RENAME TABLE ${q(`m_renamed_${table.name}`)} TO ${q(table.name)}`,
  ]),
  ofColumn((table, name) => [alter(table, `DROP COLUMN ${q(name)}`)]),
  (dice) => {
    const name = fresh(dice);
    return [
      ...parent,
      `CREATE TABLE ${q(name)} (id BIGINT AUTO_INCREMENT NOT NULL PRIMARY KEY, left_id BIGINT NOT NULL, right_id BIGINT NOT NULL)`,
      `ALTER TABLE ${q(name)} ADD CONSTRAINT ${q(`${name}_left`)} FOREIGN KEY (left_id) REFERENCES m_parents (id) ON DELETE CASCADE`,
      `INSERT INTO ${q(name)} (left_id, right_id) SELECT id, 1 FROM m_parents`,
      'DELETE FROM m_parents ORDER BY id LIMIT 1',
    ];
  },
];

const prisma: readonly Kind[] = [
  (dice) => [
    'CREATE TABLE IF NOT EXISTS _prisma_migrations (id VARCHAR(36) NOT NULL PRIMARY KEY, finished_at DATETIME(3), started_at DATETIME(3) NOT NULL DEFAULT NOW(3), applied_steps_count INT UNSIGNED NOT NULL DEFAULT 0)',
    `INSERT IGNORE INTO _prisma_migrations (id) VALUES ('${dice.between(1, 9999)}')`,
    'UPDATE _prisma_migrations SET finished_at = NOW(3), applied_steps_count = applied_steps_count + 1',
  ],
  ofColumn((table, name, dice) => [
    alter(
      table,
      `DROP COLUMN ${q(name)}`,
      `ADD COLUMN ${q(fresh(dice))} ENUM('ADMIN', 'USER') NOT NULL DEFAULT 'USER'`,
      `ADD COLUMN ${q(fresh(dice))} DOUBLE NULL`,
    ),
  ]),
  ofTable((table, dice) => {
    const name = q(fresh(dice));
    return [
      alter(table, `ADD COLUMN ${name} ENUM('ADMIN', 'USER') NULL`),
      `UPDATE ${q(table.name)} SET ${name} = 'ADMIN' LIMIT 6`,
      alter(table, `MODIFY ${name} ENUM('OWNER', 'ADMIN', 'USER') NULL`),
    ];
  }),
  ofTable((table, dice) => {
    const name = fresh(dice);
    return [
      ...parent,
      alter(table, `ADD COLUMN ${q(name)} BIGINT NULL`),
      alter(
        table,
        `ADD CONSTRAINT ${q(`fk_${name}`)} FOREIGN KEY (${q(name)}) REFERENCES m_parents (id) ON DELETE SET NULL ON UPDATE CASCADE`,
      ),
      `UPDATE ${q(table.name)} SET ${q(name)} = (SELECT MAX(id) FROM m_parents) LIMIT 9`,
      'DELETE FROM m_parents ORDER BY id DESC LIMIT 1',
    ];
  }),
  ofColumn((table, name) => [
    alter(table, `DROP FOREIGN KEY ${q(`fk_${name}`)}`),
    alter(table, `DROP COLUMN ${q(name)}`),
  ]),
  ofColumn((table, name) => [
    `CREATE INDEX ${q(`${name}_idx`)} ON ${q(table.name)} (${q(name)})`,
    alter(table, `RENAME INDEX ${q(`${name}_idx`)} TO ${q(`${name}_key`)}`),
  ]),
];

const laravel: readonly Kind[] = [
  ofTable((table, dice) => [
    alter(table, `ADD ${q(fresh(dice))} VARCHAR(255) NULL AFTER ${q(table.columns[0]!.name)}`),
  ]),
  ofTable((table, dice) => [alter(table, `ADD ${q(`${fresh(dice)}_deleted_at`)} TIMESTAMP NULL`)]),
  ofTable((table, dice) => [
    alter(
      table,
      `ADD ${q(fresh(dice))} INT UNSIGNED NOT NULL DEFAULT '${dice.between(0, 9)}' COMMENT 'added; with a comment'`,
    ),
  ]),
  ofColumn((table, name) => [alter(table, `MODIFY ${q(name)} BIGINT UNSIGNED NULL`)]),
  ofColumn((table, name, dice) => [alter(table, `CHANGE ${q(name)} ${q(fresh(dice))} VARCHAR(100) NULL FIRST`)]),
  ofTable((table) => [alter(table, "COMMENT = 'of the application'")]),
  ofTable((table) => [alter(table, 'ENGINE = InnoDB')]),
  ofTable((table, dice) => [
    alter(
      table,
      `ADD ${q(fresh(dice))} VARCHAR(60) GENERATED ALWAYS AS (CONCAT('g', ${q(table.columns[0]!.name)})) STORED`,
    ),
  ]),
  ofColumn((table, name) => [alter(table, `DROP ${q(name)}`)]),
  () => [
    'CREATE TABLE IF NOT EXISTS m_jobs (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, queue VARCHAR(255) NOT NULL, payload LONGTEXT NOT NULL, attempts TINYINT UNSIGNED NOT NULL, reserved_at INT UNSIGNED NULL)',
    `INSERT INTO m_jobs (queue, payload, attempts) VALUES ('default', REPEAT('x', 5000), 0), ('mail', '{}', 1)`,
    'DELETE FROM m_jobs ORDER BY id LIMIT 1',
  ],
  () => ['DROP TABLE IF EXISTS m_jobs'],
  () => ['TRUNCATE m_jobs'],
];

const kinds: Readonly<Record<(typeof frameworks)[number], readonly Kind[]>> = { rails, django, prisma, laravel };

/** One migration: statements in their order. */
export function migration(dice: Dice, tables: readonly Table[]): readonly string[] {
  return dice.pick(kinds[dice.pick(frameworks)])(dice, tables);
}
