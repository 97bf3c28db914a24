// `writethrough topics`: the topics of the log with how long they keep records, and the altering of that.
import type { Command } from 'commander';
import { AppError } from '../core/errors.js';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { parseLimit } from './start.js';
import { tableText } from './table-text.js';

interface TopicList {
  readonly topics: readonly {
    readonly name: string;
    readonly cleanupPolicy: string;
    readonly retentionMs: number;
    readonly retentionBytes: number;
    readonly partitions: readonly { readonly start: string; readonly end: string }[];
  }[];
}

interface AlterOptions {
  readonly retentionMs?: number | 'default' | undefined;
  readonly retentionBytes?: number | 'default' | undefined;
}

export function topicsCommand(program: Command, context: CommandContext): void {
  const topics = program.command('topics').description('topics of the log, and how long they keep records');
  topics
    .command('list', { isDefault: true })
    .description('list the topics')
    .action(async (_options: unknown, command: Command) => {
      const list = (await clientOf(context, command).json('/v1/topics')) as TopicList;
      if (wantsJson(command)) return context.io.out(`${JSON.stringify(list)}\n`);
      const limit = (value: number) => (value < 0 ? '-' : String(value));
      const rows = list.topics.map(({ name, cleanupPolicy, retentionMs, retentionBytes, partitions }) => [
        name,
        String(partitions.length),
        cleanupPolicy,
        limit(retentionMs),
        limit(retentionBytes),
      ]);
      context.io.out(tableText(['Name', 'Partitions', 'Cleanup', 'Retention ms', 'Retention bytes'], rows));
    });
  topics
    .command('alter')
    .argument('<topic>')
    .description('change how long a topic that is not compacted keeps records')
    .option('--retention-ms <n>', 'milliseconds, -1 for ever, or default', parseSetting)
    .option('--retention-bytes <n>', 'bytes (Kafka: of each partition), -1 for all, or default', parseSetting)
    .addHelpText(
      'after',
      '\n`default` is what the process gives to new topics: its options topic.retention.ms and .bytes.',
    )
    .action(async (topic: string, options: AlterOptions, command: Command) => {
      const given = [
        ['retention.ms', options.retentionMs],
        ['retention.bytes', options.retentionBytes],
      ] as const;
      const data = given
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (value === 'default' ? { name, operation: 'DELETE' } : { name, value: String(value) }));
      if (data.length === 0) {
        throw new AppError('bad-request', 'nothing is to be altered', {
          hint: 'give --retention-ms or --retention-bytes',
        });
      }
      const client = clientOf(context, command);
      const clusters = (await client.json('/v3/clusters')) as { data: readonly { metadata: { self: string } }[] };
      const path = `${clusters.data[0]!.metadata.self}/topics/${encodeURIComponent(topic)}/configs:alter`;
      await client.json(path, { method: 'POST', body: { data } });
      if (!wantsJson(command)) context.io.out(`${topic} is altered\n`);
    });
}

function parseSetting(text: string): number | 'default' {
  return text === 'default' ? text : parseLimit(text);
}
