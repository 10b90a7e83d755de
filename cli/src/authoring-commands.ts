import { type Command, Option } from 'commander';
import type { DiffOptions } from './diff-command.ts';
import type { ExportOptions } from './export-command.ts';
import { graphqlUrl } from './graphql-url.ts';
import { printFailure } from './print-failure.ts';
import { UsageError } from './usage-error.ts';

const JSON_OPTION = ['--json', 'one JSON value on stdout'] as const;
const FILES = '.json, .yaml or .ts file of a workflow; file.ts#name where it exports several';

/** The verbs that work on files of workflows: writing, checking, trying out. */
export function addAuthoringCommands(program: Command): void {
  program
    .command('validate')
    .description('check definitions without a server; exit code 1 when one has a problem')
    .argument('<files...>', FILES)
    .option(...JSON_OPTION)
    .action(async (files: string[], options: { json?: boolean }) => {
      const { runValidate } = await import('./validate-command.ts');
      await exitWith(() => runValidate(files, options));
    });

  program
    .command('diff')
    .description('what changed between two definitions; exit code 1 when something did')
    .argument('<before>', 'file, or name[@version] of a published workflow')
    .argument('<after>', 'the same')
    .option(...JSON_OPTION)
    .addOption(urlOption())
    .action(async (before: string, after: string, options: DiffOptions) => {
      const { runDiff } = await import('./diff-command.ts');
      await exitWith(() => runDiff(before, after, options));
    });

  program
    .command('export')
    .description('print a definition in another of its forms')
    .argument('<file>', FILES)
    .addOption(new Option('--to <format>', 'which').choices(['yaml', 'json', 'canonical']).default('yaml'))
    .option('-o, --out <file>', 'write it there')
    .action(async (file: string, options: ExportOptions) => {
      const { runExport } = await import('./export-command.ts');
      await exitWith(() => runExport(file, options));
    });
}

const urlOption = (): Option =>
  new Option('--url <url>', 'GraphQL of the server that has the published workflow').default(graphqlUrl());

/** Exit code 2 says that the command could not do its work, so that 1 keeps its meaning. */
async function exitWith(work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printFailure(error);
    process.exitCode = 2;
  }
}
