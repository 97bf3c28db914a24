// What the groups of topics can say that a configuration names in topic.creation.groups.
import { bounds } from '../../core/bounds.js';
import {
  defaultCleanup,
  groupNames,
  groupsProperty,
  retentionBytesDoc,
  retentionMsDoc,
  topicPrefix,
} from '../topic-creation.js';
import { group, long, patterns, whole, type PropertyDef } from './property.js';

const output = group('Output');

export function topicGroupDefs(config: Readonly<Record<string, unknown>>): readonly PropertyDef[] {
  const names = new Set(groupNames(config[groupsProperty]).filter((name) => name !== 'default'));
  return [...names].flatMap((name) => {
    const at = (property: string) => `${topicPrefix}${name}.${property}`;
    return [
      output.implemented(at('include'), `topics of group ${name}: regular expressions for whole names`, {
        ...patterns,
        required: true,
      }),
      output.implemented(at('exclude'), `topics that are not of group ${name}`, patterns),
      output.implemented(at('partitions'), 'partitions of a new topic; by default those of the default group', {
        ...whole,
        min: 1,
        max: bounds.partitions.value,
      }),
      output.accepted(at('replication.factor'), 'the broker default is used', whole),
      output.implemented(at('cleanup.policy'), `of a new topic; ${defaultCleanup} by default`, {
        values: ['compact', 'delete'],
      }),
      output.implemented(at('retention.ms'), retentionMsDoc, { ...long, min: -1 }),
      output.implemented(at('retention.bytes'), retentionBytesDoc, { ...long, min: -1 }),
    ];
  });
}
