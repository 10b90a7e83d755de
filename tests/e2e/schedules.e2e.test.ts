import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../../domain/json.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await startStack();
}, 120_000);
afterAll(() => stack?.stop());

/** Runs for as long as the input says. */
const LASTING: WorkflowDefinition = {
  name: 'lasting',
  nodes: [{ id: 'pause', type: 'delay', config: { durationMs: 'has(input.ms) ? int(input.ms) : 1' } }],
  edges: [],
  output: 'input',
};

async function sure<Data>(query: string, variables: object = {}): Promise<Data> {
  const { data, errors } = await stack.graphql.send<Data>(query, variables);
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

type RunRow = { id: string; status: string; output: JsonObject | null; trigger: { kind: string; source: string } };
type View = {
  nextTimes: string[];
  actionsSkipped: number;
  runningActions: number;
  runs: { edges: { node: RunRow }[] };
};

async function create(id: string, input: object): Promise<void> {
  await sure(
    `mutation($id: ID, $spec: ScheduleSpecInput!, $overlap: OverlapPolicy, $input: JSON, $mapping: JSON, $paused: Boolean,
              $pauseOnFailure: Boolean) {
      createSchedule(id: $id, workflowId: "lasting", spec: $spec, overlap: $overlap, input: $input, mapping: $mapping,
                     paused: $paused, pauseOnFailure: $pauseOnFailure) { id }
    }`,
    { id, spec: { crons: ['@yearly'] }, ...input },
  );
}

/** Twice within a second would be once. */
const fire = async (id: string) => {
  await sure('mutation($id: ID!) { triggerSchedule(id: $id) { id } }', { id });
  await sleep(1_100);
};

async function view(id: string): Promise<View & { runs: { edges: { node: RunRow }[] } }> {
  const query = `query($id: ID!) { schedule(id: $id) { nextTimes actionsSkipped runningActions
    runs { edges { node { id status output trigger { kind source } } } } } }`;
  return (await sure<{ schedule: View }>(query, { id })).schedule;
}

async function runs(id: string, wanted: (runs: RunRow[]) => boolean): Promise<RunRow[]> {
  for (const deadline = Date.now() + 45_000; ; await sleep(100)) {
    const found = (await view(id)).runs.edges.map(({ node }) => node).toReversed();
    if (wanted(found)) return found;
    if (Date.now() > deadline) throw new Error(JSON.stringify(found));
  }
}
const ended = (count: number) => (found: RunRow[]) =>
  found.length === count && found.every(({ status }) => !['PENDING', 'RUNNING', 'WAITING'].includes(status));
const waiting = (found: RunRow[]) => found.some(({ status }) => status === 'WAITING');
const statuses = (found: RunRow[]) => found.map(({ status }) => status);

describe('a schedule', () => {
  beforeAll(async () => {
    await stack.graphql.publish(LASTING);
  });

  it('starts ordinary runs, with the scheduled time in their input', async () => {
    const spec = { intervals: [{ everySeconds: 1 }], timeZone: 'Asia/Tokyo' };
    await create('every-second', {
      spec,
      overlap: 'ALLOW_ALL',
      mapping: { at: 'scheduledTime', local: 'schedule.localTime' },
    });
    const found = await runs('every-second', (all) => all.length >= 2);
    await sure('mutation { deleteSchedule(id: "every-second") }');
    const done = await stack.graphql.until(found[0]!.id, ['COMPLETED', 'FAILED']);
    const { at, local } = done.output as { at: string; local: string };
    expect(done.status).toBe('COMPLETED');
    expect(Date.parse(`${local}+09:00`)).toBe(Date.parse(at));
    expect(found[0]!.trigger).toEqual({ kind: 'SCHEDULE', source: at });
    const listed = await sure<{ runs: { totalCount: number } }>(
      '{ runs(trigger: { kind: SCHEDULE, id: "every-second" }) { totalCount } }',
    );
    expect(listed.runs.totalCount).toBeGreaterThanOrEqual(2);
    expect((await sure<{ schedule: null }>('{ schedule(id: "every-second") { id } }')).schedule).toBeNull();
  }, 60_000);

  it.each([
    ['SKIP', ['COMPLETED']],
    ['BUFFER_ONE', ['COMPLETED', 'COMPLETED']],
    ['BUFFER_ALL', ['COMPLETED', 'COMPLETED', 'COMPLETED']],
  ])(
    'with overlap %s lets a run end first',
    async (overlap, expected) => {
      const id = `overlap-${overlap}`;
      await create(id, { overlap, input: { ms: 6_000 } });
      await fire(id);
      await runs(id, waiting);
      await fire(id);
      await fire(id);
      const found = await runs(id, ended(expected.length));
      await sleep(1_500);
      expect(statuses((await view(id)).runs.edges.map(({ node }) => node))).toEqual(expected);
      expect(statuses(found)).toEqual(expected);
      if (overlap === 'SKIP') expect((await view(id)).actionsSkipped).toBe(2);
    },
    90_000,
  );

  it.each([
    ['CANCEL_OTHER', ['CANCELLED', 'WAITING']],
    ['TERMINATE_OTHER', ['TERMINATED', 'WAITING']],
    ['ALLOW_ALL', ['WAITING', 'WAITING']],
  ])(
    'with overlap %s does so to the run itself',
    async (overlap, expected) => {
      const id = `overlap-${overlap}`;
      await create(id, { overlap, input: { ms: 600_000 } });
      await fire(id);
      await runs(id, waiting);
      await fire(id);
      const found = await runs(id, (all) => JSON.stringify(statuses(all)) === JSON.stringify(expected));
      for (const { id: runId, status } of found) {
        if (status === 'WAITING') await sure('mutation($runId: ID!) { terminateRun(runId: $runId) { id } }', { runId });
      }
      await runs(id, ended(2));
    },
    90_000,
  );

  it('is paused by its own failure when it should be', async () => {
    await create('fragile', { pauseOnFailure: true, input: { ms: 'nonsense' } });
    await fire('fragile');
    expect(statuses(await runs('fragile', ended(1)))).toEqual(['FAILED']);
    for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
      const { schedule } = await sure<{ schedule: { paused: boolean } }>('{ schedule(id: "fragile") { paused } }');
      if (schedule.paused) break;
      expect(Date.now()).toBeLessThan(deadline);
    }
  }, 90_000);

  it('makes up for a range of times, one after the other', async () => {
    await create('nightly', {
      spec: { crons: ['0 2 * * *'], timeZone: 'Europe/Berlin' },
      paused: true,
      mapping: { at: 'scheduledTime' },
    });
    const range = { from: '2026-10-23T12:00:00Z', to: '2026-10-26T12:00:00Z' };
    await sure(
      'mutation($from: DateTime!, $to: DateTime!) { backfillSchedule(id: "nightly", from: $from, to: $to) { id } }',
      range,
    );
    const found = await runs('nightly', ended(3));
    expect(found.map(({ output }) => output?.['at'])).toEqual([
      '2026-10-24T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-26T01:00:00.000Z',
    ]);
  }, 90_000);
});
