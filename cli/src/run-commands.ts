import type { Command } from 'commander';
import type { CrashTestOptions } from './crash-test/crash-command.ts';
import { graphqlUrl } from './graphql-url.ts';
import { printFailure } from './print-failure.ts';
import { UsageError } from './usage-error.ts';

/** The verbs that work on a run. */
export function addRunCommands(program: Command): void {
  program
    .command('crash-test')
    .description('kill the worker at every point of a run: same result, no effect twice; exit code 1 otherwise')
    .argument('<workflow>', '.json, .yaml or .ts file; its calls to the outside go to a stub')
    .option('--input <file>', 'JSON or YAML')
    .option('--answers <file>', 'what approvals, events and HTTP calls are answered; see docs/crash-test.md')
    .option('--with <files...>', 'workflows that it starts')
    .option('--boundaries <n>', 'how many points, or all', 'all')
    .option('--json', 'one JSON object on stdout')
    .action(async (workflow: string, options: CrashTestOptions) => {
      const { runCrashTest } = await import('./crash-test/crash-command.ts');
      await exitWith(() => runCrashTest(workflow, options));
    });

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
      await exitWith(() => runEffects(id, { ...options, url: options.url ?? graphqlUrl() }));
    });
}

async function exitWith(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    printFailure(error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
