// Whether values are flat rows or envelopes, and what a delete leaves: decided by the class, by its properties and by the transform that
// unwraps.
import type { SourceFinding } from '../source/source-connector.js';
import type { RowShape } from '../schema/formats/format.js';
import { noteOf, problemOf } from './findings.js';
import type { EnvelopeOutput } from './output-settings.js';
import type { PluginClass } from './plugins.js';
import { readTransforms, type Transforms } from './transforms/read-transforms.js';
import type { TransformStep } from './transforms/transform-step.js';

type Values = ReadonlyMap<string, string>;

const unchanged = 'skip.messages.without.change';

export interface OutputShape {
  readonly shape: RowShape;
  readonly envelope?: EnvelopeOutput | undefined;
  /** Behind a delete, or as it. */
  readonly tombstones: boolean;
  readonly transforms: Transforms['transforms'];
}

export function outputShape(plugin: PluginClass, values: Values): OutputShape {
  const { transforms, unwrapped, withoutTombstones } = readTransforms(values);
  const tombstones = values.get('tombstones.on.delete') !== 'false' && !withoutTombstones;
  const own = ownShape(plugin, values);
  // Flat rows pass the transform that unwraps as they are.
  if (own !== 'envelope') {
    return { shape: own, tombstones, transforms: transforms.filter(({ unwraps }) => unwraps !== true) };
  }
  if (!unwrapped) {
    return {
      shape: own,
      envelope: {
        connector: debeziumName(plugin),
        transactions: values.get('provide.transaction.metadata') === 'true',
        skipsUnchanged: values.get(unchanged) === 'true',
      },
      tombstones,
      transforms,
    };
  }
  const left = unwrapped.deletes === 'become-tombstones' ? !withoutTombstones : tombstones && unwrapped.tombstones;
  return { shape: unwrapped.shape, tombstones: left, transforms };
}

/** What Debezium calls the connector in its records. */
export function debeziumName(plugin: PluginClass): string {
  return /mariadb/i.test(plugin.name) ? 'mariadb' : 'mysql';
}

/** Of the class and its own properties; an envelope may still be unwrapped by a transform. */
function ownShape(plugin: PluginClass, values: Values): RowShape {
  const named = values.get('output.shape');
  if (named !== undefined) return named as RowShape;
  if (plugin.plain) return values.has('after.state.only') ? 'flat-with-deleted' : 'flat';
  return (values.get('after.state.only') ?? String(plugin.afterStateOnly)) === 'true'
    ? 'flat-with-deleted'
    : 'envelope';
}

export function checkShape(plugin: PluginClass, values: Values): readonly SourceFinding[] {
  const { transforms, unwanted, findings } = readTransforms(values);
  const all = [...findings];
  if (plugin.family !== 'mysql') {
    for (const { transform } of unwanted)
      all.push(
        problemOf(
          `transforms.${transform}.predicate`,
          'tables of this source are left out by their names',
          'leave them out by table.exclude.list',
        ),
      );
  }
  const flat = ownShape(plugin, values) !== 'envelope';
  const unwrapping = transforms.findIndex(({ unwraps }) => unwraps === true);
  if (unwrapping >= 0 && flat)
    all.push(
      noteOf(`transforms.${transforms[unwrapping]!.name}.type`, 'rows are flat already: the transform changes nothing'),
    );
  if (!flat) {
    const wrapped = unwrapping >= 0 ? transforms.slice(0, unwrapping) : transforms;
    for (const { name } of wrapped.filter(({ steps }) => steps.some(changesValues))) {
      all.push(
        problemOf(
          `transforms.${name}.type`,
          'the record is still an envelope here: the transform would change before, after and source, not the columns',
          unwrapping >= 0
            ? `name it behind ${transforms[unwrapping]!.name} in transforms`
            : 'unwrap the rows in front of it: io.debezium.transforms.ExtractNewRecordState',
        ),
      );
    }
    if (plugin.family !== 'mysql')
      all.push(
        problemOf(
          'output.shape',
          'an envelope has the row before each change, which this source does not keep',
          'set it to "flat" or "flat-with-deleted"',
        ),
      );
  }
  const shape = outputShape(plugin, values);
  if (shape.shape !== 'envelope' && values.get(unchanged) === 'true')
    all.push(
      problemOf(
        unchanged,
        'only envelopes have the row before an update to compare with',
        'leave it out: what is derived here, and change streams, do not hear of updates that change nothing',
      ),
    );
  if (shape.shape === 'flat' && !shape.tombstones) {
    const property = values.get('tombstones.on.delete') === 'false' ? 'tombstones.on.delete' : 'transforms';
    // The transform that unwraps has said so of itself.
    if (!all.some((finding) => finding.severity === 'error' && finding.property?.endsWith('.drop.tombstones') === true))
      all.push(
        problemOf(
          property,
          'no trace of deletes would be left, and the tables would keep rows that are gone',
          'leave tombstones in, or mark deleted rows: delete.tombstone.handling.mode "rewrite"',
        ),
      );
  }
  return all;
}

function changesValues(step: TransformStep): boolean {
  const { kind } = step;
  return (
    kind === 'mask' ||
    kind === 'add' ||
    kind === 'cast' ||
    kind === 'time' ||
    kind === 'flatten' ||
    (kind === 'replace' && step.side === 'value')
  );
}
