import { describe, expect, it } from 'vitest';
import { foreignKeysOf, keyChangeOf, sameKey } from '../../../../src/source/mysql/foreign-keys.js';

const child = { database: 'db', table: 'child' };

describe('foreign keys in the text of a table', () => {
  it('are found with odd names, and not in comments, defaults and strings', () => {
    const text = `CREATE TABLE \`ch.ild\` (
  \`id\` int(11) NOT NULL COMMENT 'FOREIGN KEY (\`x\`) REFERENCES \`y\` (\`z\`) ON DELETE CASCADE',
  \`od,d\`\`col\` int(11) DEFAULT NULL,
  \`FOREIGN KEY\` varchar(20) DEFAULT 'it''s \\\\' CHECK (\`FOREIGN KEY\` <> ') REFERENCES a (b)'),
  PRIMARY KEY (\`id\`),
  KEY \`foreign\` (\`od,d\`\`col\`),
  CONSTRAINT \`c.1\`\`\` FOREIGN KEY (\`od,d\`\`col\`, \`id\`) REFERENCES \`pa.rent\` (\`a(\`, \`b)\`) ON DELETE CASCADE,
  CONSTRAINT \`two\` FOREIGN KEY (\`id\`) REFERENCES \`other\`.\`p\` (\`x\`) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT \`three\` FOREIGN KEY (\`id\`) REFERENCES \`q\` (\`x\`) ON DELETE NO ACTION ON UPDATE SET DEFAULT
) ENGINE=InnoDB COMMENT='FOREIGN KEY (a) REFERENCES b (c)'
/*!50100 PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (1)) */`;
    expect(foreignKeysOf(text, child)).toEqual([
      {
        name: 'c.1`',
        child,
        parent: { database: 'db', table: 'pa.rent' },
        columns: ['od,d`col', 'id'],
        parentColumns: ['a(', 'b)'],
        onDelete: 'cascade',
        onUpdate: 'none',
      },
      {
        name: 'two',
        child,
        parent: { database: 'other', table: 'p' },
        columns: ['id'],
        parentColumns: ['x'],
        onDelete: 'set-null',
        onUpdate: 'cascade',
      },
      {
        name: 'three',
        child,
        parent: { database: 'db', table: 'q' },
        columns: ['id'],
        parentColumns: ['x'],
        onDelete: 'none',
        onUpdate: 'set-default',
      },
    ]);
  });

  it('are brought and taken by statements', () => {
    const added = keyChangeOf(
      'ALTER TABLE child ADD CONSTRAINT FOREIGN KEY fk_index (a) REFERENCES d2.p(x) MATCH FULL ON UPDATE CASCADE, DROP FOREIGN KEY `old.one`, DROP CONSTRAINT IF EXISTS two',
      'db',
    )!;
    expect(added).toMatchObject({ table: child, dropped: ['old.one', 'two'], creates: false });
    expect(added.added).toMatchObject([
      {
        name: undefined,
        columns: ['a'],
        parent: { database: 'd2', table: 'p' },
        onUpdate: 'cascade',
        onDelete: 'none',
      },
    ]);
    const created = keyChangeOf(
      '/* FOREIGN */ CREATE TABLE IF NOT EXISTS `x`.`child` (id INT PRIMARY KEY, b INT, foreign key (b) references p (id) on delete set null)',
      'db',
    )!;
    expect(created).toMatchObject({ table: { database: 'x', table: 'child' }, creates: true });
    expect(created.added).toMatchObject([{ parent: { database: 'x', table: 'p' }, onDelete: 'set-null' }]);
    expect(keyChangeOf('ALTER TABLE child ADD INDEX (a)', 'db')).toBeUndefined();
    expect(keyChangeOf('DROP TABLE foreign_constraint', 'db')).toBeUndefined();
    expect(keyChangeOf('ALTER TABLE child ADD FOREIGN KEY (a) REFERENCES p (x)', 'db')!.added).toEqual([]);
  });

  it('without a name are the same as those that the server has named', () => {
    const [one] = foreignKeysOf('FOREIGN KEY (a) REFERENCES p (x) ON DELETE CASCADE', child);
    const [named] = foreignKeysOf('CONSTRAINT c FOREIGN KEY (a) REFERENCES p (x) ON DELETE CASCADE', child);
    const [other] = foreignKeysOf('CONSTRAINT d FOREIGN KEY (a) REFERENCES p (x) ON DELETE CASCADE', child);
    expect(sameKey(one!, named!)).toBe(true);
    expect(sameKey(named!, other!)).toBe(false);
  });
});
