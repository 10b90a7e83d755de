import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from '@temporalio/client';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { chooseOwnPassword, signInRequired } from '../../tests/access.ts';
import { type Doors, openDoors } from '../../tests/doors.ts';
import { createTestNamespace } from '../../tests/namespaces.ts';
import { startRunServices } from '../../tests/run-services.ts';
import { testWorkflowBundle } from '../../tests/servers.ts';
import { tenantNamespaces } from '../../temporal/tenant-namespaces.ts';

const CLI = join(import.meta.dirname, '../../cli/src/main.ts');
const ASKING = {
  name: 'asking',
  nodes: [
    { id: 'ask', type: 'approval', config: { title: 'Go on?' } },
    { id: 'call', type: 'subworkflow', config: { workflow: 'child' } },
  ],
  edges: [{ from: 'ask', port: 'approved', to: 'call' }],
  output: 'nodes.call.output',
};
const CHILD = {
  name: 'child',
  nodes: [{ id: 'nap', type: 'delay', config: { durationMs: 20 } }],
  edges: [],
  output: '7',
};

let doors: Doors;
let services: Awaited<ReturnType<typeof startRunServices>>;
let own: string;
let acme: string;

beforeAll(async () => {
  own = await createTestNamespace();
  doors = await openDoors({ ...signInRequired(), WEFT_TENANT_NAMESPACES: `acme=${own}` });
  services = await startRunServices(doors);
  const { createTenant } = await sure('mutation { createTenant(id: "acme") { admin { oneTimePassword } } }', {}, null);
  acme = (await chooseOwnPassword(doors, 'admin', createTenant.admin.oneTimePassword, 'acme')).token;
}, 120_000);
afterAll(async () => {
  await services?.stop();
  await doors?.close();
});

/** As the operator unless a token is given. */
async function sure(query: string, variables: object, token: string | null): Promise<any> {
  const { data, errors } = await doors.ask(query, { ...variables }, ...(token === null ? [] : [token]));
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

async function start(token: string | null): Promise<string> {
  for (const definition of [CHILD, ASKING])
    await sure('mutation($d: JSON!) { publishWorkflow(definition: $d) { id } }', { d: definition }, token);
  return (await sure('mutation { executeWorkflow(workflowId: "asking") { id } }', {}, token)).executeWorkflow.id;
}

async function until(id: string, status: string, token: string | null): Promise<any> {
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const { run } = await sure('query($id: ID!) { run(id: $id) { status output temporalUrl } }', { id }, token);
    if (run?.status === status) return run;
    if (Date.now() > deadline) throw new Error(JSON.stringify(run));
  }
}

async function namespacesOf(id: string): Promise<string[]> {
  const { connection } = doors.temporal;
  const found = tenantNamespaces(doors.settings).all.map(async (namespace) => {
    const client = new Client({ connection, namespace });
    const described = await client.workflow
      .getHandle(id)
      .describe()
      .catch(() => null);
    return described === null ? [] : [namespace];
  });
  return (await Promise.all(found)).flat();
}

const weft = (...words: string[]) =>
  new Promise<string>((resolve, reject) => {
    const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE } = doors.settings;
    const env = {
      ...process.env,
      NODE_OPTIONS: '',
      DATABASE_URL,
      TEMPORAL_ADDRESS: String(TEMPORAL_ADDRESS),
      TEMPORAL_NAMESPACE,
    };
    execFile(
      process.execPath,
      [CLI, ...words],
      { env: { ...env, WEFT_TENANT_NAMESPACES: `acme=${own}` }, maxBuffer: 2 ** 25 },
      (error, stdout, stderr) => (stdout === '' ? reject(new Error(stderr, { cause: error })) : resolve(stdout)),
    );
  });

const audit = async () => JSON.parse(await weft('events', 'audit', '--last', '100', '--json'));
const replay = async (...words: string[]) =>
  JSON.parse(await weft('replay', ...words, '--bundle', testWorkflowBundle().codePath, '--json'));

describe('a tenant with a namespace of its own', () => {
  it('has its runs there, children too; others are in the shared one; all are worked on, answered and followed', async () => {
    const runs = [
      { id: await start(acme), token: acme, namespace: own },
      { id: await start(null), token: null, namespace: doors.settings.TEMPORAL_NAMESPACE },
    ];
    for (const { id, token, namespace } of runs) {
      await until(id, 'WAITING', token);
      expect(await namespacesOf(id)).toEqual([namespace]);
      await sure('mutation($id: ID!) { approve(runId: $id, nodeId: "ask", decision: APPROVED) { id } }', { id }, token);
      const run = await until(id, 'COMPLETED', token);
      expect(run.output).toBe(7);
      expect(run.temporalUrl).toContain(`/namespaces/${namespace}/`);
    }
    expect(await audit()).toMatchObject({ runs: 4, gone: [], differences: [] });
    for (const { id } of runs) {
      expect(await replay(id)).toMatchObject({ replayed: 1, diverged: 0, reports: [{ workflowId: id }] });
      const exported = JSON.parse(await weft('history', 'export', id));
      expect(exported.events[0].workflowExecutionStartedEventAttributes.workflowId).toBe(id);
    }
    const all = await replay('--query', "WorkflowType = 'run'");
    expect(all).toMatchObject({ replayed: 4, diverged: 0 });
    expect(all.reports.map(({ workflowId }: any) => workflowId)).toEqual(
      expect.arrayContaining(runs.map(({ id }) => id)),
    );
    expect(await replay('--last', '1')).toMatchObject({ replayed: 1 });
  }, 120_000);

  it('is cancelled and terminated there, and a run of another client there is its own', async () => {
    const [cancelled, terminated] = [await start(acme), await start(acme)];
    await sure('mutation($id: ID!) { cancelRun(runId: $id) { id } }', { id: cancelled }, acme);
    await sure('mutation($id: ID!) { terminateRun(runId: $id) { id } }', { id: terminated }, acme);
    await until(cancelled, 'CANCELLED', acme);
    await until(terminated, 'TERMINATED', acme);
    const foreign = new Client({ connection: doors.temporal.connection, namespace: own });
    await foreign.workflow.start('theirs', { workflowId: 'foreign-in-acme', taskQueue: 'runs' });
    await until('foreign-in-acme', 'RUNNING', acme);
    expect((await sure('{ run(id: "foreign-in-acme") { id } }', {}, null)).run).toBeNull();
    await foreign.workflow.getHandle('foreign-in-acme').terminate();
    await until('foreign-in-acme', 'TERMINATED', acme);
  }, 90_000);
});
