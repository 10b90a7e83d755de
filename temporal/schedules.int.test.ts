import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { DEFAULT_TENANT, workflowId } from '../domain/identifiers.ts';
import type { OpenScheduleAct, ScheduleAct, ScheduleRecord } from '../domain/runs/triggers/schedule.ts';
import { nextTimes, type ScheduleSpec } from '../domain/runs/triggers/schedule-spec.ts';
import { createTestNamespace } from '../tests/namespaces.ts';
import { testTemporal, uniqueName } from '../tests/servers.ts';
import { actOnSchedule } from './schedule-acts.ts';
import { deleteSchedule, describeSchedule, putSchedule } from './schedules.ts';

let connection: Connection;
let client: Client;

beforeAll(async () => {
  connection = await Connection.connect({ address: testTemporal().address });
  client = new Client({ connection, namespace: await createTestNamespace() });
}, 60_000);
afterAll(() => connection?.close());

const asked = (act: ScheduleAct): OpenScheduleAct => ({
  requestId: randomUUID(),
  askedAt: new Date().toISOString(),
  by: null,
  act,
});

function schedule(spec: Partial<ScheduleSpec>): ScheduleRecord {
  return {
    id: uniqueName('schedule'),
    tenantId: DEFAULT_TENANT,
    workflowId: workflowId('nightly'),
    version: null,
    name: 'Nightly',
    input: {},
    mapping: null,
    spec: { crons: [], intervals: [], timeZone: 'UTC', startAt: null, endAt: null, jitterSeconds: 0, ...spec },
    overlap: 'SKIP',
    catchupWindowMs: 60_000,
    pauseOnFailure: false,
    revision: 1,
    createdAt: new Date(),
    updatedAt: new Date(),
  };
}

const CASES: [string, Partial<ScheduleSpec>][] = [
  [
    'a time that the change to summer leaves out',
    { crons: ['30 2 * * *'], timeZone: 'Europe/Berlin', startAt: '2027-03-27T00:00:00Z' },
  ],
  [
    'a time that the change to winter repeats',
    { crons: ['30 2 * * *'], timeZone: 'Europe/Berlin', startAt: '2027-10-30T00:00:00Z' },
  ],
  [
    'every 20 minutes over a repeated hour',
    { crons: ['*/20 * * * *'], timeZone: 'America/New_York', startAt: '2027-11-07T04:30:00Z' },
  ],
  [
    'every 20 minutes over a missing hour',
    { crons: ['*/20 * * * *'], timeZone: 'America/New_York', startAt: '2027-03-14T06:10:00Z' },
  ],
  [
    'a change by half an hour',
    { crons: ['15,45 1-2 * * *'], timeZone: 'Australia/Lord_Howe', startAt: '2027-04-03T12:00:00Z' },
  ],
  [
    'a change at midnight',
    { crons: ['0,30 0 * * *', '45 23 * * *'], timeZone: 'Africa/Cairo', startAt: '2027-04-28T12:00:00Z' },
  ],
  [
    'a change back over midnight',
    { crons: ['0,30 0 * * *', '45 23 * * *'], timeZone: 'Africa/Cairo', startAt: '2027-10-27T12:00:00Z' },
  ],
  ['29 February', { crons: ['0 12 29 2 *'], timeZone: 'Asia/Kathmandu' }],
  ['either the 13th or a Friday', { crons: ['0 9 13 * fri'], timeZone: 'UTC' }],
  ['names and day 7', { crons: ['5 4 * jan,jul 7'], timeZone: 'Asia/Tokyo' }],
  ['a shorthand', { crons: ['@weekly'], timeZone: 'Pacific/Auckland' }],
  [
    'intervals with an offset beside cron',
    { crons: ['0 */6 * * *'], intervals: [{ everySeconds: 25_200, offsetSeconds: 600 }], timeZone: 'Asia/Kolkata' },
  ],
  ['a start and an end', { crons: ['0 * * * *'], startAt: '2027-05-01T10:00:00Z', endAt: '2027-05-01T13:00:00Z' }],
];

describe('a schedule in Temporal', () => {
  it.each(CASES)('fires when the preview says: %s', async (_, spec) => {
    const record = schedule(spec);
    await putSchedule(client, record);
    const described = await describeSchedule(client, record);
    const times = described?.nextTimes.map((time) => time.toISOString()) ?? [];
    const preview = nextTimes(record.spec, Date.now(), times.length + 1).map((time) => new Date(time).toISOString());
    expect(times.length).toBeGreaterThan(0);
    expect(preview.slice(0, times.length)).toEqual(times);
    if (record.spec.endAt) expect(preview).toEqual(times);
    await deleteSchedule(client, record);
  });

  it('keeps its pause when it is changed, and is gone when it is deleted', async () => {
    const record = schedule({ crons: ['@daily'] });
    await putSchedule(client, record);
    await actOnSchedule(client, record, asked({ kind: 'pause', note: 'holidays' }));
    await putSchedule(client, { ...record, spec: { ...record.spec, crons: ['0 3 * * *'] } });
    const changed = await describeSchedule(client, record);
    expect(changed).toMatchObject({ paused: true, note: 'holidays' });
    expect(changed?.nextTimes[0]?.toISOString()).toMatch(/T03:00:00/);
    await actOnSchedule(client, record, asked({ kind: 'unpause', note: null }));
    expect(await describeSchedule(client, record)).toMatchObject({ paused: false });
    expect(await deleteSchedule(client, record)).toBe(true);
    expect(await describeSchedule(client, record)).toBeUndefined();
    expect(await actOnSchedule(client, record, asked({ kind: 'pause', note: null }))).toBe(false);
  });

  it('fires once for a request that comes again', async () => {
    const record = schedule({ crons: ['@yearly'] });
    await putSchedule(client, record);
    const once = asked({ kind: 'trigger', overlap: 'ALLOW_ALL' });
    await actOnSchedule(client, record, once);
    const taken = async () => (await describeSchedule(client, record))?.taken;
    await sleep(1_100);
    await actOnSchedule(client, record, once);
    await actOnSchedule(client, record, asked({ kind: 'pause', note: 'behind it' }));
    for (const until = Date.now() + 20_000; Date.now() < until; await sleep(50)) {
      if ((await describeSchedule(client, record))?.paused && (await taken()) !== 0) break;
    }
    expect(await taken()).toBe(1);
    await deleteSchedule(client, record);
  }, 30_000);
});
