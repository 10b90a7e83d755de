import { type Command, InvalidArgumentError } from 'commander';
import { graphqlUrl } from '../graphql-url.ts';
import { printFailure } from '../print-failure.ts';
import { UsageError } from '../usage-error.ts';
import type { ExportHistoryOptions } from './export-history.ts';
import type { ReplayOptions } from './replay.ts';

const HELP = `
A file is what "weft history export", "temporal workflow show -o json" or the Web UI gives. A run that continued as
new is replayed link by link. Servers: TEMPORAL_ADDRESS and DATABASE_URL, or those of a running "weft start"; a file
that refers to nothing outside needs none.

Exit codes
  0  today's workflow code does what was recorded
  1  it does not, or a history could not be read
  2  the command line is wrong

Examples
  weft replay 01a20d2c-63ed-7251-b4bb-b0fe2b641507
  weft replay history.json
  weft replay --last 50 --json
  weft replay --query "WorkflowType = 'run' AND ExecutionStatus = 'Completed'"`;

/** What looks back at runs; what a verb does is loaded when it is called. */
export function addReplayCommands(program: Command): void {
  addRunDiff(program);
  program
    .command('replay')
    .description('run recorded histories against the workflow code as it is; exit code 1 where it differs')
    .argument('[run or file]', 'a run id, or a JSON file with a history')
    .option('--query <text>', "the runs that Temporal's query finds, at most 100 unless --last says more")
    .option('--last <n>', 'the last n runs, or of those that --query finds', count)
    .option('--bundle <file>', 'workflow code that workers/build-bundle.ts has built, instead of what is here')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', HELP)
    .action(async (target: string | undefined, options: ReplayOptions) => {
      const { runReplay } = await import('./replay.ts');
      await exitWith(() => runReplay(target, options));
    });
  const history = program.command('history').description("Temporal's histories as files");
  history
    .command('import')
    .description('a closed run out of a file of "weft history export --all" becomes one of the event store')
    .argument('<file>')
    .option('--as <id>', 'under another id')
    .action(async (file: string, options: { as?: string }) => {
      const { importHistory } = await import('./import-history.ts');
      await exitWith(() => importHistory(file, options));
    });
  history
    .command('export')
    .description("a run's history as Temporal's JSON")
    .argument('<run>', 'the run id')
    .option('-o, --out <file>', 'instead of stdout')
    .option('--link <n>', 'this link of a run that continued as new', count)
    .option('--all', 'all links, with the payloads and definitions that they refer to, in clear')
    .action(async (run: string, options: ExportHistoryOptions) => {
      const { exportHistory } = await import('./export-history.ts');
      await exitWith(() => exportHistory(run, options));
    });
}

function addRunDiff(program: Command): void {
  const run =
    program.commands.find((command) => command.name() === 'run') ??
    program.command('run').description('work with a run');
  run
    .command('diff')
    .description('what changed in a run between two of its events')
    .argument('<id>', 'the run')
    .argument('<from>', 'after this event; 0 is before the first', eventId)
    .argument('[to]', 'up to and with this one; default is the last', eventId)
    .option('--json', 'one JSON object on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here')
    .action(async (id: string, from: number, to: number | undefined, options: { json?: boolean; url?: string }) => {
      const { runDiff } = await import('./run-diff.ts');
      await exitWith(() => runDiff(id, from, to, { ...options, url: options.url ?? graphqlUrl() }));
    });
}

function eventId(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value < 2 ** 31) return value;
  throw new InvalidArgumentError('It must be a whole number, 0 or more.');
}

function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 100_000) return value;
  throw new InvalidArgumentError('It must be a whole number from 1 to 100000.');
}

async function exitWith(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    printFailure(error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}
