import { Argument, type Command, Option } from 'commander';
import type { DiffOptions } from './diff-command.ts';
import type { ExplainOptions } from './explain-command.ts';
import type { ExportOptions } from './export-command.ts';
import { graphqlUrl } from './graphql-url.ts';
import type { ImportOptions, ImportSource } from './import-command.ts';
import { printFailure } from './print-failure.ts';
import type { SimulateOptions } from './simulate-command.ts';
import type { TestOptions } from './test-command.ts';
import { UsageError } from './usage-error.ts';

const JSON_OPTION = ['--json', 'one JSON value on stdout'] as const;
const FILES = '.json, .yaml or .ts file of a workflow; file.ts#name where it exports several';

/** The verbs that work on files of workflows: writing, checking, trying out. */
export function addAuthoringCommands(program: Command): void {
  addChecks(program);
  addTrials(program);
  addConversions(program);
}

function addChecks(program: Command): void {
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
}

function addTrials(program: Command): void {
  program
    .command('explain')
    .description(
      'forecast of a workflow: history, payloads, duration and tokens at worst; where its nodes run, what is fused and why',
    )
    .argument('<file>', FILES)
    .option('-i, --input <file>', 'input of a run, to count the items of maps')
    .option(...JSON_OPTION)
    .action(async (file: string, options: ExplainOptions) => {
      const { runExplain } = await import('./explain-command.ts');
      await exitWith(() => runExplain(file, options));
    });

  program
    .command('simulate')
    .description(
      'run a workflow here and now with made-up results, under a virtual clock; exit code 1 unless it completes',
    )
    .argument('<file>', FILES)
    .option(
      '-r, --results <file>',
      'results by node: {output}, {error}, {decision} or {event}, each with `after: 5s`; or {results, when}',
    )
    .option('-i, --input <file>', 'input of the run; default {}')
    .option(...JSON_OPTION)
    .action(async (file: string, options: SimulateOptions) => {
      const { runSimulate } = await import('./simulate-command.ts');
      await exitWith(() => runSimulate(file, options));
    });

  program
    .command('test')
    .description('given, when, then: run the tests of workflows under a virtual clock; exit code 1 when one fails')
    .argument('<paths...>', 'files of tests (.yaml, .json), or folders of them')
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('-v, --verbose', 'the timeline of every test, not of the failed ones alone')
    .option(...JSON_OPTION)
    .action(async (paths: string[], options: TestOptions) => {
      const { runTests } = await import('./test-command.ts');
      await exitWith(() => runTests(paths, options));
    });
}

function addConversions(program: Command): void {
  program
    .command('import')
    .description(
      "make a definition of another system's workflow, with a list of what is not the same; exit code 1 when problems are left",
    )
    .addArgument(
      new Argument('<system>', 'n8n: workflow JSON; serverless: CNCF Serverless Workflow 1.0').choices([
        'n8n',
        'serverless',
      ]),
    )
    .argument('<file>', 'its file, .json or .yaml')
    .addOption(new Option('--to <format>', 'which').choices(['yaml', 'json']).default('yaml'))
    .option('-o, --out <file>', 'write the definition there')
    .option(...JSON_OPTION)
    .action(async (system: ImportSource, file: string, options: ImportOptions) => {
      const { runImport } = await import('./import-command.ts');
      await exitWith(() => runImport(system, file, options));
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
