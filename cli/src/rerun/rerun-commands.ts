import { type Command, Option } from 'commander';
import { exitCode } from '../exit-code.ts';
import { graphqlUrl } from '../graphql-url.ts';
import { collect } from '../node-mapping.ts';
import { wholeNumber } from '../whole-number.ts';
import type { CounterfactualOptions } from './counterfactual.ts';
import { label } from '../flow-commands.ts';

export type NewRunOptions = {
  version?: number;
  input?: string;
  var: readonly string[];
  output: readonly string[];
  plan?: boolean;
  yes?: boolean;
  key?: string;
  wait?: number;
  json?: boolean;
  url: string;
};
export type ForkOptions = NewRunOptions & { map: readonly string[] };

const HELP = `
The plan is shown first. Calls that were made and would be made again stop the command, unless --yes is given.

Exit codes
  0  started, or planned
  1  refused, or effects would repeat
  2  the command line is wrong

Examples
  weft rerun run-01a2 --plan                    # what has changed in the latest version
  weft rerun run-01a2 publish                   # this node and all that follows
  weft rerun run-01a2 rate#3 --yes              # one item of a map
  weft rerun run-01a2 send --output 'draft={"text":"Hello"}'
  weft fork run-01a2 42 --var tone='"dry"'`;

const WHAT_IF_HELP = `
Nodes of models run when they are asked something else than they were; everything else answers as it did, and nothing
outside is touched.

Exit codes
  0  they all came to the same
  1  something differs
  2  not all were closed in time, or the command line is wrong

Examples
  weft counterfactual run-01a2 --set 'classify.config.prompt=Is this spam? {{text}}'
  weft counterfactual --workflow triage --last 50 --set classify.config.model=gpt-5-mini
  weft counterfactual --workflow triage --version 4`;

/** The verbs that begin a new run with what another has come to. */
export function addRerunCommands(program: Command): void {
  const rerun = program
    .command('rerun')
    .description('a new run that takes over results of another: from some nodes, or of whatever has changed')
    .argument('<run>', 'the earlier run, open or closed')
    .argument('[nodes...]', 'what runs again with all that follows: node, or node#3; default is whatever has changed');
  options(rerun, "1, 2 ...; default is the run's own with nodes, else the latest").action(
    (run: string, nodes: string[], given: NewRunOptions) =>
      exitCode(async () => (await import('./rerun.ts')).rerun(run, nodes, given)),
  );
  const fork = program
    .command('fork')
    .description('a new run that goes on from the state of another at one of its events')
    .argument('<run>', 'the earlier run, open or closed')
    .argument('<event>', 'right after this one; see weft run events', wholeNumber());
  options(fork, '1, 2 ...; default is the one that it ran there')
    .option('--map <old=new>', 'what a node is called in the other version; may be repeated', collect, [])
    .action((run: string, event: number, given: ForkOptions) =>
      exitCode(async () => (await import('./rerun.ts')).fork(run, event, given)),
    );
  addCounterfactual(program);
}

function addCounterfactual(program: Command): void {
  program
    .command('counterfactual')
    .description('runs of the past again with another prompt, model or version: what would have been different')
    .argument('[runs...]', 'these; or choose them by --workflow')
    .option('--workflow <id>', 'the last runs of this workflow')
    .option('--status <status...>', 'default COMPLETED and FAILED', (text: string, all?: string[]) => [
      ...(all ?? []),
      text.toUpperCase(),
    ])
    .option('--label <key=value>', 'with this label; may be repeated', label)
    .option('--last <number>', 'how many, 1 to 1000; default 20', wholeNumber(1, 1_000))
    .option('--set <node.field=value>', 'another value at this place, as JSON or text; may be repeated', collect, [])
    .option('--version <number>', 'of the workflow; default is that of the newest run', wholeNumber())
    .option('--run <nodes...>', 'these may run too, when they are asked something else')
    .option('--again <nodes...>', 'these run although they are asked the same')
    .option('--wait <ms>', 'how long', wholeNumber(), 600_000)
    .option('--json', 'one JSON object on stdout')
    .addOption(url())
    .addHelpText('after', WHAT_IF_HELP)
    .action((runs: string[], given: CounterfactualOptions) =>
      exitCode(async () => (await import('./counterfactual.ts')).runCounterfactual(runs, given)),
    );
}

const url = (): Option =>
  new Option('--url <url>', 'GraphQL address; default is that of the running weft start here').default(
    graphqlUrl(),
    'found',
  );

function options(command: Command, version: string): Command {
  return command
    .option('--version <number>', `of the workflow: ${version}`, wholeNumber())
    .option('--input <json>', 'another input, or @file')
    .option('--var <name=json>', 'another value of a variable; may be repeated', collect, [])
    .option('--output <node=json>', 'what a node gives, instead of running it; may be repeated', collect, [])
    .option('--plan', 'only say what would be done')
    .option('--yes', 'also where effects would repeat')
    .option('--key <text>', 'idempotency key: the same key gives the same run')
    .option('--wait <ms>', 'answer when the run is closed, or after this long', wholeNumber())
    .option('--json', 'one JSON object on stdout')
    .addOption(url())
    .addHelpText('after', HELP);
}
