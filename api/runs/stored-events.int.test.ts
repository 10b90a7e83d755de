import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { recordEvents } from '../../adapters/postgres/record-events.ts';
import { unsyncedSchedules } from '../../adapters/postgres/schedule-store.ts';
import { BEGIN_AS_OWNER, inTransaction } from '../../adapters/postgres/transaction.ts';
import { eventFaults } from '../../tests/event-faults.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { syncNow } from './schedules-operations.ts';

const EVENTS = `query ($filter: StoredEventFilter, $after: String, $first: Int, $order: EventOrder) {
  events(filter: $filter, after: $after, first: $first, order: $order) {
    edges { cursor node { id type schemaVersion streamId version position correlationId causationId payload } }
    pageInfo { hasNextPage endCursor } head
  }
}`;

describe('stored events through the gateway', () => {
  let doors: Doors;
  beforeAll(async () => {
    doors = await openDoors({ WEFT_SECRET_KEY: '7'.repeat(64) });
  }, 60_000);
  afterAll(() => doors.close());

  const events = async (variables: object) => {
    const { data, errors } = await doors.ask(EVENTS, { ...variables });
    return errors ? { errors } : data.events;
  };
  const typesOf = (page: { edges: { node: { type: string } }[] }) => page.edges.map(({ node }) => node.type);
  const sure = async (query: string) => {
    const { data, errors } = await doors.ask(query);
    expect(errors).toBeUndefined();
    return data;
  };

  it('has what was published, deprecated and set up, each with the change', async () => {
    const definition = `{ name: "brief", nodes: [{ id: "one", type: "transform", config: { value: "1" } }], edges: [] }`;
    for (let twice = 0; twice < 2; twice += 1)
      await sure(`mutation { publishWorkflow(definition: ${definition}) { id } }`);
    await sure('mutation { deprecateVersion(workflowId: "brief", version: 1, reason: "old") { version } }');
    await sure('mutation { undeprecateVersion(workflowId: "brief", version: 1) { version } }');
    await sure('mutation { createEventTrigger(id: "t", event: "paid", workflowId: "brief") { id } }');
    await sure('mutation { updateEventTrigger(id: "t", enabled: false) { id } }');
    await sure('mutation { deleteEventTrigger(id: "t") }');
    await sure('mutation { createSchedule(id: "s", workflowId: "brief", spec: { crons: ["0 6 * * *"] }) { id } }');
    await sure('mutation { pauseSchedule(id: "s", note: "holidays") { id } }');
    await sure('mutation { deleteSchedule(id: "s") }');
    const { data, errors } = await doors.ask('mutation { deleteEventTrigger(id: "none") }');
    expect(data === null || errors).toBeTruthy();
    const types = ['definition.*', 'event_trigger.*', 'schedule.*'];
    const page = await events({ filter: { types } });
    expect(typesOf(page)).toEqual([
      ...['definition.published', 'definition.deprecated', 'definition.undeprecated'],
      ...['event_trigger.created', 'event_trigger.changed', 'event_trigger.deleted'],
      ...['schedule.created', 'schedule.paused', 'schedule.deleted'],
    ]);
    expect(page.edges[1].node).toMatchObject({
      streamId: 'definition/brief',
      version: 2,
      payload: { workflowId: 'brief', version: 1, reason: 'old' },
    });
  });

  it('has batches and webhooks, without secrets', async () => {
    await sure('mutation { startBatch(operation: CANCEL, filter: {}, dryRun: true, reason: "look") { id } }');
    const made = await sure('mutation { createWebhook(id: "w", workflowId: "brief") { secret } }');
    const rotated = await sure('mutation { rotateWebhookSecret(id: "w") { secret } }');
    await sure('mutation { updateWebhook(id: "w", enabled: false) { id } }');
    await sure('mutation { deleteWebhook(id: "w") }');
    const page = await events({ filter: { types: ['batch.*', 'webhook.*'] } });
    expect(typesOf(page)).toEqual([
      ...['batch.started', 'webhook.created', 'webhook.secret_rotated', 'webhook.changed', 'webhook.deleted'],
    ]);
    expect(page.edges[0].node.payload).toMatchObject({ operation: 'CANCEL', total: 0, dryRun: true, reason: 'look' });
    const text = JSON.stringify(page);
    for (const { secret } of [made.createWebhook, rotated.rotateWebhookSecret]) expect(text).not.toContain(secret);
  });

  it('has each as its schema says', async () => expect(await eventFaults(doors.pool)).toEqual([]));

  it('gives a stream from a version on, that one included', async () => {
    const stream = (from: number) =>
      sure(`{ eventStream(id: "definition/brief", fromVersion: ${from}) { type version } }`).then(
        (data) => data.eventStream,
      );
    expect(await stream(2)).toEqual([
      { type: 'definition.deprecated', version: 2 },
      { type: 'definition.undeprecated', version: 3 },
    ]);
    expect(await stream(4)).toEqual([]);
  });

  it('goes on from a cursor, from either end', async () => {
    const filter = { types: ['schedule.*'] };
    const first = await events({ filter, first: 2 });
    expect(first.pageInfo.hasNextPage).toBe(true);
    const rest = await events({ filter, first: 2, after: first.pageInfo.endCursor });
    expect(typesOf(rest)).toEqual(['schedule.deleted']);
    expect(rest.pageInfo.hasNextPage).toBe(false);
    expect(typesOf(await events({ filter, order: 'NEWEST_FIRST', first: 1 }))).toEqual(['schedule.deleted']);
    expect(Number(first.head)).toBeGreaterThan(0);
  });

  it('has the security audit for whoever may administer access, and for nobody else', async () => {
    await recordEvents(doors.pool, 'default', [
      { type: 'access.logged_in', id: 'ada', payload: { subject: 'ada', by: 'ada' } },
    ]);
    expect(typesOf(await events({ filter: { types: ['access.*'] } }))).toContain('access.logged_in');
  });

  const asOwner = (sql: string) => inTransaction(doors.pool, (client) => client.query(sql), BEGIN_AS_OWNER);

  it('has what was done to a schedule in Temporal, once, also where the recording of it failed', async () => {
    await sure('mutation { createSchedule(id: "k", workflowId: "brief", spec: { crons: ["@yearly"] }) { id } }');
    await asOwner(`CREATE FUNCTION no_events() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''none''; END';
      CREATE TRIGGER no_events BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION no_events()`);
    const failed = await doors.ask('mutation { pauseSchedule(id: "k", note: "holidays") { id } }');
    expect(failed.errors).toBeDefined();
    expect((await sure('{ schedule(id: "k") { paused note } }')).schedule).toEqual({ paused: true, note: 'holidays' });
    const acts = async () => typesOf(await events({ filter: { streamId: 'schedule/k' } }));
    expect(await acts()).toEqual(['schedule.created']);
    await asOwner('DROP FUNCTION no_events CASCADE');
    await doors.pool.query(`UPDATE schedules SET tried_at = now() - interval '1 minute' WHERE id = 'k'`);
    for (const key of await unsyncedSchedules(doors.pool, 15_000)) await syncNow(doors, key);
    expect(await acts()).toEqual(['schedule.created', 'schedule.paused']);
    await sure('mutation { unpauseSchedule(id: "k") { id } }');
    await sure('mutation { deleteSchedule(id: "k") }');
    expect((await acts()).slice(1)).toEqual(['schedule.paused', 'schedule.unpaused', 'schedule.deleted']);
  });

  it('refuses what is no filter and no cursor', async () => {
    for (const variables of [
      { filter: { types: ['every thing'] } },
      { after: 'yesterday' },
      { first: 1_001 },
      { filter: { streamId: 'a\0' } },
    ]) {
      expect((await events(variables)).errors[0].extensions.code).toBe('INPUT_INVALID');
    }
  });
});
