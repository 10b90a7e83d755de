import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';
import { jsonOption } from '../json-option.ts';
import type { ScheduleOptions, ScheduleSpecOptions, Shared } from '../trigger-commands.ts';
import { UsageError } from '../usage-error.ts';

const VIEW = `id name workflow { id } version overlap paused note synced
  spec { crons intervals { everySeconds } timeZone } nextTimes(first: 5)
  recentActions { scheduledAt run { id status } }`;
type Schedule = {
  id: string;
  name: string;
  workflow: { id: string } | null;
  version: number | null;
  overlap: string;
  paused: boolean | null;
  note: string | null;
  synced: boolean;
  spec: { crons: string[]; intervals: { everySeconds: number }[]; timeZone: string };
  nextTimes: string[];
  recentActions: { scheduledAt: string; run: { id: string; status: string } | null }[];
};

const specOf = (options: ScheduleSpecOptions) => ({
  crons: options.cron,
  intervals: options.every?.map((everySeconds) => ({ everySeconds })),
  timeZone: options.timeZone,
  startAt: options.startAt,
  endAt: options.endAt,
  jitterSeconds: options.jitter,
});

const policyOf = (text: string | undefined) => text?.toUpperCase().replaceAll('-', '_');

export async function createSchedule(workflowId: string, options: ScheduleOptions): Promise<void> {
  const { createSchedule: schedule } = await createGatewayClient(options.url)<{ createSchedule: Schedule }>(
    `mutation ($workflowId: ID!, $spec: ScheduleSpecInput!, $id: ID, $name: String, $version: Int, $input: JSON,
       $mapping: JSON, $overlap: OverlapPolicy, $catchupWindowSeconds: Int, $pauseOnFailure: Boolean, $paused: Boolean,
       $note: String) {
      createSchedule(workflowId: $workflowId, spec: $spec, id: $id, name: $name, version: $version, input: $input,
        mapping: $mapping, overlap: $overlap, catchupWindowSeconds: $catchupWindowSeconds,
        pauseOnFailure: $pauseOnFailure, paused: $paused, note: $note) { ${VIEW} }
    }`,
    {
      workflowId,
      spec: specOf(options),
      id: options.id,
      name: options.name,
      version: options.version,
      input: await jsonOption('input', options.input),
      mapping: await jsonOption('mapping', options.mapping),
      overlap: policyOf(options.overlap),
      catchupWindowSeconds: options.catchupWindow,
      pauseOnFailure: options.pauseOnFailure,
      paused: options.paused,
      note: options.note,
    },
  );
  print(schedule, options);
}

export async function previewSchedule(options: ScheduleOptions & { after?: string; first?: number }): Promise<void> {
  const { previewSchedule: times } = await createGatewayClient(options.url)<{ previewSchedule: string[] }>(
    `query ($spec: ScheduleSpecInput!, $after: DateTime, $first: Int) {
      previewSchedule(spec: $spec, after: $after, first: $first)
    }`,
    { spec: specOf(options), after: options.after, first: options.first },
  );
  if (options.json) printJson(times);
  else process.stdout.write(times.map((time) => `${time}\n`).join(''));
}

export async function listSchedules({ url, json, workflow }: Shared & { workflow?: string }): Promise<void> {
  const { schedules } = await createGatewayClient(url)<{ schedules: { edges: { node: Schedule }[] } }>(
    `query ($workflowId: ID) { schedules(first: 100, workflowId: $workflowId) { edges { node { ${VIEW} } } } }`,
    { workflowId: workflow },
  );
  const found = schedules.edges.map(({ node }) => node);
  if (json) return printJson(found);
  printRows([
    ['SCHEDULE', 'WORKFLOW', 'WHEN', 'OVERLAP', 'STATE', 'NEXT'],
    ...found.map((one) => [
      one.id,
      one.workflow?.id ?? '',
      whenOf(one),
      one.overlap,
      one.paused ? 'paused' : 'active',
      one.nextTimes[0] ?? '',
    ]),
  ]);
}

export async function showSchedule(id: string, options: Shared): Promise<void> {
  const { schedule } = await createGatewayClient(options.url)<{ schedule: Schedule | null }>(
    `query ($id: ID!) { schedule(id: $id) { ${VIEW} } }`,
    { id },
  );
  if (schedule === null) throw new UsageError(`there is no schedule ${id}`, 'See `weft schedule list`.');
  print(schedule, options);
}

export const pauseSchedule = (verb: 'pause' | 'unpause', id: string, options: Shared & { note?: string }) =>
  act(`${verb}Schedule`, '$note: String', 'note: $note', { id, note: options.note }, options);

export const triggerSchedule = (id: string, options: Shared & { overlap?: string }) =>
  act(
    'triggerSchedule',
    '$overlap: OverlapPolicy',
    'overlap: $overlap',
    { id, overlap: policyOf(options.overlap) },
    options,
  );

export const backfillSchedule = (id: string, options: Shared & { from: string; to: string; overlap?: string }) =>
  act(
    'backfillSchedule',
    '$from: DateTime!, $to: DateTime!, $overlap: OverlapPolicy',
    'from: $from, to: $to, overlap: $overlap',
    { id, from: options.from, to: options.to, overlap: policyOf(options.overlap) },
    options,
  );

async function act(mutation: string, names: string, given: string, values: object, options: Shared): Promise<void> {
  const answer = await createGatewayClient(options.url)<Record<string, Schedule>>(
    `mutation ($id: ID!, ${names}) { ${mutation}(id: $id, ${given}) { ${VIEW} } }`,
    { ...values },
  );
  print(answer[mutation] as Schedule, options);
}

export async function deleteSchedule(id: string, { url, json }: Shared): Promise<void> {
  await createGatewayClient(url)('mutation ($id: ID!) { deleteSchedule(id: $id) }', { id });
  if (json) printJson({ id });
  else process.stdout.write(`${id} is deleted\n`);
}

const whenOf = ({ spec }: Schedule): string =>
  [
    ...spec.crons.map((cron) => `${cron} (${spec.timeZone})`),
    ...spec.intervals.map((one) => `every ${one.everySeconds} s`),
  ].join(', ');

function print(schedule: Schedule, { json }: Shared): void {
  if (json) return printJson(schedule);
  const { id, workflow, overlap, paused, note } = schedule;
  printRows([
    ['schedule', id],
    ['workflow', `${workflow?.id ?? ''}${schedule.version === null ? '' : ` version ${schedule.version}`}`],
    ['when', whenOf(schedule)],
    ['overlap', overlap],
    ['state', `${paused ? 'paused' : 'active'}${note ? `: ${note}` : ''}`],
    ...schedule.nextTimes.map((time, index) => [index === 0 ? 'next' : '', time]),
    ...schedule.recentActions.map(({ scheduledAt, run }, index) => [
      index === 0 ? 'recent' : '',
      `${scheduledAt}  ${run ? `${run.id}  ${run.status}` : '-'}`,
    ]),
  ]);
}
