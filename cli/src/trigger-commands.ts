import { type Command } from 'commander';
import { wholeNumber } from './whole-number.ts';
import { graphqlUrl } from './graphql-url.ts';
import { printFailure } from './print-failure.ts';

export type Shared = { json?: boolean; url: string };
export type ScheduleSpecOptions = {
  cron?: string[];
  every?: number[];
  timeZone?: string;
  startAt?: string;
  endAt?: string;
  jitter?: number;
};
export type ScheduleOptions = Shared &
  ScheduleSpecOptions & {
    id?: string;
    name?: string;
    version?: number;
    input?: string;
    mapping?: string;
    overlap?: string;
    catchupWindow?: number;
    pauseOnFailure?: boolean;
    paused?: boolean;
    note?: string;
  };
export type EmitOptions = Shared & { correlation?: string; data?: string; id?: string };
export type EventTriggerOptions = Shared & {
  id?: string;
  name?: string;
  filter?: string;
  version?: number;
  mapping?: string;
};
export type WebhookOptions = Shared & {
  id?: string;
  name?: string;
  version?: number;
  mapping?: string;
  secret?: string;
  grace?: number;
};

/** The verbs of schedules, events and webhooks. */
export function addTriggerCommands(program: Command): void {
  addScheduleCommands(program.command('schedule').description('start runs at given times'));
  addEventCommands(program.command('event').description('emit events; start runs by them'));
  addWebhookCommands(program.command('webhook').description('start runs by signed messages'));
}

function addScheduleCommands(group: Command): void {
  const load = () => import('./schedule/schedule-command.ts');
  timed(shared(group.command('create').description('start runs of a workflow at given times').argument('<workflow>')))
    .option('--id <id>', 'default is a random one')
    .option('--name <text>')
    .option('--version <number>', 'of the workflow; default is the latest when it fires', wholeNumber())
    .option('--input <json>', 'of the runs, as JSON or @file')
    .option('--mapping <json>', 'CEL over scheduledTime and schedule that gives the input, as JSON or @file')
    .option('--overlap <policy>', 'skip (default), buffer_one, buffer_all, cancel_other, terminate_other, allow_all')
    .option('--catchup-window <seconds>', 'how late a firing may still be made up for', wholeNumber())
    .option('--pause-on-failure', 'pause when a run does not complete')
    .option('--paused', 'begin paused')
    .option('--note <text>')
    .action((workflow: string, options: ScheduleOptions) =>
      exit(options, async (own) => (await load()).createSchedule(workflow, own)),
    );
  timed(shared(group.command('preview').description('when a schedule would fire')))
    .option('--after <time>', 'default is now')
    .option('--first <number>', 'how many, 1 to 100', wholeNumber())
    .action((options: ScheduleOptions & { after?: string; first?: number }) =>
      exit(options, async (own) => (await load()).previewSchedule(own)),
    );
  shared(group.command('list').description('schedules, newest first'))
    .option('--workflow <id>')
    .action((options: Shared & { workflow?: string }) =>
      exit(options, async (own) => (await load()).listSchedules(own)),
    );
  shared(group.command('show').description('a schedule, when it fires next and what it did').argument('<id>')).action(
    (id: string, options: Shared) => exit(options, async (own) => (await load()).showSchedule(id, own)),
  );
  for (const verb of ['pause', 'unpause'] as const) {
    shared(group.command(verb).argument('<id>'))
      .description(`${verb} a schedule`)
      .option('--note <text>')
      .action((id: string, options: Shared & { note?: string }) =>
        exit(options, async (own) => (await load()).pauseSchedule(verb, id, own)),
      );
  }
  shared(group.command('trigger').description('fire now').argument('<id>'))
    .option('--overlap <policy>')
    .action((id: string, options: Shared & { overlap?: string }) =>
      exit(options, async (own) => (await load()).triggerSchedule(id, own)),
    );
  shared(group.command('backfill').description('fire for every time of a range').argument('<id>'))
    .requiredOption('--from <time>')
    .requiredOption('--to <time>')
    .option('--overlap <policy>', 'default buffer_all: one run after the other')
    .action((id: string, options: Shared & { from: string; to: string; overlap?: string }) =>
      exit(options, async (own) => (await load()).backfillSchedule(id, own)),
    );
  shared(group.command('delete').description('open runs go on').argument('<id>')).action(
    (id: string, options: Shared) => exit(options, async (own) => (await load()).deleteSchedule(id, own)),
  );
}

