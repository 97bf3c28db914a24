// Offsets as Kafka Connect's REST API shows and takes them (KIP-875): pairs of partition and offset. A connector here has one partition,
// named as Debezium names it, and its offset is the position of its source.
import { AppError } from '../core/errors.js';
import type { ConnectorOffset } from './connect-facade.js';
import { positionValue } from './connector-answers.js';
import type { StoredConnector } from './stored-connector.js';

function partitionOf({ name, config }: StoredConnector): { readonly server: string } {
  return { server: config['topic.prefix'] || config['database.server.name'] || name };
}

export function offsetsOf(
  stored: StoredConnector,
  position: string | null,
): { readonly offsets: readonly ConnectorOffset[] } {
  if (position === null) return { offsets: [] };
  return { offsets: [{ partition: partitionOf(stored), offset: positionValue(position) }] };
}

/** What is asked for of the one partition; null: its offset is given up. */
export function wantedOffset(
  stored: StoredConnector,
  offsets: readonly ConnectorOffset[],
): Readonly<Record<string, unknown>> | null {
  const { server } = partitionOf(stored);
  const [first, ...others] = offsets;
  const example = JSON.stringify({ server });
  if (first === undefined)
    throw new AppError('bad-request', 'no offset is given', { hint: `one, for the partition ${example}` });
  const strange = offsets.find(
    ({ partition }) => partition['server'] !== server || Object.keys(partition).length !== 1,
  );
  if (strange !== undefined)
    throw new AppError(
      'bad-request',
      `connector ${stored.name} has no partition ${JSON.stringify(strange.partition)}`,
      {
        hint: `its one partition is ${example}`,
      },
    );
  if (others.length > 0)
    throw new AppError('bad-request', `the partition ${example} is given ${offsets.length} times`, {
      hint: 'give it once',
    });
  return first.offset;
}
