import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from '../whole-number.ts';
import type { AutoscaleOptions } from './autoscale.ts';
import type { ListOptions } from './list-queues.ts';
import type { StartWorkerOptions } from './start-worker.ts';

const START_HELP = `
Servers: TEMPORAL_ADDRESS and DATABASE_URL, or those of a running "weft start".
The first Ctrl-C or SIGTERM drains: no new work, running activities finish within the grace, then they are
cancelled and tried again by another worker. The second ends at once.

Exit codes
  0    drained, nothing left behind
  1    could not start, or failed
  2    the command line is wrong
  3    activities did not end in time and were left behind
  143  ended at once by a second signal

Examples
  weft worker start --queue models
  weft worker start --queue content --queue models --concurrency 8
  weft worker start --queue models --rate 5 --grace 60000`;

const LIST_HELP = `
WORKERS  processes that asked for work within 75 s     OLDEST   how long the first waiting task has waited
ADDED/S, TAKEN/S  tasks a second over the last 30 s    SLOTS    activities at once in one process
PER S / WORKER    limits of the whole queue and of one process

Exit codes: 0; with --check 1 when work waits on a queue that no worker polls; 1 when Temporal cannot be reached.`;

const SCALE_HELP = `
Starts another process when more than --backlog tasks wait for each one, or one task for longer than --max-wait;
stops one, draining it, after --calm of little work. At scale use KEDA: deploy/keda.

Example
  weft worker autoscale --queue models --min 1 --max 4`;

/** The verbs about workers; what they do is loaded when one is called. */
export function addWorkerCommand(program: Command): void {
  const worker = program.command('worker').description('processes that do the work of task queues');
  worker
    .command('start')
    .description('a worker process in the foreground')
    .requiredOption('--queue <name>', 'a queue to serve; repeat it for several', collect)
    .option('--concurrency <n>', 'activities at once, instead of what the table of pools says', wholeNumber(1, 10_000))
    .option('--rate <n>', 'activities a second that this process begins', decimal)
    .option('--grace <ms>', 'time for running activities when asked to stop', wholeNumber(0, 3_600_000))
    .option('--json', 'one JSON line when it is ready')
    .addHelpText('after', START_HELP)
    .action(async (options: StartWorkerOptions) => {
      const { startWorker } = await import('./start-worker.ts');
      process.exitCode = await startWorker(options);
    });
  worker
    .command('list')
    .description('the queues: who polls them, what waits, and the limits of their pools')
    .option('--queue <name>', 'this queue alone; repeat it for several', collect)
    .option('--json', 'one JSON object on stdout')
    .option('--check', 'exit code 1 when work waits on a queue without a worker')
    .addHelpText('after', LIST_HELP)
    .action(async (options: ListOptions) => {
      const { listQueues } = await import('./list-queues.ts');
      process.exitCode = await listQueues(options);
    });
  worker
    .command('builds')
    .description('the builds of workers that have polled (WEFT_WORKER_BUILD_ID), and which is current')
    .option('--json', 'one JSON array on stdout')
    .action(async (options: { json?: boolean }) => {
      const { showBuilds } = await import('./builds.ts');
      process.exitCode = await showBuilds(options);
    });
  worker
    .command('set-current')
    .description('new runs, and runs that continue as new, go to this build from now on')
    .argument('<build>', 'a build that polls')
    .action(async (build: string) => {
      const { makeCurrent } = await import('./builds.ts');
      process.exitCode = await makeCurrent(build);
    });
  addAutoscale(worker);
}

function addAutoscale(worker: Command): void {
  worker
    .command('autoscale')
    .description('start and stop worker processes of a queue by its backlog, for development')
    .requiredOption('--queue <name>', 'the queue')
    .option('--min <n>', 'processes at least', wholeNumber(0, 64), 1)
    .option('--max <n>', 'processes at most', wholeNumber(1, 64), 4)
    .option('--backlog <n>', 'waiting tasks per process before another starts', wholeNumber(1, 1_000_000), 10)
    .option('--max-wait <ms>', 'longest wait of a task before another process starts', wholeNumber(1, 3_600_000), 5_000)
    .option('--settle <ms>', 'pause after a start', wholeNumber(0, 3_600_000), 5_000)
    .option('--calm <ms>', 'calm time before a process is stopped', wholeNumber(0, 3_600_000), 30_000)
    .addOption(
      new Option('--every <ms>', 'how often the queue is read').argParser(wholeNumber(100, 60_000)).default(1_000),
    )
    .option('--concurrency <n>', 'activities at once in each process', wholeNumber(1, 10_000))
    .option('--grace <ms>', 'time for running activities of a process that is stopped', wholeNumber(0, 3_600_000))
    .option('--json', 'JSON lines on stdout')
    .addHelpText('after', SCALE_HELP)
    .action(async (options: AutoscaleOptions) => {
      if (options.min > options.max) worker.error('error: --min must not exceed --max', { exitCode: 2 });
      const { autoscale } = await import('./autoscale.ts');
      process.exitCode = await autoscale(options);
    });
}

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value];

function decimal(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}
