import { Argument, type Command, InvalidArgumentError } from 'commander';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';
import { wholeNumber } from './whole-number.ts';

export type Shared = { json?: boolean; url?: string };
type Between = { since?: string; until?: string };
export type SearchOptions = Shared &
  Between & { workflow?: string; status?: string[]; label?: Record<string, string>; first?: number; offset?: number };
export type NodeStatsOptions = Shared & Between & { version?: number };
export type UsageOptions = Shared & Between & { workflow?: string; by?: string[]; csv?: boolean };
export type HealthOptions = Shared & Between & { kind?: string; name?: string; hours?: boolean };
export type AuditOptions = Shared &
  Between & { actor?: string; action?: string; target?: string; first?: number; all?: boolean };

const DIMENSIONS = ['day', 'workflow', 'provider', 'model', 'user'];

/** The verbs that read what is made of the events. */
export function addInsightCommands(program: Command): void {
  addProjections(program);
  const run = groupOf(program, 'run', 'work with a run');
  between(shared(run.command('search').description('runs by their words, the best first').argument('[words...]')))
    .option('--workflow <id>')
    .option('--status <status...>', 'such as failed or running', upper)
    .option('--label <key=value>', 'with this label; may be repeated', label)
    .option('--first <number>', 'how many, 1 to 100', wholeNumber(1, 100))
    .option('--offset <number>', 'leave out so many of the best', wholeNumber())
    .addHelpText('after', '\nWords, "a phrase", or, -not; rai* is every word that begins so.')
    .action((words: string[], options: SearchOptions) =>
      exitCode(async () => (await import('./insights/search-runs.ts')).searchRuns(words.join(' '), withUrl(options))),
    );
  addStats(program.command('stats').description('how nodes, models and services have done'));
  between(shared(program.command('audit').description('who did what, newest first')))
    .option('--actor <name>', 'what this one did')
    .option('--action <type>', 'a type of events, or the beginning of some, such as access.')
    .option('--target <what>', 'what was done to it, such as run/<id>')
    .option('--first <number>', 'how many, 1 to 1000', wholeNumber(1, 1_000))
    .action((options: AuditOptions) =>
      exitCode(async () => (await import('./insights/audit-trail.ts')).auditTrail(withUrl(options))),
    );
}

function addProjections(program: Command): void {
  const load = () => import('./insights/projections.ts');
  const projections = program.command('projections').description('what is made of the events for readers');
  shared(projections.command('list').description('how far each has come')).action((options: Shared) =>
    exitCode(async () => (await load()).listProjections(withUrl(options))),
  );
  for (const [verb, mutation, meaning] of [
    ['rebuild', 'rebuildProjection', 'build it again from every event, beside the one that readers see'],
    ['stop', 'stopProjection', 'let it take in no event'],
    ['start', 'startProjection', 'let it go on; one that failed tries at once'],
  ] as const) {
    const command = shared(projections.command(verb).description(meaning).argument('<name>'));
    if (verb === 'rebuild') command.option('--wait', 'show how far it is until it has taken its place');
    command.action((name: string, options: Shared & { wait?: boolean }) =>
      exitCode(async () => (await load()).changeProjection(mutation, name, withUrl(options))),
    );
  }
}

function addStats(stats: Command): void {
  between(shared(stats.command('nodes').description('each node of a workflow, by version').argument('<workflow>')))
    .option('--version <number>', 'this version alone', wholeNumber(1))
    .action((workflow: string, options: NodeStatsOptions) =>
      exitCode(async () => (await import('./insights/node-stats.ts')).nodeStats(workflow, withUrl(options))),
    );
  between(shared(stats.command('models').description('calls to language models, tokens and cost')))
    .option('--workflow <id>', 'those of its runs')
    .addArgument(
      new Argument('[by...]', 'what to tell apart; default is all of it').choices(DIMENSIONS).default([], 'all of it'),
    )
    .option('--csv', 'comma-separated values with a header line')
    .action((by: string[], options: UsageOptions) =>
      exitCode(async () => (await import('./insights/model-usage.ts')).modelUsage(by, withUrl(options))),
    );
  between(
    shared(stats.command('health').description('providers of models, tools and task queues, by default of a day')),
  )
    .option('--kind <kind>', 'provider, tool or queue', (text: string) => text.toUpperCase())
    .option('--name <name>')
    .option('--hours', 'each hour by itself')
    .action((options: HealthOptions) =>
      exitCode(async () => (await import('./insights/service-health.ts')).serviceHealth(withUrl(options))),
    );
}

function groupOf(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

const shared = (command: Command): Command =>
  command
    .option('--json', 'one JSON value on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here');

const between = (command: Command): Command =>
  command.option('--since <time>', 'from this moment on (ISO 8601)').option('--until <time>', 'before this moment');

const withUrl = <Options extends Shared>(options: Options): Options & { url: string } => ({
  ...options,
  url: options.url ?? graphqlUrl(),
});

const upper = (text: string, before: string[] = []): string[] => [...before, text.toUpperCase()];

function label(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('must be key=value');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}
