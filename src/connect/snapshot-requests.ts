// Reading tables again on demand, as the herder passes it on to the task that runs.
import { AppError } from '../core/errors.js';
import type { SnapshotRequest } from '../source/source-connector.js';
import type { ConnectorState, SnapshotAnswer } from './connect-facade.js';
import type { ConnectorTask } from './herder-env.js';

export async function askSnapshot(
  name: string,
  { task, state }: { readonly task: ConnectorTask | undefined; readonly state: ConnectorState },
  request: SnapshotRequest,
): Promise<SnapshotAnswer> {
  if (task === undefined || (state !== 'RUNNING' && state !== 'RESTARTING'))
    throw new AppError('bad-request', `connector ${name} does not run, but is ${state}`, {
      hint:
        state === 'FAILED'
          ? `mend what it failed for, and \`writethrough connect restart ${name}\``
          : `\`writethrough connect resume ${name}\` first`,
    });
  return { name, tables: await task.snapshot(request) };
}
