import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { rebuildProjections } from '../../adapters/postgres/rebuild-projections.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { startRunServices } from '../../tests/run-services.ts';

const value = (id: string, expression: string) => ({ id, type: 'transform', config: { value: expression } });
const ask = { id: 'ask', type: 'approval', config: { title: 'Go on?' } };
const chain = (name: string, nodes: { id: string }[], rest: object = {}) => ({
  name,
  nodes,
  edges: nodes.slice(1).map((node, index) => {
    const from = nodes[index]?.id;
    return { from, to: node.id, ...(from === 'ask' ? { port: 'approved' } : {}) };
  }),
  ...rest,
});

describe('migrating runs', () => {
  let doors: Doors;
  let services: Awaited<ReturnType<typeof startRunServices>>;
  beforeAll(async () => {
    doors = await openDoors();
    services = await startRunServices(doors);
  }, 120_000);
  afterAll(async () => {
    await services?.stop();
    await doors?.close();
  });

  const query = async (text: string, variables?: Record<string, unknown>) => {
    const { data, errors } = await doors.ask(text, variables);
    if (errors) throw Object.assign(new Error(errors[0].message), { extensions: errors[0].extensions });
    return data;
  };
  const publish = (definition: object) =>
    query('mutation ($d: JSON!) { publishWorkflow(definition: $d) { version } }', { d: definition });
  const start = async (workflowId: string): Promise<string> =>
    (await query('mutation ($w: ID!) { executeWorkflow(workflowId: $w, input: {n: 1}) { id } }', { w: workflowId }))
      .executeWorkflow.id;
  const read = async (id: string) =>
    (
      await query(
        `query ($id: ID!) { run(id: $id) { status output workflow { version } versions { version mapping }
           nodes { id status output } } }`,
        { id },
      )
    ).run;
  const until = async (id: string, fits: (run: any) => boolean) => {
    for (let tries = 0; ; tries += 1) {
      const run = await read(id);
      if (fits(run)) return run;
      if (tries > 400) throw new Error(JSON.stringify(run));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const migrate = (runId: string, mapping: object | null = null, toVersion: number | null = null) =>
    query(
      `mutation ($r: ID!, $m: JSON, $v: Int) { migrateRun(runId: $r, mapping: $m, toVersion: $v) { workflow { version } } }`,
      { r: runId, m: mapping, v: toVersion },
    );
  const approve = (runId: string) =>
    query('mutation ($r: ID!) { approve(runId: $r, nodeId: "ask", decision: APPROVED) { id } }', { r: runId });

  it('lets a waiting run go on in a version in which its nodes have other names, and shows both versions', async () => {
    await publish(chain('renamed', [value('one', 'input.n + 1'), ask, value('two', 'nodes.one.output + 1')]));
    const run = await start('renamed');
    await until(run, ({ status }) => status === 'WAITING');
    const second = [value('first', 'input.n + 1'), ask, value('last', 'nodes.first.output * 100')];
    await publish(chain('renamed', second, { output: 'nodes.last.output' }));
    await expect(migrate(run)).rejects.toMatchObject({
      extensions: {
        code: 'MIGRATION_REFUSED',
        problems: [{ code: 'RESULT_VANISHED', nodeId: 'one', suggestions: ['first', 'last'] }],
      },
    });
    expect((await migrate(run, { one: 'first' })).migrateRun.workflow.version).toBe(2);
    const moved = await read(run);
    expect(moved.nodes.map((node: any) => [node.id, node.status])).toEqual([
      ['first', 'COMPLETED'],
      ['ask', 'WAITING'],
      ['last', 'PENDING'],
    ]);
    expect(moved.versions).toEqual([
      { version: 1, mapping: null },
      { version: 2, mapping: { one: 'first' } },
    ]);
    await approve(run);
    const done = await until(run, ({ status }) => status === 'COMPLETED');
    expect(done).toMatchObject({ output: 200, workflow: { version: 2 } });
    const state = (await query('query ($id: ID!) { run(id: $id) { stateAt(eventId: 100000) } }', { id: run })).run
      .stateAt;
    expect(state).toMatchObject({ status: 'COMPLETED', output: 200 });
    expect(state.nodes.first.status).toBe('COMPLETED');
    await rebuildProjections(doors.pool);
    expect(await read(run)).toEqual(done);
  }, 60_000);

  it('refuses when what waits is gone, and leaves the run as it was', async () => {
    await publish(chain('kept', [ask, value('end', '1')], { output: 'nodes.end.output' }));
    const run = await start('kept');
    await until(run, ({ status }) => status === 'WAITING');
    await publish(chain('kept', [value('end', '2')], { output: 'nodes.end.output' }));
    await expect(migrate(run, { ask: null })).rejects.toMatchObject({
      extensions: { code: 'MIGRATION_REFUSED', problems: [{ code: 'IN_FLIGHT_VANISHED', nodeId: 'ask' }] },
    });
    await approve(run);
    expect(await until(run, ({ status }) => status === 'COMPLETED')).toMatchObject({
      output: 1,
      workflow: { version: 1 },
      versions: [{ version: 1 }],
    });
  }, 60_000);

  it('keeps a timer that is under way, and takes up several versions one after the other', async () => {
    const nap = { id: 'nap', type: 'delay', config: { durationMs: 2_500 } };
    await publish(chain('napping', [nap, value('end', '1')], { output: 'nodes.end.output' }));
    const run = await start('napping');
    await until(run, ({ status }) => status === 'WAITING');
    for (const number of ['2', '3']) {
      await publish(chain('napping', [nap, value('end', number)], { output: 'nodes.end.output' }));
      await migrate(run);
    }
    const done = await until(run, ({ status }) => status === 'COMPLETED');
    expect(done.output).toBe(3);
    expect(done.versions.map(({ version }: any) => version)).toEqual([1, 2, 3]);
    expect(done.nodes).toMatchObject([
      { id: 'nap', status: 'COMPLETED' },
      { id: 'end', status: 'COMPLETED' },
    ]);
  }, 60_000);

  it('lets many runs go on in another version in the background, and says which could not', async () => {
    await publish(chain('fleet', [ask, value('old', '1')], { output: 'nodes.old.output' }));
    const runs = await Promise.all(Array.from({ length: 5 }, () => start('fleet')));
    await Promise.all(runs.map((id) => until(id, (run) => run.status === 'WAITING')));
    await publish(chain('fleet', [ask, value('next', '2')], { output: 'nodes.next.output' }));
    const startBatch = async (migration: object | null, filter: object = { workflowId: 'fleet' }) =>
      (
        await query(
          `mutation ($filter: BatchFilter!, $migration: BatchMigration) {
             startBatch(operation: MIGRATE, filter: $filter, migration: $migration) { id total } }`,
          { migration, filter },
        )
      ).startBatch;
    await expect(startBatch(null, {})).rejects.toMatchObject({ extensions: { code: 'INPUT_INVALID' } });
    const { id, total } = await startBatch({ toVersion: 2, mapping: { old: 'next' } });
    expect(total).toBe(5);
    await Promise.all(runs.map((run) => until(run, ({ workflow }) => workflow.version === 2)));
    for (let tries = 0; tries < 200; tries += 1) {
      const { batch } = await query('query ($id: ID!) { batch(id: $id) { status done failed } }', { id });
      if (batch.status === 'COMPLETED') {
        expect(batch).toEqual({ status: 'COMPLETED', done: 5, failed: 0 });
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the batch did not end');
  });
});
