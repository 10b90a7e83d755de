import type { Command } from 'commander';
import { graphqlUrl } from './graphql-url.ts';
import { printFailure } from './print-failure.ts';

/** The verbs that work on a run. */
export function addRunCommands(program: Command): void {
  const run =
    program.commands.find((command) => command.name() === 'run') ??
    program.command('run').description('work with a run');
  run
    .command('effects')
    .description('every call of the run to the outside: attempt, state, receipt')
    .argument('<id>', 'the run')
    .option('--node <id>', 'of this node alone')
    .option('--json', 'one JSON array on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here')
    .action(async (id: string, options: { node?: string; json?: boolean; url?: string }) => {
      const { runEffects } = await import('./run-effects-command.ts');
      try {
        process.exitCode = await runEffects(id, { ...options, url: options.url ?? graphqlUrl() });
      } catch (error) {
        printFailure(error);
        process.exitCode = 1;
      }
    });
}
