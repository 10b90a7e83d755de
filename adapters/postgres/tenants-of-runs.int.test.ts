import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { runId, tenantId } from '../../domain/identifiers.ts';
import type { NewMcpServer } from '../../domain/tools/mcp-server.ts';
import { insertTestRun } from '../../tests/insert-test-run.ts';
import { createTestDatabase, uniqueName } from '../../tests/servers.ts';
import { createEffectStore } from './effect-store.ts';
import { createEventRecorder } from './event-recorder.ts';
import { readTenantEvents } from './event-store.ts';
import { readMcpServerOfRun, saveMcpServer } from './mcp-server-store.ts';
import { createPool } from './pool.ts';
import { tenantsOfRuns } from './tenants-of-runs.ts';
import { createTokenPublisher } from './token-publisher.ts';

let pool: pg.Pool;
let close: () => Promise<void>;
beforeAll(async () => {
  const database = await createTestDatabase();
  pool = createPool(database.url, 5);
  close = async () => {
    await pool.end();
    await database.drop();
  };
  await pool.query(`INSERT INTO tenants (tenant_id, name) VALUES ('blue', 'Blue'), ('green', 'Green')`);
}, 60_000);
afterAll(() => close());

const fail = (error: unknown) => {
  throw error;
};
const paused = (id: string): SystemEvent => ({ type: 'schedule.paused', id, payload: { id, by: 'ada', note: null } });
const idsOf = async (tenant: string) =>
  (await readTenantEvents(pool, { tenantId: tenantId(tenant), after: 0n, first: 1_000 })).map(
    ({ streamId }) => streamId,
  );
async function parentOf(tenant: string): Promise<{ parent: string; child: string }> {
  const parent = uniqueName('run');
  await insertTestRun(pool, parent, tenant);
  return { parent, child: `${parent}:helper:1:calls:2.1` };
}

describe('whose a child run is before the projector has stored it', () => {
  it('is told by the run that it is a child of, and by its own row as soon as that is there', async () => {
    const { parent, child } = await parentOf('blue');
    const own = `${parent}:other:1`;
    await insertTestRun(pool, own, 'green');
    const unknown = `${uniqueName('run')}:helper:1`;
    expect(await tenantsOfRuns(pool, [child, own, parent, unknown, child])).toEqual(
      new Map([
        [child, 'blue'],
        [own, 'green'],
        [parent, 'blue'],
      ]),
    );
  });

  it('lets it find the servers of its tenant, and none of others', async () => {
    const server: NewMcpServer = {
      ...{ id: 'till', transport: 'http', command: null, args: [], balancing: 'health', enabled: true },
      ...{ endpoints: [{ url: 'https://till.example.org', weight: 1 }], allowedTools: null, idempotentTools: [] },
      ...{ timeoutMs: 1_000, maxResultBytes: 1_000, poolSize: 1 },
    };
    await saveMcpServer(pool, tenantId('blue'), server, null);
    const [blue, green] = [await parentOf('blue'), await parentOf('green')];
    expect(await readMcpServerOfRun(pool, runId(blue.child), 'till')).toMatchObject({ tenantId: 'blue', id: 'till' });
    expect(await readMcpServerOfRun(pool, runId(green.child), 'till')).toBeUndefined();
  });

  it('puts its events into its tenant', async () => {
    const { child } = await parentOf('green');
    const id = uniqueName('schedule');
    await createEventRecorder(pool).recordOfRun(child, paused(id));
    expect(await idsOf('green')).toContain(`schedule/${id}`);
  });

  it('puts its effects and the text that it writes into its tenant', async () => {
    const { child } = await parentOf('green');
    const call = { runId: child, nodeId: 'pay', iteration: '1', key: 'k', kind: 'http', request: {}, requestHash: 'h' };
    await createEffectStore(pool).begin({ ...call, scheduledAt: 1 }, { onUnknown: 'retry', keyOfChanged: 'l' });
    const tokens = createTokenPublisher(pool, { flushMs: 1, retentionMinutes: 5, onError: fail });
    const writer = tokens.open({ runId: child, nodeId: 'turn', iteration: '1', attempt: 1 });
    writer.write({ type: 'text', text: 'The lamp' });
    await writer.close();
    await tokens.close();
    const { rows } = await pool.query(
      `SELECT tenant_id FROM effects WHERE run_id = $1 UNION ALL SELECT tenant_id FROM token_chunks WHERE run_id = $1`,
      [child],
    );
    expect(rows).toEqual([{ tenant_id: 'green' }, { tenant_id: 'green' }]);
  });
});

describe('an event of a run of which nothing is known', () => {
  it('waits until the projector has stored the run, while those of others go on', async () => {
    const run = uniqueName('run');
    const [id, other] = [uniqueName('schedule'), uniqueName('schedule')];
    const recorder = createEventRecorder(pool, 60_000);
    const recorded = recorder.recordOfRun(run, paused(id));
    await recorder.recordOfRun((await parentOf('blue')).child, paused(other));
    await sleep(1);
    await insertTestRun(pool, run, 'blue');
    await recorded;
    expect(await idsOf('blue')).toEqual(expect.arrayContaining([`schedule/${id}`, `schedule/${other}`]));
  });

  it('is in no tenant in the end, and not in the default one either', async () => {
    const id = uniqueName('schedule');
    await expect(createEventRecorder(pool, 0).recordOfRun(uniqueName('run'), paused(id))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const everywhere = await Promise.all(['default', 'blue', 'green'].map(idsOf));
    expect(everywhere.flat()).not.toContain(`schedule/${id}`);
  });
});
