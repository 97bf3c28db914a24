// `writethrough tables`: the tables that can be read, with their keys and sizes.
import type { Command } from 'commander';
import { clientOf, type CommandContext, wantsJson } from './command-context.js';
import { tableText } from './table-text.js';

interface TableList {
  readonly tables: readonly {
    readonly name: string;
    readonly rowCount: number;
    readonly visible: boolean;
    readonly keyColumns: readonly string[];
    readonly columns: readonly { readonly name: string; readonly type: string }[];
  }[];
}

export function tablesCommand(program: Command, context: CommandContext): void {
  program
    .command('tables')
    .description('list the tables')
    .action(async (_options: unknown, command: Command) => {
      const list = (await clientOf(context, command).json('/v1/tables')) as TableList;
      if (wantsJson(command)) return context.io.out(`${JSON.stringify(list)}\n`);
      const rows = list.tables.map((table) => [
        table.name,
        table.visible ? String(table.rowCount) : 'snapshot running',
        table.keyColumns.join(', '),
        table.columns.map((column) => `${column.name} ${column.type}`).join(', '),
      ]);
      context.io.out(tableText(['Name', 'Rows', 'Key', 'Columns'], rows));
    });
}
