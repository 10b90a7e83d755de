import { type Command } from 'commander';
import { exitCode } from '../exit-code.ts';
import { graphqlUrl } from '../graphql-url.ts';
import { wholeNumber } from '../whole-number.ts';
import type { ArchiveCommand } from './archive-events.ts';
import type { AuditOptions } from './audit-events.ts';
import type { LetterOptions } from './dead-letters.ts';
import type { ListOptions, StreamOptions, TypesOptions } from './list-stored-events.ts';
import type { VerifyOptions } from './verify-events.ts';

const HELP = `
Servers: TEMPORAL_ADDRESS and DATABASE_URL, or those of a running "weft start".

Exit codes
  0  nothing wrong was found
  1  something was found, or a server cannot be reached
  2  the command line is wrong

Examples
  weft events verify --all
  weft events verify --run research-brief-1 --json
  weft events verify --file archive/default/2026-11-24-….jsonl.gz
  weft events archive --older-than 90d --dry-run
  weft events restore research-brief-1
  weft events audit --last 100
  weft events audit --open
  weft events list --type definition.* access.login_failed --newest
  weft events list --correlation research-brief-1 --json
  weft events stream definition/research-brief --from-version 2
  weft events dead-letters list
  weft events dead-letters requeue --subscription mail --position 4711`;

/** The verbs about stored events; what they do is loaded when one is called. */
export function addEventsCommand(program: Command): void {
  const events = program
    .command('events')
    .description('the event store: read it; is it whole, is it true')
    .addHelpText('after', HELP);
  const verify = events
    .command('verify')
    .description('compute the chain of every stream again and name what somebody changed in the database')
    .option('--run <id>', 'the events of this run')
    .option('--all', 'every stream of every tenant')
    .option('--file <path>', 'an archive, by itself and without a database')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', HELP)
    .action(async (options: VerifyOptions & { file?: string }) => {
      const chosen = [options.run, options.all, options.file].filter((one) => one !== undefined);
      if (chosen.length !== 1) verify.error('error: say one of --run <id>, --all and --file <path>', { exitCode: 2 });
      if (options.file !== undefined) {
        const { verifyFile } = await import('./verify-file.ts');
        process.exitCode = await verifyFile(options.file, options.json);
        return;
      }
      const { verify: run } = await import('./verify-events.ts');
      process.exitCode = await run(options);
    });
  const audit = events
    .command('audit')
    .description("compare stored events with Temporal's own histories, event by event")
    .option('--run <id>', 'this run')
    .option('--open', 'every run that is open')
    .option('--last <n>', 'the newest runs, this many', wholeNumber(1))
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', HELP)
    .action(async (options: AuditOptions) => {
      const chosen = [options.run, options.open, options.last].filter((one) => one !== undefined);
      if (chosen.length !== 1) audit.error('error: say one of --run <id>, --open and --last <n>', { exitCode: 2 });
      const { audit: run } = await import('./audit-events.ts');
      process.exitCode = await run(options);
    });
  addReads(events);
  addArchive(events);
  addDeadLetters(events);
}

type WithUrl<Options> = Omit<Options, 'url'> & { url?: string };
const withUrl = <Options extends { url?: string }>(options: Options) => ({
  ...options,
  url: options.url ?? graphqlUrl(),
});

function addReads(events: Command): void {
  const load = () => import('./list-stored-events.ts');
  events
    .command('list')
    .description('stored events, in the order in which the store took them')
    .option('--type <type...>', 'these types, such as node.failed, or kinds, such as definition.*')
    .option('--correlation <id>', 'of this run, or of whatever has this correlation id')
    .option('--stream <id>', 'of this stream')
    .option('--from <position>', 'those after this position; with --newest those before it')
    .option('--since <time>', 'taken by the store at this time or later, ISO 8601')
    .option('--until <time>', 'taken by the store before this time')
    .option('--newest', 'the newest first')
    .option('--first <n>', 'how many, 1 to 1000', wholeNumber(1, 1_000))
    .option('--url <url>', 'of the graph')
    .option('--json', 'one JSON object on stdout')
    .action((options: WithUrl<ListOptions>) => exitCode(async () => (await load()).listStoredEvents(withUrl(options))));
  events
    .command('stream')
    .description('the events of one stream')
    .argument('<id>', 'such as definition/research-brief or schedule/nightly')
    .option('--from-version <n>', 'from this version on', wholeNumber(1))
    .option('--first <n>', 'how many, 1 to 1000', wholeNumber(1, 1_000))
    .option('--url <url>', 'of the graph')
    .option('--json', 'one JSON array on stdout')
    .action((id: string, options: WithUrl<StreamOptions>) =>
      exitCode(async () => (await load()).listStream(id, withUrl(options))),
    );
  events
    .command('types')
    .description('every type of event, or the JSON Schema of one')
    .argument('[type]', 'such as node.failed')
    .option('--url <url>', 'of the graph')
    .option('--json', 'one JSON array on stdout, with the schemas')
    .action((type: string | undefined, options: WithUrl<TypesOptions>) =>
      exitCode(async () => (await load()).listTypes(type, withUrl(options))),
    );
}

function addArchive(events: Command): void {
  events
    .command('archive')
    .description('move events of closed runs into files, from which they are still read')
    .requiredOption('--older-than <time>', 'of runs that closed longer ago, such as 90d')
    .option('--dry-run', 'say how many, and change nothing')
    .option('--json', 'one JSON object on stdout')
    .action((options: ArchiveCommand) => exitCode(async () => (await import('./archive-events.ts')).archive(options)));
  events
    .command('restore <run>')
    .description('bring archived events of a run back into the table')
    .action((run: string) => exitCode(async () => (await import('./archive-events.ts')).restore(run)));
}

function addDeadLetters(events: Command): void {
  const letters = events
    .command('dead-letters')
    .description('events that a subscription could not handle and went past');
  letters
    .command('list')
    .description('the newest, with the reason')
    .option('--subscription <name>', 'those of this subscription')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: LetterOptions) => {
      const { listLetters } = await import('./dead-letters.ts');
      process.exitCode = await listLetters(options);
    });
  const requeue = letters
    .command('requeue')
    .description('let the subscription handle them again')
    .option('--subscription <name>', 'those of this subscription')
    .option('--position <n>', 'the one at this position; needs --subscription', wholeNumber(1))
    .option('--all', 'those of every subscription')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: LetterOptions & { all?: boolean }) => {
      if ((options.subscription === undefined) === (options.all === undefined)) {
        requeue.error('error: say --subscription <name> or --all', { exitCode: 2 });
      }
      if (options.position !== undefined && options.all) {
        requeue.error('error: --position needs --subscription', { exitCode: 2 });
      }
      const { requeueLetters } = await import('./dead-letters.ts');
      process.exitCode = await requeueLetters(options);
    });
}
