import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { definitionHash, tenantId, workflowId } from '../../domain/identifiers.ts';
import type { WorkflowDefinition } from '../../domain/runs/definition.ts';
import { createTestDatabase, type TestDatabase, uniqueName } from '../../tests/servers.ts';
import { listDefinitions, publishDefinition, readDefinition, readDefinitionByHash } from './definition-store.ts';
import { createPool } from './pool.ts';

let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool(database.url, 20);
});
afterAll(async () => {
  await pool?.end();
  await database?.drop();
});

const definition = (name: string, description: string): WorkflowDefinition => ({
  name,
  description,
  nodes: [{ id: 'a', type: 'merge' }],
  edges: [],
});
const hashOf = (text: string) => definitionHash(Buffer.from(text).toString('hex').padEnd(64, '0'));

describe('publishing definitions', () => {
  it('gives each content one version, dense from 1, however many publish at once', async () => {
    const tenant = tenantId(uniqueName('tenant'));
    const published = await Promise.all(
      Array.from({ length: 24 }, (_, index) =>
        publishDefinition(pool, {
          tenantId: tenant,
          hash: hashOf(`v${index % 6}`),
          definition: definition('brief', `v${index % 6}`),
        }),
      ),
    );
    const versions = new Map(published.map(({ hash, version }) => [hash, version]));
    expect([...versions.values()].toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const { hash, version } of published) expect(versions.get(hash)).toBe(version);
  });

  it('reads a given version, the latest one and one by its hash', async () => {
    const tenant = tenantId(uniqueName('tenant'));
    const id = workflowId('brief');
    const hashes = [hashOf(uniqueName('a')), hashOf(uniqueName('b'))] as const;
    for (const [index, hash] of hashes.entries()) {
      await publishDefinition(pool, { tenantId: tenant, hash, definition: definition('brief', `v${index}`) });
    }
    expect(await readDefinition(pool, tenant, id, 1)).toMatchObject({ version: 1, hash: hashes[0] });
    expect(await readDefinition(pool, tenant, id)).toMatchObject({ version: 2, definition: { description: 'v1' } });
    expect(await readDefinitionByHash(pool, hashes[0])).toMatchObject({ version: 1 });
    expect(await readDefinition(pool, tenant, id, 3)).toBeUndefined();
  });

  it('lists the latest versions page by page and by a part of the name taken literally', async () => {
    const tenant = tenantId(uniqueName('tenant'));
    for (const name of ['alpha', 'beta', 'gamma']) {
      for (const version of ['one', 'two']) {
        const hash = hashOf(`${name}${version}`);
        await publishDefinition(pool, { tenantId: tenant, hash, definition: definition(name, version) });
      }
    }
    const first = await listDefinitions(pool, { tenantId: tenant, first: 2 });
    expect(first.rows.map(({ workflowId, version }) => [workflowId, version])).toEqual([
      ['alpha', 2],
      ['beta', 2],
    ]);
    expect(first).toMatchObject({ totalCount: 3, hasNextPage: true });
    const rest = await listDefinitions(pool, { tenantId: tenant, first: 2, after: 'beta' });
    expect(rest).toMatchObject({ rows: [{ workflowId: 'gamma' }], hasNextPage: false });
    expect(await listDefinitions(pool, { tenantId: tenant, first: 2, name: 'MM' })).toMatchObject({ totalCount: 1 });
    expect(await listDefinitions(pool, { tenantId: tenant, first: 2, name: '%' })).toMatchObject({ totalCount: 0 });
  });

  it('leaves out what counterfactual runs were made of, unless its name is asked for', async () => {
    const tenant = tenantId(uniqueName('tenant'));
    const publish = (name: string, description: string) =>
      publishDefinition(pool, {
        tenantId: tenant,
        hash: hashOf(`${name}${description}`),
        definition: definition(name, description),
      });
    await publish('digest', 'a');
    await publish('digest-what-if', 'What if: digest version 1 with something different');
    await publish('own-what-if', 'made by a person');
    const listed = async (name?: string) =>
      (await listDefinitions(pool, { tenantId: tenant, first: 9, name })).rows.map(({ workflowId }) => workflowId);
    expect(await listed()).toEqual(['digest', 'own-what-if']);
    expect(await listed('what-if')).toEqual(['digest-what-if', 'own-what-if']);
    expect(await listDefinitions(pool, { tenantId: tenant, first: 9 })).toMatchObject({ totalCount: 2 });
  });
});
