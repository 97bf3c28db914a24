// `writethrough completion`: a script for bash (and zsh with bashcompinit) that completes subcommands, made from the program itself.
import type { Command } from 'commander';
import type { CommandContext } from './command-context.js';

export function completionCommand(program: Command, { io }: CommandContext): void {
  program
    .command('completion')
    .description('print a completion script: source <(writethrough completion)')
    .action(() => {
      const groups = program.commands.filter((command) => command.commands.length > 0);
      const cases = groups
        .map(
          (group) => `    ${group.name()}) words="${group.commands.map((command) => command.name()).join(' ')}" ;;\n`,
        )
        .join('');
      io.out(`_writethrough() {
  local words="${program.commands.map((command) => command.name()).join(' ')} help"
  case "\${COMP_WORDS[1]}" in
${cases}    *) [ "$COMP_CWORD" -gt 1 ] && words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _writethrough writethrough
`);
    });
}
