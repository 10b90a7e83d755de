import { userInfo } from 'node:os';
import { type Command, Option } from 'commander';
import { wholeNumber } from './whole-number.ts';
import { exitCode } from './exit-code.ts';
import { graphqlUrl } from './graphql-url.ts';

export type Shared = { url: string; json?: boolean };
export type OperateOptions = Shared & { by?: string; reason?: string; path?: string; output?: string };
export type AnswerOptions = Shared & { by?: string; path?: string; comment?: string; data?: string };
export type ShowOptions = Shared & { nodes: number };
export type WatchOptions = Shared & { timeout?: number; tokens?: boolean; api?: string };
export type EventsOptions = Shared & { after?: number; first?: number };

/** The verbs that look at one run and act on it. */
export function addOperateCommands(program: Command): void {
  const run =
    program.commands.find((command) => command.name() === 'run') ??
    program.command('run').description('work with a run');
  addReading(run);
  addPausing(run);
  addNodes(run);
}

function addReading(run: Command): void {
  verb(run, 'show <id>', 'what a run does: its nodes, its children, warnings, why it is paused or waits')
    .option('--nodes <number>', 'how many of its nodes, 0 to 10000', wholeNumber(), 100)
    .action((id: string, options: ShowOptions) =>
      exitCode(async () => (await import('./run/show-run.ts')).showRun(id, options)),
    );
  verb(run, 'watch <id>', 'say what changes until the run is closed; exit code 0 when it completed, else 1')
    .option('--timeout <seconds>', 'give up after this long: exit code 2', wholeNumber())
    .option('--tokens', 'show what models say while they say it')
    .option('--api <url>', 'where the tokens come from; default is the API of the server here')
    .action((id: string, options: WatchOptions) =>
      exitCode(async () => (await import('./run/watch-run.ts')).watchRun(id, options)),
    );
  verb(run, 'events <id>', 'its stored events')
    .option('--after <id>', 'those above this one', wholeNumber())
    .option('--first <number>', 'how many, 1 to 1000; default 100', wholeNumber())
    .action((id: string, options: EventsOptions) =>
      exitCode(async () => (await import('./run/list-events.ts')).listEvents(id, options)),
    );
}

function addPausing(run: Command): void {
  const load = () => import('./run/operate-run.ts');
  verb(run, 'pause <id>', 'no node of the run starts any more; what is under way goes on')
    .option('--reason <text>', 'shown with the run')
    .addOption(by())
    .action((id: string, options: OperateOptions) => exitCode(async () => (await load()).pauseRun(id, options)));
  verb(run, 'resume <id>', 'go on; failed nodes that hold the run take their course')
    .addOption(by())
    .action((id: string, options: OperateOptions) => exitCode(async () => (await load()).resumeRun(id, options)));
  verb(run, 'set <id> <variable> <json>', 'change a variable for everything that is evaluated from now on')
    .addOption(by())
    .action((id: string, variable: string, json: string, options: OperateOptions) =>
      exitCode(async () => (await load()).setVariable(id, variable, json, options)),
    );
}

function addNodes(run: Command): void {
  const load = () => import('./run/operate-run.ts');
  verb(run, 'retry <id> <node>', 'try a node again at once: between two attempts, or failed in a paused run')
    .addOption(path())
    .addOption(by())
    .action((id: string, node: string, options: OperateOptions) =>
      exitCode(async () => (await load()).retryNode(id, node, options)),
    );
  verb(run, 'skip <id> <node>', 'pass over a node, whatever it does')
    .option('--output <json>', 'as if it had given this; JSON or @file')
    .addOption(path())
    .addOption(by())
    .action((id: string, node: string, options: OperateOptions) =>
      exitCode(async () => (await load()).skipNode(id, node, options)),
    );
  for (const [name, decision] of [
    ['approve', 'APPROVED'],
    ['reject', 'REJECTED'],
  ] as const) {
    verb(run, `${name} <id> <node>`, `${name} what a node asks`)
      .option('--comment <text>')
      .option('--data <json>', 'what its form asks for; JSON or @file')
      .addOption(path())
      .addOption(by())
      .action((id: string, node: string, options: AnswerOptions) =>
        exitCode(async () => (await load()).answerNode(id, node, decision, options)),
      );
  }
}

const verb = (group: Command, usage: string, description: string): Command =>
  group
    .command(usage)
    .description(description)
    .option('--json', 'one JSON value on stdout')
    .addOption(
      new Option('--url <url>', 'GraphQL address; default is that of the running weft start here').default(
        graphqlUrl(),
        'found',
      ),
    );

const by = (): Option => new Option('--by <name>', 'on whose behalf').default(userInfo().username, 'the user here');

const path = (): Option =>
  new Option('--path <path>', 'which execution, such as 2.5, where the node is in a loop or map');
