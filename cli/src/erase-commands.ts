import type { Command } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

type Options = { yes?: boolean; json?: boolean; url?: string };

/** The verbs of the right to erasure. */
export function addEraseCommands(program: Command): void {
  addErase(program, 'subject', "make the values of this subject's runs unreadable for good");
  addErase(program, 'tenant', 'the same for every run of the tenant');
}

function addErase(program: Command, what: 'subject' | 'tenant', description: string): void {
  const group =
    program.commands.find((command) => command.name() === what) ??
    program.command(what).description(what === 'subject' ? 'people whose data runs hold' : 'work with tenants');
  group
    .command('erase <id>')
    .description(description)
    .requiredOption('--yes', 'nothing brings them back')
    .option('--json', 'one JSON object on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here')
    .action(async (id: string, options: Options) => {
      const { erase } = await import('./erase-values.ts');
      await exitCode(() => erase(what, id, { ...options, url: options.url ?? graphqlUrl() }));
    });
}
