// What the records of a table have of its columns, for sources that compare a table with what is held of it: the columns of the plan, and of
// each what it is made of. What a name becomes and what is made of values are matters of each column alone, so the records of the other
// columns are the same whatever columns come and go.
import { topicName } from '../core/topic-name.js';
import type { SourceTable } from '../core/row-encoder.js';
import type { ColumnUse } from '../schema/formats/projected-row-encoder.js';
import type { ColumnOrigin, RecordSchema } from '../source/source-connector.js';
import type { OutputSettings } from './output-settings.js';
import { planTable } from './table-plan.js';
import { applies } from './transforms/applied-transform.js';
import { replacedName } from './transforms/replaced-name.js';
import { renamed } from './transforms/topic-rename.js';

export function tableRecords(source: SourceTable, output: OutputSettings): RecordSchema {
  const { table, projection } = planTable(source, output);
  const origins = source.columns.flatMap((_, column): ColumnOrigin[] => {
    const use = projection?.columns[column] ?? { kind: 'keep' };
    if (use.kind === 'drop') return [];
    return [{ column, making: makingOf(use), keepsNull: !(use.kind === 'constant' && use.ofNull === true) }];
  });
  return {
    columns: table.columns.map(({ name, type }) => ({ name, type })),
    keyColumns: table.keyColumns,
    own: projection === undefined,
    origins: table.columns.map((_, i) => origins[i]),
    nameOf: (column) => nameOf(column, source, output),
  };
}

/** A value that 64 bits hold is the same number in either form. */
function makingOf(use: ColumnUse): string {
  if (use.kind === 'long' || use.kind === 'keep') return 'keep';
  return JSON.stringify(use, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

function nameOf(column: string, table: SourceTable, output: OutputSettings): string | undefined {
  let topic = topicName(output, table);
  let name: string | undefined = column;
  for (const transform of output.transforms) {
    if (!applies(transform, topic)) continue;
    for (const step of transform.steps) {
      if (step.kind === 'rename-topic') topic = renamed(topic, step.regex, step.replacement) ?? topic;
      else if (step.kind === 'replace' && step.side === 'value' && name !== undefined) name = replacedName(step, name);
    }
  }
  return name;
}
