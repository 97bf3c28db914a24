// The statements of a storm: CREATE, CREATE AS, DROP and INSERT over twenty names, so that they meet each other all the time. A sequence
// is what one client sends one after the other: one statement, or a table replaced by hand (dropped, made again, filled).
import type { Dice } from './dice.js';

export interface Step {
  readonly kind: 'create-source' | 'create-as' | 'drop' | 'insert';
  readonly name: string;
  readonly sql: string;
  readonly source?: string;
  readonly lenient: boolean;
  readonly orReplace?: boolean;
  readonly deleteTopic?: boolean;
}

const streams = ['s0', 's1', 's2', 's3', 's4'];
const tables = ['t0', 't1', 't2', 't3', 't4'];
const derived = ['d0', 'd1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7', 'd8', 'd9'];
export const stormNames: readonly string[] = [...streams, ...tables, ...derived];

/** The table that is always there. */
export const stormSource = 'items';

export function drawStep(dice: Dice, name = dice.pick(stormNames)): Step {
  const isStream = name.startsWith('s');
  const isDerived = name.startsWith('d');
  const type = isStream ? 'STREAM' : 'TABLE';
  const lenient = dice.between(0, 1) === 0;
  const roll = dice.between(0, 9);
  if (roll < 4) {
    const deleteTopic = dice.between(0, 2) > 0;
    const sql = `DROP ${type} ${lenient ? 'IF EXISTS ' : ''}${name}${deleteTopic ? ' DELETE TOPIC' : ''};`;
    return { kind: 'drop', name, sql, lenient, deleteTopic };
  }
  if (isDerived) {
    const source = dice.pick([stormSource, stormSource, ...stormNames]);
    const select = source.startsWith('d')
      ? `SELECT v, n FROM ${source}`
      : `SELECT ${source === stormSource ? 'name AS v' : 'v'}, COUNT(*) AS n FROM ${source} GROUP BY ${source === stormSource ? 'name' : 'v'}`;
    const sql = `CREATE TABLE ${lenient ? 'IF NOT EXISTS ' : ''}${name} AS ${select};`;
    return { kind: 'create-as', name, sql, source, lenient };
  }
  if (roll < 7) {
    const sql = `INSERT INTO ${name} (id, v) VALUES (${dice.between(0, 19)}, 'v${dice.between(0, 4)}');`;
    return { kind: 'insert', name, sql, lenient: false };
  }
  const orReplace = !lenient && dice.between(0, 2) === 0;
  const key = isStream ? 'KEY' : 'PRIMARY KEY';
  const sql = `CREATE ${orReplace ? 'OR REPLACE ' : ''}${type} ${lenient ? 'IF NOT EXISTS ' : ''}${name} (id INT ${key}, v STRING) WITH (KAFKA_TOPIC='${name}', PARTITIONS=1, FORMAT='JSON');`;
  return { kind: 'create-source', name, sql, lenient, orReplace };
}

/** Some of them on one name, as somebody who replaces what is there does. */
export function drawSequence(dice: Dice): readonly Step[] {
  const name = dice.pick(stormNames);
  const length = dice.chance(0.5) ? 1 : dice.between(2, 4);
  return Array.from({ length }, () => drawStep(dice, name));
}