function addEventCommands(group: Command): void {
  const load = () => import('./event/event-command.ts');
  shared(group.command('emit').description('emit an event').argument('<name>'))
    .option('--correlation <text>', 'what waits ask for')
    .option('--data <json>', 'as JSON or @file')
    .option('--id <id>', 'the same id is emitted once')
    .action((name: string, options: EmitOptions) => exit(options, async (own) => (await load()).emitEvent(name, own)));
  shared(group.command('list').description('events, newest first'))
    .option('--name <name>')
    .action((options: Shared & { name?: string }) => exit(options, async (own) => (await load()).listEvents(own)));
  const trigger = group.command('trigger').description('start runs by events');
  shared(trigger.command('create').argument('<event>').argument('<workflow>'))
    .description('start a run for every event of a name')
    .option('--id <id>', 'default is a random one')
    .option('--name <text>')
    .option('--filter <cel>', 'over event {id, name, correlation, data, emittedAt}')
    .option('--version <number>', 'of the workflow; default is the latest when it fires', wholeNumber())
    .option('--mapping <json>', "CEL over event that gives the input, as JSON or @file; default is the event's data")
    .action((event: string, workflow: string, options: EventTriggerOptions) =>
      exit(options, async (own) => (await load()).createEventTrigger(event, workflow, own)),
    );
  shared(trigger.command('list').description('event triggers, newest first')).action((options: Shared) =>
    exit(options, async (own) => (await load()).listEventTriggers(own)),
  );
  shared(trigger.command('delete').argument('<id>')).action((id: string, options: Shared) =>
    exit(options, async (own) => (await load()).deleteEventTrigger(id, own)),
  );
  shared(group.command('firings').description('firings of triggers, newest first'))
    .option('--state <state>', 'pending, started or dead')
    .action((options: Shared & { state?: string }) => exit(options, async (own) => (await load()).listFirings(own)));
  shared(group.command('retry').description('try a dead firing again').argument('<firing>')).action(
    (id: string, options: Shared) => exit(options, async (own) => (await load()).retryFiring(id, own)),
  );
}

function addWebhookCommands(group: Command): void {
  const load = () => import('./webhook/webhook-command.ts');
  shared(group.command('create').description('make an address that starts runs of a workflow').argument('<workflow>'))
    .option('--id <id>', 'the end of the address; default is a random one')
    .option('--name <text>')
    .option('--version <number>', 'of the workflow; default is the latest when a message comes', wholeNumber())
    .option('--mapping <json>', 'CEL over body, headers, query and webhook that gives the input, as JSON or @file')
    .option('--secret <text>', 'whsec_...; default is a new one')
    .action((workflow: string, options: WebhookOptions) =>
      exit(options, async (own) => (await load()).createWebhook(workflow, own)),
    );
  shared(group.command('list').description('webhooks, newest first')).action((options: Shared) =>
    exit(options, async (own) => (await load()).listWebhooks(own)),
  );
  shared(group.command('rotate').description('another secret; the one before stays for a day').argument('<id>'))
    .option('--secret <text>', 'whsec_...; default is a new one')
    .option('--grace <seconds>', 'how long the one before stays valid', wholeNumber())
    .action((id: string, options: WebhookOptions) =>
      exit(options, async (own) => (await load()).rotateSecret(id, own)),
    );
  for (const verb of ['enable', 'disable'] as const) {
    shared(group.command(verb).argument('<id>')).action((id: string, options: Shared) =>
      exit(options, async (own) => (await load()).enableWebhook(verb === 'enable', id, own)),
    );
  }
  shared(group.command('delete').argument('<id>')).action((id: string, options: Shared) =>
    exit(options, async (own) => (await load()).deleteWebhook(id, own)),
  );
}

const timed = (command: Command): Command =>
  command
    .option('--cron <expression...>', 'five fields, or @hourly, @daily, ...; may be repeated')
    .option('--every <seconds...>', 'an interval, counted from the epoch', wholes)
    .option('--time-zone <name>', 'of the cron expressions, such as Europe/Berlin; default UTC')
    .option('--start-at <time>', 'nothing fires before (ISO 8601)')
    .option('--end-at <time>', 'nothing fires after (ISO 8601)')
    .option('--jitter <seconds>', 'each firing is late by up to this much', wholeNumber());

const shared = (command: Command): Command =>
  command
    .option('--json', 'one JSON value on stdout')
    .option('--url <url>', 'GraphQL address; default is that of the running weft start here');

async function exit<Options extends { url?: string }>(
  options: Options,
  work: (options: Options & { url: string }) => Promise<void>,
): Promise<void> {
  try {
    await work({ ...options, url: options.url ?? graphqlUrl() });
  } catch (error) {
    printFailure(error);
    process.exitCode = 1;
  }
}

const wholes = (text: string, before: number[] = []): number[] => [...before, wholeNumber()(text)];
