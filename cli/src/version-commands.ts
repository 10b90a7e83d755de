import { type Command, InvalidArgumentError, Option } from 'commander';
import { graphqlUrl } from './graphql-url.ts';
import { collect } from './node-mapping.ts';
import { printFailure } from './print-failure.ts';
import { UsageError } from './usage-error.ts';

const MAPPING = 'a node that goes by another id, as old=new; old= lets go of what it has done; repeat it for several';
const FILE = '.json, .yaml or .ts file of a workflow; file.ts#name where it exports several';

/** The verbs about versions of workflows: publishing, looking ahead, moving runs. */
export function addVersionCommands(program: Command): void {
  program
    .command('publish')
    .description('publish a definition, after a fleet check with --check; the same content keeps its version')
    .argument('<file>', FILE)
    .option('--check', 'exit code 1, and nothing published, when an open run could not simply go on')
    .option(...JSON_OPTION)
    .addOption(urlOption())
    .action(async (file: string, options: { check?: boolean; json?: boolean; url: string }) => {
      const { runPublish } = await import('./publish-command.ts');
      await exitWith(() => runPublish(file, options));
    });
  program
    .command('fleet-check')
    .description(
      'what a definition would mean to the open runs, and to the last that ended; exit code 1 when some are hurt',
    )
    .argument('<file>', FILE)
    .option('--closed <n>', 'how many of the last closed runs to play again', number, 100)
    .option('--map <old=new>', MAPPING, collect, [])
    .option(...JSON_OPTION)
    .addOption(urlOption())
    .action(async (file: string, options: { closed: number; map: string[]; json?: boolean; url: string }) => {
      const { runFleetCheck } = await import('./fleet-check-command.ts');
      await exitWith(() => runFleetCheck(file, options));
    });
  program
    .command('versions')
    .description('the versions of a workflow')
    .argument('<workflow>', 'its name')
    .option('--deprecate <version>', 'this version starts no new runs from now on', number)
    .option('--undeprecate <version>', 'it may again', number)
    .option('--reason <text>', 'why it is deprecated')
    .option(...JSON_OPTION)
    .addOption(urlOption())
    .action(async (workflow: string, options: VersionsOptions) => {
      const { runVersions } = await import('./versions-command.ts');
      await exitWith(() => runVersions(workflow, options));
    });
  program
    .command('migrate')
    .description('let runs go on in another version at a safe point; exit code 1 when one cannot')
    .argument('<runs...>', 'their ids')
    .option('--to <version>', 'default is the latest', number)
    .option('--map <old=new>', MAPPING, collect, [])
    .option('--reason <text>', 'why')
    .option(...JSON_OPTION)
    .addOption(urlOption())
    .action(async (runs: string[], options: MigrateOptions) => {
      const { runMigrate } = await import('./migrate-command.ts');
      await exitWith(() => runMigrate(runs, options));
    });
}

export type VersionsOptions = {
  deprecate?: number;
  undeprecate?: number;
  reason?: string;
  json?: boolean;
  url: string;
};
export type MigrateOptions = { to?: number; map: string[]; reason?: string; json?: boolean; url: string };

const JSON_OPTION = ['--json', 'one JSON value on stdout'] as const;
const urlOption = (): Option => new Option('--url <url>', 'GraphQL of the server').default(graphqlUrl());

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

async function exitWith(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    printFailure(error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
