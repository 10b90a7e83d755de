import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { listNodeExecutions } from '../../adapters/postgres/node-store.ts';
import { tenantId } from '../../domain/identifiers.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import type { RunsDeps } from './deps.ts';
import { publishWorkflow } from './publish-workflow.ts';
import { listRunsOf, readRunOf, readWorkflow } from './read-runs.ts';
import { createTenantDeps, tenantResolvers, type TenantDeps } from './tenant-deps.ts';

const ann = { tenantId: tenantId('ann'), subject: null };
const bob = { tenantId: tenantId('bob'), subject: null };
const definition = {
  name: 'secret-plan',
  nodes: [{ id: 'a', type: 'transform', config: { value: '1' } }],
  edges: [],
};

type Resolve = (...values: unknown[]) => Promise<unknown>;

let doors: Doors;
let tenants: TenantDeps;
beforeAll(async () => {
  doors = await openDoors();
  const deps = { pool: doors.pool, settings: doors.settings, pools: doors.pools } as unknown as RunsDeps;
  tenants = createTenantDeps(deps, doors.settings);
  await doors.pool.query(
    `INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, created_at)
     SELECT tenant || '-run', tenant, 'secret-plan', 1, 'hash', '{}', now() FROM unnest(ARRAY['ann', 'bob']) AS tenant`,
  );
  await doors.pool.query(
    `INSERT INTO node_executions (tenant_id, run_id, node_id, iteration, ordinal, type, status, attempts, input, output)
     VALUES ('ann', 'ann-run', 'a', '1', 0, 'transform', 'COMPLETED', 1, 'null', 'null')`,
  );
}, 60_000);
afterAll(async () => {
  await tenants?.close();
  await doors?.close();
});

describe('operations on behalf of a tenant', () => {
  it('see nothing of another, also where they ask for it by mistake', async () => {
    const mine = await publishWorkflow(tenants.of(ann), ann, definition);
    expect(mine).toMatchObject({ workflowId: 'secret-plan', version: 1 });
    expect(await readRunOf(tenants.of(ann), ann, 'ann-run')).toMatchObject({ id: 'ann-run' });
    const mistaken = tenants.of(bob);
    expect(await readRunOf(mistaken, ann, 'ann-run')).toBeUndefined();
    expect(await readWorkflow(mistaken, ann, 'secret-plan')).toBeUndefined();
    expect(await listRunsOf(mistaken, ann, {})).toMatchObject({ totalCount: 0 });
    const run = (await readRunOf(tenants.of(ann), ann, 'ann-run'))?.id;
    expect(run && (await listNodeExecutions(mistaken.pool, run))).toEqual([]);
    expect(run && (await listNodeExecutions(tenants.of(ann).pool, run))).toHaveLength(1);
    await expect(publishWorkflow(mistaken, ann, { ...definition, name: 'planted' })).rejects.toMatchObject({
      code: '42501',
    });
  });

  it('are those of the principal in the context, for fields, references and nested maps alike', async () => {
    const resolversOf = (deps: RunsDeps) => ({
      Query: { count: async () => (await deps.pool.query('SELECT FROM runs')).rowCount },
      Run: { __resolveReference: async () => (await deps.pool.query('SELECT id FROM runs')).rows },
      Mutation: { deep: { subscribe: async () => (await deps.pool.query('SELECT tenant_id FROM runs')).rows } },
    });
    const resolvers = tenantResolvers({ pool: doors.pool } as RunsDeps, tenants, resolversOf) as unknown as {
      Query: { count: Resolve };
      Run: { __resolveReference: Resolve };
      Mutation: { deep: { subscribe: Resolve } };
    };
    expect(await resolvers.Query.count(null, {}, { principal: ann })).toBe(1);
    expect(await resolvers.Run.__resolveReference({}, { principal: bob })).toEqual([{ id: 'bob-run' }]);
    expect(await resolvers.Mutation.deep.subscribe(null, {}, { principal: bob })).toEqual([{ tenant_id: 'bob' }]);
  });
});
