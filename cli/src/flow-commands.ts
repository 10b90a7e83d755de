import { Argument, type Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from './whole-number.ts';
import { exitCode } from './exit-code.ts';
import { collect } from './node-mapping.ts';
import { graphqlUrl } from './graphql-url.ts';

type Shared = { json?: boolean; url?: string };
export type RunStartOptions = Shared & {
  input?: string;
  label?: Record<string, string>;
  subject?: string;
  priority?: number;
  key?: string;
  version?: number;
  startAt?: string;
  delay?: number;
  wait?: number;
  reuseFrom?: string;
  reuse?: boolean;
};
export type RunListOptions = Shared & {
  workflow?: string;
  status?: string[];
  label?: Record<string, string>;
  trigger?: string;
  first?: number;
};
export type BatchStartOptions = Shared & {
  workflow?: string;
  status?: string[];
  label?: Record<string, string>;
  since?: string;
  until?: string;
  reason?: string;
  to?: number;
  map: string[];
  dryRun?: boolean;
  wait?: boolean;
};

const OPERATIONS = ['cancel', 'terminate', 'pause', 'resume', 'retry', 'migrate'];

/** The verbs that start, find and close runs, one by one and many at a time. */
export function addFlowCommands(program: Command): void {
  const run = groupOf(program, 'run', 'work with a run');
  shared(run.command('start').description('start a run of a workflow').argument('<workflow>'))
    .option('--input <json>', 'the input as JSON, or @file')
    .option('--label <key=value>', 'a label to search by; may be repeated', label)
    .option('--subject <id>', 'whose personal data it holds, to be erased by weft subject erase')
    .option('--priority <1-5>', '1 is first', wholeNumber())
    .option('--key <text>', 'idempotency key: the same key gives the same run')
    .option('--version <number>', 'of the workflow; default is the latest', wholeNumber())
    .option('--start-at <time>', 'not before this moment (ISO 8601)')
    .option('--delay <ms>', 'not before this long after now', wholeNumber())
    .option('--wait <ms>', 'answer when the run is closed, or after this long', wholeNumber())
    .option('--reuse-from <run>', 'take over what this run has already found out')
    .option('--reuse', 'as --reuse-from the newest run that completed')
    .action((workflow: string, options: RunStartOptions) =>
      exitCode(async () =>
        (await import('./flow/start-run.ts')).startRun(workflow, { ...options, url: urlOf(options) }),
      ),
    );
  shared(run.command('list').description('runs, newest first'))
    .option('--workflow <id>', 'with it also the runs that nodes of other runs have started')
    .option('--status <status...>', 'such as paused or running', upper)
    .option('--label <key=value>', 'with this label; may be repeated', label)
    .option(
      '--trigger <kind[:id]>',
      'started by: manual, schedule, webhook, event or run; or by one, as schedule:nightly',
    )
    .option('--first <number>', 'how many, 1 to 100', wholeNumber())
    .action((options: RunListOptions) =>
      exitCode(async () => (await import('./flow/list-runs.ts')).listRuns({ ...options, url: urlOf(options) })),
    );
  for (const [name, mutation] of [
    ['cancel', 'cancelRun'],
    ['terminate', 'terminateRun'],
  ] as const) {
    shared(run.command(name).description(`${name} a run`).argument('<id>'))
      .option('--reason <text>')
      .action((id: string, options: Shared & { reason?: string }) =>
        exitCode(async () =>
          (await import('./flow/close-run.ts')).closeRun(mutation, id, { ...options, url: urlOf(options) }),
        ),
      );
  }
  addBatchCommands(program);
}

function addBatchCommands(program: Command): void {
  const batch = groupOf(program, 'batch', 'do one thing to many runs, in the background');
  shared(batch.command('start').addArgument(new Argument('<operation>', 'what to do').choices(OPERATIONS)))
    .description('choose runs and do it to each of them')
    .option('--workflow <id>')
    .option('--status <status...>', 'default: those that the operation can do something to', upper)
    .option('--label <key=value>', 'with this label; may be repeated', label)
    .option('--since <time>', 'made at or after (ISO 8601)')
    .option('--until <time>', 'made before (ISO 8601)')
    .option('--reason <text>')
    .option('--to <version>', 'of migrate: the version to go on in; default is the latest', wholeNumber())
    .option('--map <old=new>', 'of migrate: as of `weft migrate`; may be repeated', collect, [])
    .option('--dry-run', 'only count them')
    .option('--wait', 'show the progress until it has ended: exit code 1 when it could not be done to some')
    .action((operation: string, options: BatchStartOptions) =>
      exitCode(async () =>
        (await import('./flow/batch.ts')).startBatch(operation, { ...options, url: urlOf(options) }),
      ),
    );
  shared(batch.command('list').description('batches, newest first')).action((options: Shared) =>
    exitCode(async () => (await import('./flow/batch.ts')).listBatches({ ...options, url: urlOf(options) })),
  );
  shared(batch.command('show').description('how far a batch is, and its errors').argument('<id>')).action(
    (id: string, options: Shared) =>
      exitCode(async () => (await import('./flow/batch.ts')).showBatch(id, { ...options, url: urlOf(options) })),
  );
  shared(batch.command('cancel').description('leave the other runs of a batch alone').argument('<id>')).action(
    (id: string, options: Shared) =>
      exitCode(async () => (await import('./flow/batch.ts')).cancelBatch(id, { ...options, url: urlOf(options) })),
  );
}

function groupOf(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

const shared = (command: Command): Command =>
  command
    .option('--json', 'one JSON value on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here');

const urlOf = ({ url }: Shared): string => url ?? graphqlUrl();

/** Names of statuses, in any case. */
const upper = (text: string, before: string[] = []): string[] => [...before, text.toUpperCase()];

export function label(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('must be key=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
