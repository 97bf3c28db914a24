// Fixtures that carry what is expected in columns of their own: documents as text (`expected...` beside `json`), the coordinates of a
// point (`expected_x`, `expected_y`, `expected_srid`). Checked where the source itself gives what is expected there.
import { canonicalJson } from './exact-document.js';
import type { ComparedTable, Comparison } from './compare.js';

interface Expected {
  readonly difference: string | undefined;
  readonly notes: readonly string[];
}

export function storedExpectations({ tables }: Pick<Comparison, 'tables'>): Expected {
  let difference: string | undefined;
  const notes: string[] = [];
  for (const table of tables) {
    if (table.servedAs === undefined) continue;
    const { checked, unmet, wrong } = checkTable(table);
    difference ??= wrong;
    if (checked > 0) notes.push(`${table.source.table}: ${checked} values as its own columns expect them`);
    if (unmet > 0) notes.push(`${table.source.table}: ${unmet} values that this source itself prints otherwise`);
  }
  return { difference, notes };
}

function checkTable({ source, served }: ComparedTable): { checked: number; unmet: number; wrong: string | undefined } {
  const at = (name: string): number => source.columns.findIndex((column) => column.name.toLowerCase() === name);
  const expectations = source.columns.filter(({ name }) => /^expected\w*str$/i.test(name)).map(({ name }) => name);
  let checked = 0;
  let unmet = 0;
  let wrong: string | undefined;
  const meet = (what: string, expected: string, said: string, found: string): void => {
    if (said !== expected) unmet++;
    else if (found === said) checked++;
    else wrong ??= `${source.table}: ${what} is served as ${found}, its own column expects ${expected}`;
  };
  const byKey = new Map(served.map((row) => [String(row.get(source.key[0]!)), row]));
  const keyAt = source.columns.findIndex(({ name }) => name === source.key[0]);
  for (const row of source.rows) {
    const id = row[keyAt]?.toString() ?? '';
    const found = byKey.get(id);
    if (found === undefined) continue;
    const name = source.columns[at('json')]?.name;
    if (name !== undefined && row[at('json')] !== null) {
      for (const column of expectations) {
        const expected = row[at(column.toLowerCase())];
        if (!expected) continue;
        const said = plainDocument(row[at('json')]!.toString());
        meet(`${name} of ${id}`, plainDocument(expected.toString()), said, plainDocument(String(found.get(name))));
      }
    }
    const point = row[at('point')];
    if (point && at('expected_x') >= 0) {
      const [x, y, srid] = ['expected_x', 'expected_y', 'expected_srid'].map(
        (each) => row[at(each)]?.toString() ?? '0',
      );
      const said = coordinates(point.readUInt32LE(0), point.subarray(4));
      const column = source.columns[at('point')]!.name;
      meet(`${column} of ${id}`, [Number(x), Number(y), srid].join(), said, servedCoordinates(found.get(column)));
    }
  }
  return { checked, unmet, wrong };
}

/** What a program prints of times and bytes in a document differs in form: zeros behind the second, the type in front of base64. */
function plainDocument(text: string): string {
  try {
    return canonicalJson(text)
      .replaceAll(/(\d\d:\d\d:\d\d)\.(\d*?)0+"/g, (_, time: string, digits: string) =>
        digits === '' ? `${time}"` : `${time}.${digits}"`,
      )
      .replaceAll(/base64:type\d+:/g, '');
  } catch {
    return text;
  }
}

function coordinates(srid: number, wkb: Buffer): string {
  const little = wkb[0] === 1;
  const read = (offset: number): number => (little ? wkb.readDoubleLE(offset) : wkb.readDoubleBE(offset));
  return wkb.length < 21 ? 'no point' : [read(5), read(13), srid].join();
}

function servedCoordinates(value: unknown): string {
  if (typeof value === 'string') return coordinates(0, Buffer.from(value, 'base64'));
  const fields = new Map(
    Object.entries((value ?? {}) as object).map(([name, field]) => [name.toLowerCase(), field as unknown]),
  );
  const wkb = fields.get('wkb');
  return typeof wkb === 'string'
    ? coordinates(Number(fields.get('srid') ?? 0), Buffer.from(wkb, 'base64'))
    : 'no point';
}
