import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { openDatabase } from '../../adapters/postgres/open-database.ts';
import { DEFAULT_TENANT, runId } from '../../domain/identifiers.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { uniqueName } from '../../tests/servers.ts';
import { storeRun } from '../../tests/stored-runs.ts';
import { LOCAL_PRINCIPAL } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';
import { eraseSubject, eraseTenantValues } from './erase-operations.ts';
import { readRunOf } from './read-runs.ts';
import { createTenantDeps, type TenantDeps } from './tenant-deps.ts';

const definition = {
  name: 'letter',
  nodes: [{ id: 'greet', type: 'transform', config: { value: 'input.name' } }],
  edges: [],
};
const run = { definition, outcomeOf: () => null } as unknown as Parameters<typeof storeRun>[1];

let doors: Doors;
let pool: pg.Pool;
let tenants: TenantDeps;
beforeAll(async () => {
  doors = await openDoors();
  const settings = { ...doors.settings, WEFT_SECRET_KEY: ['s'.repeat(40)] };
  pool = openDatabase(settings);
  const deps = { pool, settings, temporal: doors.temporal, log: { info: () => undefined } };
  tenants = createTenantDeps(deps as unknown as RunsDeps, settings);
}, 60_000);
afterAll(async () => {
  await tenants?.close();
  await pool?.end();
  await doors?.close();
});

describe('the erasure of a subject', () => {
  it('reaches the histories of Temporal, and whatever the runs of the subject have left here', async () => {
    const id = await storeRun(pool, run, { subject: 'ada@example.org', input: { name: 'Ada' } });
    const options = { workflowId: id, taskQueue: uniqueName('nobody') };
    const handle = await doors.temporal.workflow.start('run', options);
    await handle.terminate();
    await pool.query('UPDATE event_streams SET temporal_run_id = $2 WHERE run_id = $1', [
      id,
      handle.firstExecutionRunId,
    ]);
    const deps = tenants.of(LOCAL_PRINCIPAL);
    const erased = await eraseSubject(deps, LOCAL_PRINCIPAL, 'ada@example.org');
    expect(erased).toMatchObject({ keys: 1, runs: 1, unsealed: 0, histories: 1 });
    expect(await readRunOf(deps, LOCAL_PRINCIPAL, runId(id))).toMatchObject({ status: 'COMPLETED', input: '[erased]' });
    // Temporal deletes by a queue of its own.
    for (;;) {
      const gone = await handle.describe().then(
        () => false,
        (error: Error) => error.name === 'WorkflowNotFoundError',
      );
      if (gone) break;
    }
    expect(await eraseSubject(deps, LOCAL_PRINCIPAL, 'ada@example.org')).toMatchObject({ keys: 0, runs: 0 });
  }, 60_000);

  it('is refused for nobody, and for a tenant that is not the own', async () => {
    const deps = tenants.of(LOCAL_PRINCIPAL);
    await expect(eraseSubject(deps, LOCAL_PRINCIPAL, '')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(eraseTenantValues(deps, LOCAL_PRINCIPAL, 'other')).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await storeRun(pool, run, { input: { name: 'Bob' } });
    expect(await eraseTenantValues(deps, LOCAL_PRINCIPAL, DEFAULT_TENANT)).toMatchObject({ unsealed: 1, histories: 0 });
  }, 60_000);
});
